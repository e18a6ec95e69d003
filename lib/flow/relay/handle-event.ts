// What invokes the relay function, told apart: a batch of the DynamoDB stream, or the wake-up in which a backfill goes on.
// The answer to a batch names what must be delivered again; a batch that was not relayed can never look like a success.

import { EventRecoveryError, InvalidInputError } from '../../model/errors.ts';
import { readableFormat } from '../../model/format.ts';
import { type BackfillDetail, RELAY_BACKFILL, WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { BackfillReport } from './continue-backfill.ts';
import type { Relay } from './relay.ts';
import type { BatchReport } from './relay-batch.ts';

/**
 * Lambda Developer Guide, "Configuring partial batch response with DynamoDB and Lambda": the lowest sequence number becomes
 * the checkpoint, and EVERYTHING from it on is delivered again, whether it succeeded or not. An empty list, `{}` and null
 * mean success; an empty or missing `itemIdentifier` means that the whole batch failed.
 */
export interface StreamBatchResponse {
  batchItemFailures: { itemIdentifier: string }[];
}

export interface Invocation {
  getRemainingTimeInMillis(): number;
}

/** @throws InvalidInputError `UNKNOWN_TRIGGER`; EventRecoveryError `BATCH_FAILED`, `BACKFILL_INTERRUPTED` (retryable) */
export async function handleRelayEvent(
  relay: Relay,
  event: unknown,
  invocation: Invocation,
): Promise<StreamBatchResponse | BackfillReport> {
  const options = { remainingMs: () => invocation.getRemainingTimeInMillis() };
  const { Records, 'detail-type': detailType, detail } = (event ?? {}) as Record<string, unknown>;
  if (Array.isArray(Records)) return batchResponse(await relay.relayBatch(Records, options));
  if (detailType === RELAY_BACKFILL) return relay.continueBackfill(backfillDetail(detail), options);
  throw new InvalidInputError('UNKNOWN_TRIGGER', {
    what: 'event of the relay function',
    got: event,
    allowed: `records of the Events table's DynamoDB stream, or a ${RELAY_BACKFILL} entry of the bus`,
    remedy: 'look at what invokes the function',
  });
}

/** @throws EventRecoveryError `BATCH_FAILED` when a failed record has no number that could be named */
export function batchResponse(report: BatchReport): StreamBatchResponse {
  return {
    batchItemFailures: report.failures.map(({ sequenceNumber, index, message }) => {
      if (sequenceNumber !== undefined) return { itemIdentifier: sequenceNumber };
      throw new EventRecoveryError(
        'BATCH_FAILED',
        `record ${index} of the batch failed and has no sequence number: ${message}; remedy: the whole batch is delivered again by itself`,
        { retryable: true, facts: { index } },
      );
    }),
  };
}

function backfillDetail(detail: unknown): BackfillDetail {
  const { format, streamId, target, hops } = (detail ?? {}) as BackfillDetail;
  readableFormat('backfill wake-up', format, WAKE_UP_FORMAT);
  if (Number.isSafeInteger(hops) && hops >= 0) return { format, streamId, target, hops };
  throw new InvalidInputError('INVALID_WAKE_UP', {
    what: 'hops of a backfill wake-up',
    got: hops,
    allowed: 'a whole number from 0',
    remedy: 'only the relay sends this entry',
  });
}
