// Sound commits as records of the DynamoDB stream, for benchmarks of the relay: one event each, stream ids of 48 bytes.

import { hashCommit } from '../../flow/event-store/hash.ts';
import { COMMIT_FORMAT, GENESIS_HASH, type StoredCommit } from '../../model/commit.ts';
import type { StreamId, Version } from '../../model/ids.ts';

/** The limits on the relay's cost hold for ids up to this length. */
const ID_BYTES = 48;

/** Gives the next `count` records of its streams, round robin, each going on where the stream ended. */
export type RecordSource = (count: number) => unknown[];

/** @param reader tells the streams of one relay from those of the others */
export function createRecordSource(reader: number, streams: number): RecordSource {
  const heads = Array.from({ length: streams }, () => ({ version: 0, hash: GENESIS_HASH }));
  let next = 0;
  return (count) =>
    Array.from({ length: count }, () => {
      const index = next % streams;
      const head = heads[index] as { version: number; hash: string };
      const stored = oneEvent(`bench-${reader}-${index}-`.padEnd(ID_BYTES, 'x'), head.version + 1, head.hash);
      heads[index] = { version: stored.version, hash: stored.hash };
      next += 1;
      return recordOf(stored, next);
    });
}

function oneEvent(streamId: string, version: number, previousHash: string): StoredCommit {
  const whole: Omit<StoredCommit, 'hash'> = {
    streamId: streamId as StreamId,
    version: version as Version,
    count: 1,
    events: JSON.stringify([{ id: `${version}`, type: 'OrderPlaced', data: { sku: 'A1', quantity: 2 } }]),
    encoding: 'json',
    format: COMMIT_FORMAT,
    recordedAt: 1_767_225_600_000 + version,
    previousHash,
  };
  return { ...whole, hash: hashCommit(whole) };
}

const recordOf = (stored: StoredCommit, sequence: number) => ({
  eventName: 'INSERT',
  dynamodb: {
    Keys: { streamId: { S: stored.streamId }, version: { N: String(stored.version) } },
    NewImage: Object.fromEntries(
      Object.entries(stored).map(([name, value]) => [
        name,
        typeof value === 'number' ? { N: String(value) } : { S: value },
      ]),
    ),
    SequenceNumber: String(sequence).padStart(21, '0'),
  },
});
