// One SQS batch through one engine: parse, react, and name exactly the messages that must come back. The answer is always
// a whole `{ batchItemFailures }` with ids of this batch: an empty object would acknowledge everything, an unknown id
// would return everything (AWS Lambda guide, partial batch responses for SQS).

import { InvalidInputError } from '../../model/errors.ts';
import { errorFacts, type Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { CompleteDeclaration } from './declaration.ts';
import type { ConsumerEngine, Invocation } from './engine-port.ts';
import type { ParsedMessage } from './messages.ts';
import { type ParsedRecord, parseRecord, type QueueRecord } from './parse-messages.ts';

export interface BatchResponse {
  batchItemFailures: { itemIdentifier: string }[];
}

export interface BatchHandlerDeps {
  declaration: Pick<CompleteDeclaration, 'name' | 'drill'>;
  engine: ConsumerEngine;
  logger: Logger;
  metrics: Metrics;
}

export type BatchHandler = (event: unknown, invocation: Invocation) => Promise<BatchResponse>;

/** SQS event source mappings deliver at most 10,000 messages a batch (AWS Lambda guide, SQS batching). */
const RECORDS_MAX = 10_000;

/**
 * @example
 * const handle = createBatchHandler({ declaration, engine, logger, metrics });
 * return handle(sqsEvent, { remainingMs: () => context.getRemainingTimeInMillis(), requestId: context.awsRequestId });
 */
export function createBatchHandler({ declaration, engine, logger, metrics }: BatchHandlerDeps): BatchHandler {
  const dimensions = { consumer: declaration.name };
  const log = logger.child({ consumer: declaration.name });

  return async (event, invocation) => {
    const records = readRecords(event);
    const parsed = records.map((record) => parseRecord(record, declaration));
    for (const outcome of parsed) note(outcome);
    const messages = parsed.flatMap((outcome) => (outcome.kind === 'message' ? [outcome.message] : []));
    const failed = await failedOf(messages, invocation);
    for (const outcome of parsed) if (outcome.kind === 'refused') failed.add(outcome.messageId);
    return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
  };

  function note(outcome: ParsedRecord): void {
    if (outcome.kind === 'message') return;
    const { messageId, correlationId } = outcome;
    if (outcome.kind === 'refused') {
      const { error } = outcome;
      metrics.count('MessagesRefused', 1, 'Count', dimensions);
      log.error('message refused', { messageId, correlationId, code: error.code, error: errorFacts(error) });
      return;
    }
    metrics.count('MessagesIgnored', 1, 'Count', dimensions);
    log.debug('message ignored', { messageId, correlationId, reason: outcome.reason, streamId: outcome.streamId });
  }

  /** An engine that fails as a whole, or names a message that it was not given, has acknowledged nothing. */
  async function failedOf(messages: readonly ParsedMessage[], invocation: Invocation): Promise<Set<string>> {
    if (messages.length === 0) return new Set();
    const known = new Set(messages.map(({ messageId }) => messageId));
    try {
      const { failedMessageIds } = await engine.handleBatch(messages, invocation);
      const unknown = failedMessageIds.filter((id) => !known.has(id));
      if (unknown.length === 0) return new Set(failedMessageIds);
      reject(messages, { code: 'UNKNOWN_MESSAGE_ID', unknown });
    } catch (error) {
      reject(messages, { code: 'BATCH_FAILED', error: errorFacts(error) });
    }
    return known;
  }

  /** One line per message, so that each carries its own correlation id. */
  function reject(messages: readonly ParsedMessage[], facts: Record<string, unknown>): void {
    metrics.count('BatchesFailed', 1, 'Count', dimensions);
    for (const { messageId, body } of messages) {
      log.error('the batch failed: the message comes back', {
        messageId,
        correlationId: body.correlationId,
        streamId: body.streamId,
        ...facts,
      });
    }
  }
}

/**
 * A record without an id cannot be named in the answer, so the whole batch has to come back.
 * @throws InvalidInputError `MALFORMED_BATCH`
 */
function readRecords(event: unknown): QueueRecord[] {
  const records = (event as { Records?: unknown } | null | undefined)?.Records;
  const isBatch = Array.isArray(records) && records.length <= RECORDS_MAX && records.every(hasMessageId);
  if (isBatch) return records;
  throw new InvalidInputError('MALFORMED_BATCH', {
    what: 'event of a consumer function',
    got: records === undefined ? typeof event : records,
    allowed: `an SQS event: up to ${RECORDS_MAX} Records, each with a messageId`,
    remedy: 'invoke the function only through its SQS event source mapping',
  });
}

const hasMessageId = (record: unknown): record is QueueRecord => {
  const id = (record as { messageId?: unknown } | null)?.messageId;
  return typeof id === 'string' && id.length > 0;
};
