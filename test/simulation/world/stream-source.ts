// The event source mapping between a DynamoDB stream and the relay, with AWS's rules: one shard in order (of the same item
// only), a batch is retried from its lowest failed record, then given up to the on-failure destination; records are
// trimmed after 24 h. Faults shuffle, repeat, double and lose what it delivers.
// Source: AWS Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB", "Configuring partial batch response".

import { createPrng } from '../kernel/prng.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Trace } from '../kernel/trace.ts';
import type { Faults } from './faults.ts';
import type { InvocationEnd, LambdaFunction } from './lambda.ts';
import { readAnswer } from './queue-source.ts';

export interface StreamRecord {
  dynamodb: { SequenceNumber: string };
}

export interface StreamEvent<Record extends StreamRecord> {
  Records: Record[];
}

export interface StreamSourceSettings<Record extends StreamRecord> {
  seed: number;
  batchSize: number;
  batchWindowMs: number;
  /** Tries of one batch before it is given up. */
  maxRetries: number;
  /** Records beginning with the one after `after` (a count), and when each was written. */
  read: (after: number, limit: number) => { record: Record; writtenAt: number }[];
  /** Lambda writes what it gave up to S3, records included. */
  onFailure: (records: Record[]) => void;
  /** A record was trimmed before anybody read it. */
  onTrimmed: (record: Record) => void;
  /** The function is done with a record. */
  onDone: (record: Record) => void;
}

export interface StreamSource {
  /** The stream has something new. */
  notify(): void;
  /** End of the outage of the relay; in the past when there is none. */
  downUntil(): number;
  /** Age of the oldest record that was not worked off; 0 = there is none. AWS calls it iterator age. */
  lagMs(): number;
}

const TRIMMED_AFTER_MS = 24 * 3_600_000;
const OUTAGE_MS = 25 * 3_600_000;
/** Lambda waits longer and longer before it retries a batch. */
const retryDelayMs = (tries: number): number => Math.min(30_000, 500 * 2 ** tries);
const SHUFFLE_WINDOW = 8;

export function connectStream<Record extends StreamRecord>(
  scheduler: Scheduler,
  faults: Faults,
  trace: Trace,
  target: LambdaFunction<StreamEvent<Record>>,
  settings: StreamSourceSettings<Record>,
): StreamSource {
  const choices = createPrng(settings.seed, 'stream-source');
  /** Read from the shard and not yet delivered, in delivery order. */
  let buffer: { record: Record; writtenAt: number }[] = [];
  let readUpTo = 0;
  let inFlight = false;
  let planned = false;
  let downUntil = 0;
  /** When the oldest record of the batch in flight was written. */
  let inFlightSince: number | undefined;

  const fill = (): void => {
    const found = settings.read(readUpTo, settings.batchSize * 2);
    readUpTo += found.length;
    if (found.length > 1 && faults.strikes('swapped-records', 'shard')) {
      const prng = faults.details('swapped-records');
      for (let start = 0; start < found.length; start += SHUFFLE_WINDOW) {
        found.splice(start, SHUFFLE_WINDOW, ...prng.shuffle(found.slice(start, start + SHUFFLE_WINDOW)));
      }
    }
    buffer.push(...found);
  };

  const takeBatch = (): Record[] => {
    const oldest = scheduler.now() - TRIMMED_AFTER_MS;
    const batch: Record[] = [];
    inFlightSince = buffer[0]?.writtenAt;
    for (const { record, writtenAt } of buffer.splice(0, settings.batchSize)) {
      if (writtenAt > oldest) batch.push(record);
      else settings.onTrimmed(record);
    }
    return batch;
  };

  const plan = (delayMs: number): void => {
    if (planned || inFlight) return;
    planned = true;
    scheduler.at(Math.max(scheduler.now() + delayMs, downUntil), () => {
      planned = false;
      poll();
    });
  };

  const poll = (): void => {
    if (inFlight) return;
    if (faults.strikes('stream-trim', 'shard')) {
      downUntil = scheduler.now() + OUTAGE_MS;
      plan(0);
      return;
    }
    if (faults.strikes('trim-horizon', 'shard')) {
      readUpTo = 0;
      buffer = [];
    }
    if (buffer.length < settings.batchSize) fill();
    const isEmpty = buffer.length === 0;
    const batch = takeBatch();
    if (batch.length > 0) deliver(batch, 0);
    else if (!isEmpty) plan(0);
  };

  const deliver = (batch: Record[], tries: number): void => {
    inFlight = true;
    if (faults.strikes('two-relays', 'shard')) invokeAside(batch, faults.details('two-relays').int(0, 30));
    target.invoke({ Records: batch }, (end) => {
      const left = unfinished(batch, end);
      for (const record of batch.slice(0, batch.length - left.length)) settings.onDone(record);
      if (left.length === 0) {
        if (faults.strikes('duplicate-stream-batch', 'shard')) {
          invokeAside(batch, faults.details('duplicate-stream-batch').int(0, 20_000));
        }
        finish();
        return;
      }
      const gaveUp = tries >= settings.maxRetries || faults.strikes('stream-give-up', 'shard');
      if (gaveUp) {
        trace.note('stream-source', `gives up ${left.length} records`);
        settings.onFailure(left);
        finish();
        return;
      }
      scheduler.after(retryDelayMs(tries) + choices.int(0, 200), () => deliver(left, tries + 1));
    });
  };

  const invokeAside = (batch: Record[], delayMs: number): void => {
    scheduler.after(delayMs, () => target.invoke({ Records: [...batch] }, () => undefined));
  };

  const finish = (): void => {
    inFlight = false;
    plan(choices.int(1, 50));
  };

  return {
    notify: () => plan(settings.batchWindowMs + choices.int(5, 100)),
    downUntil: () => downUntil,
    lagMs: () => {
      const times = [
        inFlight ? inFlightSince : undefined,
        buffer[0]?.writtenAt,
        settings.read(readUpTo, 1)[0]?.writtenAt,
      ].filter((writtenAt) => writtenAt !== undefined);
      return times.length === 0 ? 0 : Math.max(0, scheduler.now() - Math.min(...times));
    },
  };
}

/** From the lowest failed record on. */
function unfinished<Record extends StreamRecord>(batch: Record[], end: InvocationEnd): Record[] {
  if (end.kind === 'failed') return batch;
  const numbers = batch.map(({ dynamodb }) => dynamodb.SequenceNumber);
  const result = readAnswer(end.value, new Set(numbers));
  if (result.kind === 'failed') return batch;
  if (result.kind === 'succeeded') return [];
  return batch.slice(numbers.findIndex((number) => result.ids.has(number)));
}
