// How fast a full replay is, from its plan to its end, against the physical limit: bare paged Queries of the same streams, which
// only receive the items, in the same run. Both take turns, so that a machine that gets slower or faster does not count.
// What a stream costs by itself (its lease, its checkpoint, its row in the plan) is the same whatever its length: so the
// ratio is printed for streams of each length, with one event in a commit, as most applications append.

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createDynamo } from '../../platform/dynamodb/client.ts';
import { queryPages } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { History } from './fill-history.ts';
import { type BenchTables, createReplayUnderTest } from './replay-under-test.ts';
import type { BenchResult, ScenarioOutcome } from './scenario.ts';

/** Of a rebuild of streams of 1,000 events: there the events are nearly everything that is read and written. */
export const MIN_REPLAY_RATIO = 0.7;
/** As many streams at once as the consumer's engine works on. */
const QUERIES_AT_ONCE = 8;
const ROUNDS = 5;

const SHAPES: readonly (History & { what: string; isBound?: true })[] = [
  { what: 'streams of 1 event', streams: 1_000, commits: 1, events: 1 },
  { what: 'streams of 10 events', streams: 300, commits: 10, events: 1 },
  { what: 'streams of 100 events', streams: 100, commits: 100, events: 1 },
  { what: 'streams of 1,000 events', streams: 40, commits: 1_000, events: 1, isBound: true },
  { what: 'streams of 1,000 events in commits of 10', streams: 40, commits: 100, events: 10 },
];

export interface RateOptions {
  effort: number;
  progress(line: string): void;
  /** Tables without anything in them. */
  newTables(): Promise<BenchTables>;
}

export async function measureReplayRate(client: DynamoDBClient, options: RateOptions): Promise<ScenarioOutcome> {
  const outcome: ScenarioOutcome = { results: [], broken: [] };
  for (const shape of SHAPES) {
    const { what, isBound } = shape;
    const { results, rebuildRatio } = await measureShape(
      createDynamo(client),
      await options.newTables(),
      shape,
      options,
    );
    outcome.results.push(...results);
    if (!isBound || rebuildRatio >= MIN_REPLAY_RATIO) continue;
    outcome.broken.push(
      `a full replay of ${what} is ${rebuildRatio.toFixed(3)} of bare Queries, at least ${MIN_REPLAY_RATIO} is wanted`,
    );
  }
  return outcome;
}

async function measureShape(
  dynamo: Dynamo,
  tables: BenchTables,
  { what, streams, ...history }: (typeof SHAPES)[number],
  { effort, progress }: RateOptions,
): Promise<{ results: BenchResult[]; rebuildRatio: number }> {
  progress(what);
  const test = await createReplayUnderTest(dynamo, tables, { ...history, streams: Math.ceil(streams * effort) });
  const bareRate = () => rateOf(test.events, () => queryAll(dynamo, tables.eventsTable, test.streamIds));
  const kinds = {
    'a new consumer from event 1': { run: test.rebuild, rates: [] as number[], ratios: [] as number[] },
    'a rewind of everything': { run: test.rewind, rates: [] as number[], ratios: [] as number[] },
  };
  await test.rebuild();
  const bare = [await bareRate(), await bareRate()];
  for (let round = 0; round < Math.max(2, Math.round(ROUNDS * effort)); round += 1) {
    for (const kind of Object.values(kinds)) {
      const rate = await rateOf(test.events, kind.run);
      bare.push(await bareRate());
      kind.rates.push(rate);
      // Each of ours against the bare ones before and after it.
      kind.ratios.push(rate / (((bare.at(-1) as number) + (bare.at(-2) as number)) / 2));
    }
  }
  const common = { scenario: 'replay', unit: 'events/s' };
  const results: BenchResult[] = Object.entries(kinds).map(([kind, { rates, ratios }]) => ({
    ...common,
    metric: `${kind}, ${what}`,
    subject: 'ours',
    value: Math.round(median(rates)),
    ratioToLimit: Math.round(median(ratios) * 1_000) / 1_000,
  }));
  results.push({ ...common, metric: `bare Queries, ${what}`, subject: 'limit', value: Math.round(median(bare)) });
  return { results, rebuildRatio: median(kinds['a new consumer from event 1'].ratios) };
}

/** @returns how many items there were */
async function queryAll(dynamo: Dynamo, TableName: string, streamIds: readonly string[]): Promise<number> {
  const queue = [...streamIds];
  let items = 0;
  const worker = async (): Promise<void> => {
    for (let streamId = queue.shift(); streamId !== undefined; streamId = queue.shift()) {
      const pages = queryPages(dynamo, {
        TableName,
        KeyConditionExpression: 'streamId = :streamId',
        ExpressionAttributeValues: { ':streamId': streamId },
        ConsistentRead: true,
      });
      for await (const { Items = [] } of pages) items += Items.length;
    }
  };
  await Promise.all(Array.from({ length: QUERIES_AT_ONCE }, worker));
  return items;
}

/** Events per second. */
async function rateOf(events: number, work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return events / ((performance.now() - started) / 1_000);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
