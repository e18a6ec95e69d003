// What a consumer's bookkeeping costs for each stream of a batch: checkpoint and lease, and the markers of idempotent
// consumers. What the consumer itself writes is not counted.

import { type ConsumerUnderTest, createConsumerUnderTest } from './consumer-under-test.ts';
import { benchEvents } from './events.ts';
import type { BenchResult, ScenarioOutcome } from './scenario.ts';

interface Case {
  name: string;
  effects: 'transactional' | 'idempotent';
  groupCommits?: boolean;
  events: number;
  /** Deliver everything a second time, and count that. */
  again?: boolean;
  /** Absent: reported only. */
  limit?: number;
}

/** Three units are one to take the lease and two for the transaction; two are one for each end of the lease. */
const CASES: readonly Case[] = [
  { name: 'transactional, 1 event', effects: 'transactional', events: 1, limit: 3 },
  { name: 'transactional, 10 events in a group', effects: 'transactional', groupCommits: true, events: 10, limit: 3 },
  { name: 'transactional, 10 events one by one', effects: 'transactional', events: 10 },
  { name: 'idempotent, 1 event', effects: 'idempotent', events: 1, limit: 2 + 2 },
  { name: 'idempotent, 10 events', effects: 'idempotent', events: 10, limit: 2 + 2 * 10 },
  { name: 'transactional, 1 event delivered again', effects: 'transactional', events: 1, again: true },
  { name: 'idempotent, 10 events delivered again', effects: 'idempotent', events: 10, again: true },
];

/** Streams of one batch, and batches one after the other, so that checkpoints are new and old. */
const STREAMS = 10;
const BATCHES = 5;

export async function measureConsumerCost(progress: (line: string) => void): Promise<ScenarioOutcome> {
  const results: BenchResult[] = [];
  const broken: string[] = [];
  for (const one of CASES) {
    progress(`bookkeeping: ${one.name}`);
    const value = await unitsPerStream(one);
    const figure = { scenario: 'consumer', metric: `bookkeeping per stream and batch, ${one.name}`, unit: 'WCU' };
    const { limit } = one;
    results.push({ ...figure, subject: 'ours', value, ...(limit !== undefined && { ratioToLimit: value / limit }) });
    if (limit === undefined) continue;
    results.push({ ...figure, subject: 'limit', value: limit });
    if (value > limit) broken.push(`${one.name} costs ${value} WCU per stream and batch; limit ${limit}`);
  }
  return { results, broken };
}

async function unitsPerStream({ effects, groupCommits = false, events, again = false }: Case): Promise<number> {
  const consumer = createConsumerUnderTest({ effects, groupCommits });
  let units = 0;
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const messages = await appendBatch(consumer, batch, events);
    consumer.capacity.take();
    await handle(consumer, messages);
    if (again) {
      consumer.capacity.take();
      await handle(consumer, messages);
    }
    const { Checkpoints = 0, Idempotency = 0 } = consumer.capacity.take();
    units += Checkpoints + Idempotency;
  }
  for (let stream = 0; stream < STREAMS; stream += 1) {
    const version = await consumer.version(streamName(stream));
    if (version !== BATCHES * events) throw new Error(`the consumer is at version ${version} of ${BATCHES * events}`);
  }
  return units / (STREAMS * BATCHES);
}

/** An id as long as real ones: prefix and UUID. */
const streamName = (stream: number): string => `order-6f9619ff-8b86-d011-b42d-00cf4fc964${10 + stream}`;

async function appendBatch({ store, delivery }: ConsumerUnderTest, batch: number, events: number) {
  const messages = [];
  for (let stream = 0; stream < STREAMS; stream += 1) {
    const id = streamName(stream);
    const before = batch * events;
    await store.append(id, benchEvents(events, 300, `b${batch}`), before);
    for (let version = before + 1; version <= before + events; version += 1) messages.push(await delivery(id, version));
  }
  return messages;
}

async function handle({ engine }: ConsumerUnderTest, messages: Awaited<ReturnType<typeof appendBatch>>): Promise<void> {
  const endsInMs = 60_000;
  const { failedMessageIds } = await engine.handleBatch(messages, { remainingMs: () => endsInMs, requestId: 'bench' });
  if (failedMessageIds.length > 0) throw new Error(`${failedMessageIds.length} messages failed`);
}
