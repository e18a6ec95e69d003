// The two events of the intake function: a batch of a dead-letter queue, and the schedule that announces dead letters.

import type { BatchResponse } from '../../flow/consumer/batch-handler.ts';
import type { DeadLetters } from '../../flow/dead-letter/port.ts';
import { InvalidInputError } from '../../model/errors.ts';
import { type AnnounceDeps, type Announced, announceDeadLetters } from '../alert/announce-dead-letters.ts';
import { type IntakeDeps, intake } from './intake.ts';
import type { DeadRecord } from './parse-dead-message.ts';

export interface IntakeEventDeps extends IntakeDeps, Omit<AnnounceDeps, 'deadLetters'> {
  deadLetters: Pick<DeadLetters, 'get' | 'statusWrite' | 'untold' | 'markTold'>;
}

/** @throws InvalidInputError `MALFORMED_BATCH`; everything of the batch comes back then */
export async function handleIntakeEvent(deps: IntakeEventDeps, event: unknown): Promise<BatchResponse | Announced> {
  if ((event as { action?: unknown } | null | undefined)?.action === 'announce') return announceDeadLetters(deps);
  const records = (event as { Records?: unknown } | null | undefined)?.Records;
  if (Array.isArray(records) && records.every(isRecord)) {
    const failed = await intake(deps, records);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  }
  throw new InvalidInputError('MALFORMED_BATCH', {
    what: 'event of the dead-letter intake',
    got: event,
    allowed: 'an SQS event, or { "action": "announce" }',
    remedy: 'invoke it through its event source mappings or its schedule',
  });
}

function isRecord(record: unknown): record is DeadRecord {
  const { messageId, body } = (record ?? {}) as Partial<DeadRecord>;
  return typeof messageId === 'string' && messageId.length > 0 && typeof body === 'string';
}
