// How fast appends are, against the physical limit: a bare conditional PutItem of the same bytes into the same table, in the
// same run. Both take turns in short rounds, and each round of ours is compared with the bare rounds beside it, so that a
// machine that gets slower or faster does not count. Events (ours) and marshalled items (bare) are made before the clock runs.

import { type DynamoDBClient, PutItemCommand, type PutItemCommandInput } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { checkAppend } from '../../flow/event-store/check-input.ts';
import { createEventStore } from '../../flow/event-store/event-store.ts';
import { newCommit, prepareAppend } from '../../flow/event-store/new-commit.ts';
import { GENESIS_HASH } from '../../model/commit.ts';
import type { NewEvent } from '../../model/event.ts';
import type { Version } from '../../model/ids.ts';
import { benchEvents } from './events.ts';
import type { ScenarioOutcome } from './scenario.ts';

/** Checks, coding and hashing may take 15 % on top of a write that DynamoDB Local answers in well under a millisecond. */
export const MIN_RATE_RATIO = 0.85;
/** DynamoDB Local needs about this long until its code is compiled. */
const WARM_UP_MS = 10_000;
const ROUNDS = 40;
/** Short rounds, so that what else the machine does falls on both sides alike. */
const COMMITS_A_ROUND = 320;
const IN_FLIGHT = 16;
/** Each worker appends to its own streams in turn. */
const STREAMS_A_WORKER = 4;

interface RateBench {
  client: DynamoDBClient;
  eventsTable: string;
  logTable: string;
  effort: number;
  progress(line: string): void;
}

/** Appends one commit of `worker`. */
type Appender = (worker: number) => Promise<void>;

export async function measureRate(bench: RateBench): Promise<ScenarioOutcome> {
  const outcome: ScenarioOutcome = { results: [], broken: [] };
  for (const [events, bytes] of [
    [1, 300],
    [10, 300],
  ] as const) {
    const what = `commits of ${events} x ${bytes} bytes, ${IN_FLIGHT} in flight`;
    bench.progress(`rate of ${what}`);
    const { ours, bare, ratio } = await compare(bench, events, bytes);
    const common = { scenario: 'append', metric: `rate of ${what}`, unit: 'commits/s' };
    outcome.results.push(
      { ...common, subject: 'ours', value: ours, ratioToLimit: ratio },
      { ...common, subject: 'limit', value: bare },
    );
    if (ratio < MIN_RATE_RATIO) {
      outcome.broken.push(
        `rate of ${what} is ${ratio.toFixed(3)} of a bare PutItem, at least ${MIN_RATE_RATIO} is wanted`,
      );
    }
  }
  return outcome;
}

async function compare(bench: RateBench, events: number, bytes: number) {
  const rounds = Math.max(2, Math.round(ROUNDS * bench.effort));
  const commits = Math.max(IN_FLIGHT, Math.round(COMMITS_A_ROUND * Math.min(1, bench.effort)));
  const ours = await oursSide(bench, events, bytes);
  const bare = bareSide(bench, events, bytes);
  const rateOf = (side: Side) => measure(side.prepare(commits), commits);
  const warmUpEnd = performance.now() + WARM_UP_MS * bench.effort;
  do {
    await rateOf(ours);
    await rateOf(bare);
  } while (performance.now() < warmUpEnd);

  const bareRates = [await rateOf(bare)];
  const oursRates: number[] = [];
  const ratios: number[] = [];
  for (let index = 0; index < rounds; index += 1) {
    const rate = await rateOf(ours);
    oursRates.push(rate);
    bareRates.push(await rateOf(bare));
    ratios.push(rate / (((bareRates[index] as number) + (bareRates[index + 1] as number)) / 2));
  }
  return { ours: median(oursRates), bare: median(bareRates), ratio: median(ratios) };
}

interface Side {
  /** Everything that a producer would have in its hands already; its time does not count. */
  prepare(commits: number): Appender;
}

/** Our append, with heads that the process knows. */
async function oursSide({ client, eventsTable, logTable }: RateBench, events: number, bytes: number): Promise<Side> {
  const store = createEventStore({ client, eventsTable, logTable });
  const heads = Array.from({ length: IN_FLIGHT * STREAMS_A_WORKER }, (_, stream) => ({
    streamId: streamIdOf('ours', events, 0, stream),
    version: 0,
  }));
  let appended = 0;
  const next = (): NewEvent[] => {
    appended += 1;
    return eventsOf(events, bytes, appended);
  };
  // The first append of a stream reads; it is not what is measured.
  for (const head of heads) ({ version: head.version } = await store.append(head.streamId, next(), 0));
  return {
    prepare(commits) {
      const given = Array.from({ length: commits }, next);
      return async (worker) => {
        const head = heads[worker * STREAMS_A_WORKER + (given.length % STREAMS_A_WORKER)] as (typeof heads)[number];
        ({ version: head.version } = await store.append(head.streamId, given.pop() as NewEvent[], head.version));
      };
    },
  };
}

/** Bare puts of items that our own code made, with the same condition. */
function bareSide({ client, eventsTable }: RateBench, events: number, bytes: number): Side {
  let round = 0;
  const inputOf = (index: number): PutItemCommandInput => {
    const streamId = streamIdOf('bare', events, round, index % (IN_FLIGHT * STREAMS_A_WORKER));
    const prepared = prepareAppend(checkAppend(streamId, eventsOf(events, bytes, index), 'any'));
    const place = { version: (index * events + 1) as Version, recordedAt: Date.now(), previousHash: GENESIS_HASH };
    return {
      TableName: eventsTable,
      Item: marshall(newCommit(prepared, place)),
      ConditionExpression: 'attribute_not_exists(#version)',
      ExpressionAttributeNames: { '#version': 'version' },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    };
  };
  return {
    prepare(commits) {
      round += 1;
      const inputs = Array.from({ length: commits }, (_, index) => inputOf(index));
      return async () => {
        await client.send(new PutItemCommand(inputs.pop() as PutItemCommandInput));
      };
    },
  };
}

/** The same length on both sides. */
const streamIdOf = (side: 'ours' | 'bare', events: number, group: number, stream: number): string =>
  `${side}-${events}-${String(group).padStart(6, '0')}-${String(stream).padStart(3, '0')}`;

const eventsOf = (events: number, bytes: number, index: number): NewEvent[] =>
  benchEvents(events, bytes, `event-${String(index).padStart(8, '0')}`);

async function measure(append: Appender, commits: number): Promise<number> {
  let left = commits;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async (_, worker) => {
      while (left > 0) {
        left -= 1;
        await append(worker);
      }
    }),
  );
  return commits / ((performance.now() - started) / 1_000);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
