// What one append costs, counted in requests and capacity units by DynamoDB itself: for commits of several sizes, and at the
// end of short and of very long streams, with a known head and in a process that has just started.

import { createEventStore } from '../../flow/event-store/event-store.ts';
import { COMMIT_MAX_EVENTS } from '../../flow/event-store/limits.ts';
import type { EventStore } from '../../flow/event-store/port.ts';
import type { NewEvent } from '../../model/event.ts';
import { itemSize } from '../../platform/dynamodb/memory/size.ts';
import type { Item } from '../../platform/dynamodb/memory/values.ts';
import type { Counted, CountingDynamo } from './counting-dynamo.ts';
import { benchEvents } from './events.ts';
import type { BenchResult, ScenarioOutcome } from './scenario.ts';

const SCENARIO = 'append';
/** Appends that are averaged. */
const SAMPLES = 20;
export const STREAM_LENGTHS = [10, 1_000, 100_000] as const;

interface CostBench {
  dynamo: CountingDynamo;
  eventsTable: string;
  logTable: string;
  progress(line: string): void;
}

const newStore = ({ dynamo, eventsTable, logTable }: CostBench): EventStore =>
  createEventStore({ dynamo, eventsTable, logTable });

/** One request and ceil(stored KB) units, whatever the number of events. */
export async function measureUnits(bench: CostBench): Promise<ScenarioOutcome> {
  const results: BenchResult[] = [];
  const broken: string[] = [];
  for (const [events, bytes] of [
    [1, 300],
    [10, 300],
    [100, 300],
    [1, 27_000],
    [1, 300_000],
  ] as const) {
    const what = `commit of ${events} x ${bytes} bytes`;
    bench.progress(`units of a ${what}`);
    const store = newStore(bench);
    const streamId = `units-${events}-${bytes}`;
    let version = 0;
    ({ version } = await store.append(streamId, benchEvents(events, bytes, 'first'), version));
    bench.dynamo.take();
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      ({ version } = await store.append(streamId, benchEvents(events, bytes, `s${sample}`), version));
    }
    const { requests, writeUnits, readUnits } = bench.dynamo.take();
    const allRequests = Object.values(requests).reduce((sum, count) => sum + count, 0);
    const storedUnits = await storedWriteUnits(bench, streamId);
    if (allRequests !== SAMPLES || requests.put !== SAMPLES || readUnits !== 0) {
      broken.push(`${what}: ${allRequests / SAMPLES} requests an append, allowed is 1`);
    }
    if (writeUnits !== storedUnits) {
      broken.push(`${what}: ${writeUnits} units for ${SAMPLES} appends, allowed are ${storedUnits}`);
    }
    results.push(
      ...ratio(`requests, ${what}`, 'requests', allRequests / SAMPLES, 1),
      ...ratio(`write units, ${what}`, 'WCU', writeUnits / SAMPLES, storedUnits / SAMPLES),
      {
        scenario: SCENARIO,
        subject: 'ours',
        metric: `write units per event, ${what}`,
        unit: 'WCU',
        value: writeUnits / SAMPLES / events,
      },
    );
  }
  return { results, broken };
}

/** ceil(KB) of the sampled items, counted from what is stored and not from what was sent. */
async function storedWriteUnits({ dynamo, eventsTable }: CostBench, streamId: string): Promise<number> {
  let units = 0;
  let start: Record<string, unknown> | undefined;
  do {
    const page = await dynamo.query({
      TableName: eventsTable,
      KeyConditionExpression: 'streamId = :streamId',
      ExpressionAttributeValues: { ':streamId': streamId },
      ConsistentRead: true,
      ExclusiveStartKey: start,
    });
    for (const item of page.Items ?? []) if (item.version !== 1) units += Math.ceil(itemSize(item as Item) / 1_024);
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  dynamo.take();
  return units;
}

/** The same append at the end of streams of different lengths costs the same. */
export async function measureLengths(bench: CostBench): Promise<ScenarioOutcome> {
  const outcome: ScenarioOutcome = { results: [], broken: [] };
  const costs = new Map<string, string>();
  for (const length of STREAM_LENGTHS) {
    bench.progress(`cost at the end of a stream of ${length} events`);
    const streamId = `length-${length}`;
    const store = newStore(bench);
    let version = 0;
    // The last commits have one event each, so that the commit that a cold append reads has the same size everywhere.
    const single = Math.min(10, length);
    while (version < length - single) {
      const count = Math.min(COMMIT_MAX_EVENTS, length - single - version);
      ({ version } = await store.append(streamId, smallEvents(count, version), version));
    }
    while (version < length) ({ version } = await store.append(streamId, benchEvents(1, 300, `e${version}`), version));
    for (const known of [true, false]) {
      bench.dynamo.take();
      for (let sample = 0; sample < SAMPLES; sample += 1) {
        const appender = known ? store : newStore(bench);
        ({ version } = await appender.append(streamId, benchEvents(1, 300, `${known}${sample}`), version));
      }
      const counted = bench.dynamo.take();
      const where = known ? 'known head' : 'cold process';
      outcome.results.push(...lengthResults(`${where}, stream of ${length} events`, counted));
      const cost = JSON.stringify(counted);
      const before = costs.get(where);
      if (before !== undefined && before !== cost) {
        outcome.broken.push(`${where}: cost at ${length} events is ${cost}, at fewer events it is ${before}`);
      }
      costs.set(where, cost);
    }
  }
  return outcome;
}

const smallEvents = (count: number, version: number): NewEvent[] =>
  Array.from({ length: count }, (_, index) => ({ id: `e${version + index}`, type: 'T', data: 1 }));

const lengthResults = (where: string, { requests, writeUnits, readUnits }: Counted): BenchResult[] => {
  const ours = (metric: string, unit: string, value: number): BenchResult => ({
    scenario: SCENARIO,
    subject: 'ours',
    metric: `${metric}, ${where}`,
    unit,
    value,
  });
  return [
    ours('write requests', 'requests', requests.put / SAMPLES),
    ours('read requests', 'requests', (requests.get + requests.query + requests.batchGet) / SAMPLES),
    ours('write units', 'WCU', writeUnits / SAMPLES),
    ours('read units', 'RCU', readUnits / SAMPLES),
  ];
};

const ratio = (metric: string, unit: string, value: number, limit: number): BenchResult[] => [
  { scenario: SCENARIO, subject: 'ours', metric, unit, value, ratioToLimit: value / limit },
  { scenario: SCENARIO, subject: 'limit', metric, unit, value: limit },
];
