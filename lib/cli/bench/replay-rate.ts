// How fast a full replay is, from its plan to its end, against bare paged Queries of the same streams, which only receive the
// items, in the same run: one after the other, as a script would read them, and eight at once, which is what this machine and
// its database can do at most. They take turns, so that a machine that gets slower or faster does not count.
// What a stream costs by itself (its lease, its checkpoint, its row in the plan) is the same whatever its length: so the
// ratio is printed for streams of each length, with one event in a commit, as most applications append.

import { queryPages } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { History } from './fill-history.ts';
import { type BenchTables, createReplayUnderTest, type WithDatabase } from './replay-under-test.ts';
import type { BenchResult, ScenarioOutcome } from './scenario.ts';

/** Of a rebuild of streams of 1,000 events, against bare Queries one after the other: there the events are nearly everything. */
export const MIN_REPLAY_RATIO = 0.7;
/**
 * The same against eight Queries at once. Client and database share two cores here, so this compares what both sides cost
 * them: a Query 13 + 26 us for each event, a rebuild 22 + 31 (docs/operations/replay.md). It keeps that from getting worse.
 */
export const MIN_RATIO_TO_MANY = 0.5;
/** As many streams at once as the consumer's engine works on. */
const QUERIES_AT_ONCE = 8;
const ROUNDS = 3;

const SHAPES: readonly (History & { what: string; isBound?: true })[] = [
  { what: 'streams of 1 event', streams: 1_000, commits: 1, events: 1 },
  { what: 'streams of 10 events', streams: 300, commits: 10, events: 1 },
  { what: 'streams of 100 events', streams: 100, commits: 100, events: 1 },
  { what: 'streams of 1,000 events', streams: 100, commits: 1_000, events: 1, isBound: true },
  { what: 'streams of 1,000 events in commits of 10', streams: 40, commits: 100, events: 10 },
];

export interface RateOptions {
  effort: number;
  progress(line: string): void;
  withDatabase: WithDatabase;
}

export async function measureReplayRate(options: RateOptions): Promise<ScenarioOutcome> {
  const outcome: ScenarioOutcome = { results: [], broken: [] };
  for (const shape of SHAPES) {
    const { what, isBound } = shape;
    const { results, rebuild } = await options.withDatabase((dynamo, tables) =>
      measureShape(dynamo, tables, shape, options),
    );
    outcome.results.push(...results);
    if (!isBound) continue;
    for (const [queries, ratio, least] of [
      ['one after the other', rebuild.toOne, MIN_REPLAY_RATIO],
      [`${QUERIES_AT_ONCE} at once`, rebuild.toMany, MIN_RATIO_TO_MANY],
    ] as const) {
      if (ratio >= least) continue;
      const sentence = `a full replay of ${what} is ${ratio.toFixed(3)} of bare Queries ${queries}`;
      outcome.broken.push(`${sentence}, at least ${least} is wanted`);
    }
  }
  return outcome;
}

interface Ratios {
  toOne: number;
  toMany: number;
}

async function measureShape(
  dynamo: Dynamo,
  tables: BenchTables,
  { what, streams, ...history }: (typeof SHAPES)[number],
  { effort, progress }: RateOptions,
): Promise<{ results: BenchResult[]; rebuild: Ratios }> {
  progress(what);
  const test = await createReplayUnderTest(dynamo, tables, { ...history, streams: Math.ceil(streams * effort) });
  const bare = (atOnce: number) => () => queryAll(dynamo, tables.eventsTable, test.streamIds, atOnce);
  const kinds = {
    one: { run: bare(1), rates: [] as number[] },
    rebuild: { run: test.rebuild, rates: [] as number[] },
    many: { run: bare(QUERIES_AT_ONCE), rates: [] as number[] },
    rewind: { run: test.rewind, rates: [] as number[] },
  };
  await test.rebuild();
  await bare(QUERIES_AT_ONCE)();
  for (let round = 0; round < Math.max(2, Math.round(ROUNDS * effort)); round += 1) {
    for (const { run, rates } of Object.values(kinds)) rates.push(await rateOf(test.events, run));
  }
  const one = median(kinds.one.rates);
  const many = median(kinds.many.rates);
  const common = { scenario: 'replay', unit: 'events/s' };
  const ours = (metric: string, rate: number, limit: number): BenchResult => ({
    ...common,
    metric,
    subject: 'ours',
    value: Math.round(rate),
    ratioToLimit: Math.round((rate / limit) * 1_000) / 1_000,
  });
  const results: BenchResult[] = (['rebuild', 'rewind'] as const).flatMap((kind) => {
    const rate = median(kinds[kind].rates);
    const name = kind === 'rebuild' ? 'a new consumer from event 1' : 'a rewind of everything';
    return [
      ours(`${name}, ${what}, to Queries one after the other`, rate, one),
      ours(`${name}, ${what}, to ${QUERIES_AT_ONCE} Queries at once`, rate, many),
    ];
  });
  const limit = (metric: string, rate: number): BenchResult => ({
    ...common,
    metric,
    subject: 'limit',
    value: Math.round(rate),
  });
  results.push(limit(`bare Queries one after the other, ${what}`, one));
  results.push(limit(`${QUERIES_AT_ONCE} bare Queries at once, ${what}`, many));
  const rate = median(kinds.rebuild.rates);
  return { results, rebuild: { toOne: rate / one, toMany: rate / many } };
}

/** @returns how many items there were */
async function queryAll(
  dynamo: Dynamo,
  TableName: string,
  streamIds: readonly string[],
  atOnce: number,
): Promise<number> {
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
  await Promise.all(Array.from({ length: atOnce }, worker));
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
