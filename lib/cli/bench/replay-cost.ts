// What a full replay consumes per event, on the memory engine, which counts units as AWS does: for long streams and for short ones.

import { countUnits } from '../../platform/dynamodb/count-units.ts';
import { createMemoryDynamo } from '../../platform/dynamodb/memory/index.ts';
import { ALL_TABLES } from '../../platform/dynamodb/schemas.ts';
import { createWorld } from '../../platform/world.ts';
import type { History } from './fill-history.ts';
import { createReplayUnderTest } from './replay-under-test.ts';
import type { BenchResult, ScenarioOutcome } from './scenario.ts';

const TABLES = {
  eventsTable: 'Events',
  logTable: 'Log',
  checkpointsTable: 'Checkpoints',
  deadLettersTable: 'DeadLetters',
  idempotencyTable: 'Idempotency',
  recoveryTable: 'Recovery',
};

const CASES: readonly [string, History][] = [
  ['streams of 1 event', { streams: 200, commits: 1, events: 1 }],
  ['streams of 10 events', { streams: 90, commits: 10, events: 1 }],
  ['streams of 100 events', { streams: 40, commits: 100, events: 1 }],
  ['streams of 1,000 events', { streams: 10, commits: 1_000, events: 1 }],
  ['streams of 1,000 events in commits of 10', { streams: 20, commits: 100, events: 10 }],
];

export async function measureReplayCost(progress: (line: string) => void): Promise<ScenarioOutcome> {
  const results: BenchResult[] = [];
  for (const [what, history] of CASES) {
    progress(`units, ${what}`);
    const memory = createMemoryDynamo({ clock: createWorld().clock, tables: ALL_TABLES });
    const { dynamo, take } = countUnits(memory);
    const test = await createReplayUnderTest(dynamo, TABLES, history);
    await test.rebuild();
    take();
    await test.rewind();
    const units = take();
    for (const [unit, value] of [
      ['RCU', units.read],
      ['WCU', units.write],
    ] as const) {
      const metric = `full replay, plan included, per event, ${what}`;
      results.push({
        scenario: 'replay',
        subject: 'ours',
        metric,
        unit,
        value: Math.round((value / test.events) * 1_000) / 1_000,
      });
    }
  }
  return { results, broken: [] };
}
