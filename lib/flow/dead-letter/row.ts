// A row of the DeadLetters table as code sees it, and the table with what its requests need.

import type { DeadLetter } from '../../model/dead-letter.ts';
import { DEAD_LETTER_FORMAT } from '../../model/dead-letter.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';

export interface DeadLetterTable {
  dynamo: Dynamo;
  table: string;
  world: Pick<World, 'timers' | 'random'>;
}

/** @throws EventRecoveryError `UNKNOWN_FORMAT` when a newer version of the project wrote it */
export function toDeadLetter(item: Record<string, unknown>): DeadLetter {
  const row = item as unknown as DeadLetter;
  if (row.format > DEAD_LETTER_FORMAT) {
    throw new EventRecoveryError(
      'UNKNOWN_FORMAT',
      `dead letter "${row.id}": got format ${row.format}; allowed: up to ${DEAD_LETTER_FORMAT}; remedy: deploy the version of event-recovery that wrote it`,
      { facts: { item: row.id, got: row.format, allowed: DEAD_LETTER_FORMAT } },
    );
  }
  return row;
}
