// The DynamoDB stream poller of Lambda: reads every shard in order, parents before children, spreads records over lanes
// by item key, and retries, bisects or gives up as the mapping says. A shard does not move on before its records are
// done or given up.
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Destinations } from '../bus/destinations.ts';
import { matches, type Pattern } from '../bus/pattern.ts';
import { isPriming } from '../engines/priming.ts';
import type { LambdaFunction } from '../functions/lambda-function.ts';
import { type FailureFacts, failureKey, failureRecord, type StreamRecord } from './failure-record.ts';
import { createGate, type Mapping } from './mapping.ts';
import { batchResult } from './partial-batch.ts';
import {
  afterInvocation,
  expired,
  type InvocationResult,
  lanesOf,
  type Segment,
  type StreamSettings,
} from './stream-batch.ts';
import type { IteratorPosition, Shard, StreamsClient } from './streams-client.ts';

export interface StreamMappingOptions {
  id: string;
  lambda: LambdaFunction;
  client: StreamsClient;
  /** As the template calls it; records carry it. */
  streamArn: string;
  /** As the engine calls it. */
  engineStreamArn: string;
  startingPosition: 'TRIM_HORIZON' | 'LATEST';
  batchSize: number;
  windowSeconds: number;
  parallelization: number;
  reportBatchItemFailures: boolean;
  filters: readonly Pattern[];
  /** Injected: the function never gets this record. */
  isLost(record: StreamRecord): boolean;
  settings: StreamSettings;
  onFailureArn?: string;
  destinations: Destinations;
  /** What goes wrong outside of an invocation. */
  warn(text: string): void;
}

/** AWS polls four times a second; here a little more often, because a person waits. */
const IDLE_POLL_MS = 100;
const SHARD_REFRESH_MS = 10_000;
const GET_RECORDS_MAX = 1_000;
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 5_000;
const THROTTLED_RETRY_MS = 200;

