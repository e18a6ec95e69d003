// The history of a table: its DynamoDB stream, read from the beginning. DynamoDB Local cuts creation times to the minute, so
// a poller notes when it saw which record first; that is a write's time here, at most one poll late. The records themselves
// stay in the stream: nothing is kept twice, and writes that pass no gateway are in it too.

import { setTimeout as sleep } from 'node:timers/promises';
import { isPriming } from '../engines/priming.ts';
import type { IteratorPosition, StreamsClient } from '../mappings/streams-client.ts';
import type { Change, WireItem } from './timeline.ts';

export interface Recorder {
  /** When the recording began: the earliest time that can be asked for. */
  since: number;
  /** Everything that was written until now, in order. */
  changes(): Promise<Change[]>;
  stop(): void;
}

export interface RecorderOptions {
  client: StreamsClient;
  /** As the engine calls it. */
  streamArn: string;
  now(): number;
  warn(text: string): void;
}

const POLL_MS = 250;
const GET_RECORDS_MAX = 1_000;
/** Reads in one go: 100 million records. */
const READS_MAX = 100_000;

/** DynamoDB Local refuses numbers of another length than its own. */
const SEQUENCE_DIGITS = 21;

/** Up to this record of its shard, everything was written at `at` or before. */
interface Mark {
  at: number;
  sequence: bigint;
}

export function startRecorder({ client, streamArn, now, warn }: RecorderOptions): Recorder {
  const marks = new Map<string, Mark[]>();
  const iterators = new Map<string, string | undefined>();
  let isOver = false;
  let turn: Promise<void> = Promise.resolve();

  /** Notes the time of every record that is new. */
  async function look(): Promise<void> {
    for (const { ShardId } of await client.shards(streamArn)) {
      if (!iterators.has(ShardId)) iterators.set(ShardId, await client.iterator(streamArn, ShardId, after(ShardId)));
      for (let reads = 0; reads < READS_MAX; reads += 1) {
        const iterator = iterators.get(ShardId);
        if (iterator === undefined) break;
        const { records, next } = await client.records(iterator, GET_RECORDS_MAX);
        iterators.set(ShardId, next);
        const last = records.at(-1)?.dynamodb?.SequenceNumber;
        if (last === undefined) break;
        const ofShard = marks.get(ShardId) ?? [];
        ofShard.push({ at: now(), sequence: BigInt(last) });
        marks.set(ShardId, ofShard);
      }
    }
  }

  const after = (shardId: string): IteratorPosition => {
    const last = marks.get(shardId)?.at(-1)?.sequence;
    if (last === undefined) return { ShardIteratorType: 'TRIM_HORIZON' };
    return { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: String(last).padStart(SEQUENCE_DIGITS, '0') };
  };

  /** One after the other: an iterator belongs to one reader. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };

  void (async () => {
    while (!isOver) {
      try {
        await inTurn(look);
      } catch (error) {
        if (!isOver) warn(`history of ${streamArn}: ${(error as Error).message}`);
        iterators.clear();
      }
      await sleep(POLL_MS, undefined, { ref: false });
    }
  })();

  return {
    since: now(),
    stop: () => {
      isOver = true;
    },
    async changes() {
      await inTurn(look);
      const changes: Change[] = [];
      for (const { ShardId } of await client.shards(streamArn)) {
        changes.push(...(await changesOf(client, streamArn, ShardId, marks.get(ShardId) ?? [])));
      }
      return changes.sort((a, b) => a.at - b.at);
    },
  };
}

async function changesOf(
  client: StreamsClient,
  streamArn: string,
  shardId: string,
  marks: readonly Mark[],
): Promise<Change[]> {
  const changes: Change[] = [];
  let place = 0;
  let iterator: string | undefined = await client.iterator(streamArn, shardId, { ShardIteratorType: 'TRIM_HORIZON' });
  for (let reads = 0; reads < READS_MAX && iterator !== undefined; reads += 1) {
    const answer: Awaited<ReturnType<StreamsClient['records']>> = await client.records(iterator, GET_RECORDS_MAX);
    if (answer.records.length === 0) break;
    for (const { dynamodb } of answer.records) {
      const sequence = BigInt(dynamodb?.SequenceNumber ?? 0);
      while (place < marks.length && (marks[place] as Mark).sequence < sequence) place += 1;
      const mark = marks[place];
      // Written after the last look: the next question will have it.
      if (mark === undefined) return changes;
      const { Keys, NewImage } = (dynamodb ?? {}) as { Keys?: WireItem; NewImage?: WireItem };
      if (Keys === undefined || isPriming(Keys)) continue;
      changes.push({ at: mark.at, keys: Keys, ...(NewImage && { image: NewImage }) });
    }
    iterator = answer.next;
  }
  return changes;
}
