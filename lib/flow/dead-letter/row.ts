// A row of the DeadLetters table as code sees it, and the table with what its requests need.

import type { DeadLetter } from '../../model/dead-letter.ts';
import { DEAD_LETTER_FORMAT } from '../../model/dead-letter.ts';
import { readableFormat } from '../../model/format.ts';
import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';

export interface DeadLetterTable {
  dynamo: Dynamo;
  table: string;
  world: Pick<World, 'timers' | 'random'>;
}

/** @throws EventRecoveryError `NEWER_FORMAT` when a newer version of the project wrote it */
export function toDeadLetter(item: Record<string, unknown>): DeadLetter {
  readableFormat('dead letter', item.format, DEAD_LETTER_FORMAT);
  return item as unknown as DeadLetter;
}
