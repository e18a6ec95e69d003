// The judge, asked about a small system: everything is accounted for, digests are as recomputed from the store.

import { expect } from '@jest/globals';
import { verify } from '../../lib/recovery/verify/verify.ts';
import { type SmallSystem, TABLES } from './small-system.ts';

const tables = {
  events: TABLES.eventsTable,
  log: TABLES.logTable,
  checkpoints: TABLES.checkpointsTable,
  deadLetters: TABLES.deadLettersTable,
  recovery: TABLES.recoveryTable,
};

/** @param conservation what each consumer's events have become */
export async function expectProved(
  { dynamo, clock }: Pick<SmallSystem, 'dynamo' | 'clock'>,
  conservation: Record<string, number> = {},
): Promise<void> {
  const verdict = await verify({ dynamo, tables }, { now: clock.now(), quiet: true });
  expect(verdict.violations).toEqual([]);
  for (const consumer of verdict.consumers) {
    expect(consumer.conservation).toMatchObject({ gap: 0, lagging: 0, ...conservation });
  }
}