export function createStreamMapping(options: StreamMappingOptions): Mapping {
  const { lambda, client, settings } = options;
  const gate = createGate();
  let inFlight = 0;
  const known = new Map<string, Promise<void>>();

  const invoke = async (records: readonly StreamRecord[]): Promise<InvocationResult> => {
    const payload = JSON.stringify({ Records: records });
    let outcome = await lambda.invoke(payload);
    while (outcome.kind === 'throttled' && !gate.ended) {
      await sleep(THROTTLED_RETRY_MS);
      outcome = await lambda.invoke(payload);
    }
    if (outcome.kind !== 'done') return { kind: 'failed' };
    if (!options.reportBatchItemFailures) return { kind: 'succeeded' };
    const numbers = records.map((record) => String(record.dynamodb?.SequenceNumber));
    const result = batchResult(outcome.payload, new Set(numbers));
    if (result.kind !== 'partly-failed') return result;
    // The lowest failed record is the checkpoint: everything from there on is delivered again.
    const from = numbers.findIndex((number) => result.ids.has(number));
    return from === 0 ? { kind: 'failed' } : { kind: 'failed-from', from };
  };

  const giveUp = async (
    shardId: string,
    records: readonly StreamRecord[],
    invocations: number,
    condition: FailureFacts['condition'],
  ): Promise<void> => {
    if (records.length === 0 || options.onFailureArn === undefined) return;
    const at = new Date();
    const withPayload = options.onFailureArn.startsWith('arn:aws:s3:');
    const requestId = randomUUID();
    const facts = {
      functionArn: lambda.spec.arn,
      streamArn: options.streamArn,
      shardId,
      records,
      invocations,
      condition,
      requestId,
      at,
      withPayload,
    };
    const key = failureKey(options.id, shardId, at, randomUUID());
    await options.destinations.send(options.onFailureArn, JSON.stringify(failureRecord(facts)), { key });
  };

  const deliverLane = async (shardId: string, records: readonly StreamRecord[]): Promise<void> => {
    const open: Segment<StreamRecord>[] = batches(records, options.batchSize);
    inFlight += 1;
    try {
      await deliverAll(shardId, open);
    } finally {
      inFlight -= 1;
    }
  };

  const deliverAll = async (shardId: string, open: Segment<StreamRecord>[]): Promise<void> => {
    while (open.length > 0 && !gate.ended) {
      const { fresh, old } = expired(open.shift() as Segment<StreamRecord>, ageSeconds, settings);
      await giveUp(shardId, old, fresh.invocations, 'RecordAgeExceeded');
      if (fresh.records.length === 0) continue;
      const result = await invoke(fresh.records);
      // A function that ends because the system stops is not a failed attempt.
      if (gate.ended) return;
      const next = afterInvocation(fresh, result, settings);
      if (next.discarded)
        await giveUp(shardId, next.discarded.records, next.discarded.invocations, 'RetryAttemptsExhausted');
      open.unshift(...next.segments);
      const failures = next.segments[0]?.failures ?? 0;
      if (failures > 0) await sleep(Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_MAX_MS));
    }
  };

  const readShard = async (shardId: string, start: IteratorPosition): Promise<void> => {
    let position = start;
    let iterator: string | undefined;
    while (await gate.pass()) {
      try {
        iterator ??= await client.iterator(options.engineStreamArn, shardId, position);
        const limit = Math.min(options.batchSize * options.parallelization, GET_RECORDS_MAX);
        const read = await client.records(iterator, limit);
        const until = Date.now() + options.windowSeconds * 1_000;
        while (
          read.records.length > 0 &&
          read.records.length < limit &&
          Date.now() < until &&
          read.next !== undefined
        ) {
          await sleep(IDLE_POLL_MS);
          const more = await client.records(read.next, limit - read.records.length);
          read.records.push(...more.records);
          read.next = more.next;
        }
        const wanted = read.records.map(withSource).filter(isWanted);
        await Promise.all(lanesOf(wanted, keyOf, options.parallelization).map((lane) => deliverLane(shardId, lane)));
        const last = read.records.at(-1)?.dynamodb?.SequenceNumber;
        if (last !== undefined) position = { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: last };
        if (read.next === undefined) return;
        iterator = read.next;
        if (read.records.length === 0) await sleep(IDLE_POLL_MS);
      } catch (error) {
        if (gate.ended) return;
        const code = (error as { code?: string }).code;
        if (code === 'TrimmedDataAccessException') position = { ShardIteratorType: 'TRIM_HORIZON' };
        else if (code !== 'ExpiredIteratorException') options.warn(`${options.streamArn}: ${(error as Error).message}`);
        iterator = undefined;
        await sleep(RETRY_FIRST_MS);
      }
    }
  };

  const withSource = (record: StreamRecord): StreamRecord => ({ ...record, eventSourceARN: options.streamArn });
  const isWanted = (record: StreamRecord): boolean =>
    !isPriming(record.dynamodb?.Keys) &&
    !options.isLost(record) &&
    (options.filters.length === 0 || options.filters.some((filter) => matches(filter, record)));

  /** Starts what is new. A child waits for its parent; shards that appear later are read from their beginning. */
  const follow = (shards: readonly Shard[], first: boolean): void => {
    for (const shard of inFamilyOrder(shards)) {
      if (known.has(shard.ShardId)) continue;
      const parent = known.get(shard.ParentShardId ?? '') ?? Promise.resolve();
      const type = first ? options.startingPosition : 'TRIM_HORIZON';
      const reading = parent.then(() => readShard(shard.ShardId, { ShardIteratorType: type }));
      known.set(shard.ShardId, reading);
    }
  };

  const discover = async (): Promise<void> => {
    let first = true;
    while (!gate.ended) {
      try {
        follow(await client.shards(options.engineStreamArn), first);
        first = false;
        await sleep(SHARD_REFRESH_MS, undefined, { ref: false });
      } catch (error) {
        if (gate.ended) return;
        options.warn(`${options.streamArn}: ${(error as Error).message}`);
        await sleep(RETRY_FIRST_MS);
      }
    }
  };

  return {
    id: options.id,
    functionName: lambda.spec.name,
    sourceArn: options.streamArn,
    get inFlight() {
      return inFlight;
    },
    start: () => void discover(),
    async pause() {
      gate.close();
      while (inFlight > 0) await sleep(20);
    },
    resume: () => gate.open(),
    stop: () => gate.end(),
  };
}

function batches(records: readonly StreamRecord[], size: number): Segment<StreamRecord>[] {
  const segments: Segment<StreamRecord>[] = [];
  for (let at = 0; at < records.length; at += size)
    segments.push({ records: records.slice(at, at + size), failures: 0, invocations: 0 });
  return segments;
}

const keyOf = (record: StreamRecord): string => JSON.stringify(record.dynamodb?.Keys ?? null);

const ageSeconds = (record: StreamRecord): number =>
  Date.now() / 1_000 - (record.dynamodb?.ApproximateCreationDateTime ?? Date.now() / 1_000);

/** Parents before children. */
function inFamilyOrder(shards: readonly Shard[]): Shard[] {
  const byId = new Map(shards.map((shard) => [shard.ShardId, shard]));
  const ordered = new Set<Shard>();
  const visit = (shard: Shard): void => {
    const parent = byId.get(shard.ParentShardId ?? '');
    if (parent && !ordered.has(parent)) visit(parent);
    ordered.add(shard);
  };
  for (const shard of shards) visit(shard);
  return [...ordered];
}
