// How fast a full replay is, against the physical limit: bare paged Queries of the same streams, which only receive the items, in the
// same run. Both take turns, so that a machine that gets slower or faster does not count.

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createDynamo } from '../../platform/dynamodb/client.ts';
import { queryPages } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { type BenchTables, createReplayUnderTest } from './replay-under-test.ts';
import type { ScenarioOutcome } from './scenario.ts';

export const MIN_REPLAY_RATIO = 0.7;
/** As many streams at once as the consumer's engine works on. */
const QUERIES_AT_ONCE = 8;
const ROUNDS = 7;

export async function measureReplayRate(
  client: DynamoDBClient,
  tables: BenchTables,
  { effort, progress }: { effort: number; progress(line: string): void },
): Promise<ScenarioOutcome> {
  const dynamo = createDynamo(client);
  // Streams of a thousand events: with short ones a replay's cost is its streams', which the units below tell.
  const history = { streams: Math.max(8, Math.round(40 * effort)), commits: 100, events: 10 };
  progress(`${history.streams} streams of ${history.commits * history.events} events`);
  const test = await createReplayUnderTest(dynamo, tables, history);
  await test.replayAll('resume');
  await queryAll(dynamo, tables.eventsTable, test.streamIds);
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < Math.max(3, Math.round(ROUNDS * effort)); round += 1) {
    progress(`round ${round + 1}`);
    bare.push(test.events / (await secondsOf(() => queryAll(dynamo, tables.eventsTable, test.streamIds))));
    ours.push(test.events / (await secondsOf(() => test.replayAll('rewind'))));
  }
  bare.push(test.events / (await secondsOf(() => queryAll(dynamo, tables.eventsTable, test.streamIds))));
  // Each of ours against the bare ones before and after it.
  const ratio = median(ours.map((rate, index) => rate / (((bare[index] as number) + (bare[index + 1] as number)) / 2)));
  const common = { scenario: 'replay', metric: 'full replay of streams of 1,000 events', unit: 'events/s' };
  const results = [
    { ...common, subject: 'ours', value: Math.round(median(ours)), ratioToLimit: Math.round(ratio * 1_000) / 1_000 },
    { ...common, subject: 'limit', value: Math.round(median(bare)) },
  ];
  const broken =
    ratio < MIN_REPLAY_RATIO
      ? [`a full replay is ${ratio.toFixed(3)} of bare Queries, at least ${MIN_REPLAY_RATIO} is wanted`]
      : [];
  return { results, broken };
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

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1_000;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
