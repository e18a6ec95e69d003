// Which streams there are to be verified: every one that store, directory or log know, each with the version that the directory
// has.

import { inParallel } from './in-parallel.ts';
import type { LookDeps } from './look.ts';
import { scanItems } from './read.ts';
import { streamsOfPage } from './read-log.ts';

/** Stream id -> version in the directory; 0 when the directory does not know the stream. */
export type Streams = ReadonlyMap<string, number>;

/**
 * The keys of the Events table are read in so many parts at once: a part is as slow as one answer of 1 MB after the other.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.ParallelScan
 */
const SEGMENTS = 8;

/**
 * In the order of their ids. A stream whose items all vanished is found by the directory; one that the directory has lost as
 * well, by the log; one that was never sequenced only by its items, so the Events table is read for it, too.
 */
export async function listStreams({ dynamo, tables }: LookDeps, prefix = ''): Promise<Streams> {
  const found = new Map<string, number>();
  const addUnlessKnown = (streamId: string): void => {
    if (streamId.startsWith(prefix) && !found.has(streamId)) found.set(streamId, 0);
  };
  const attributes = ['pk', 'sk', 'version', 'entries'];
  for await (const { pk, sk, version, entries } of scanItems(dynamo, tables.log, { attributes })) {
    const key = String(pk);
    if (key.startsWith('page#')) for (const streamId of streamsOfPage(entries)) addUnlessKnown(streamId);
    if (sk === 'head' && key.startsWith(`stream#${prefix}`)) found.set(key.slice('stream#'.length), Number(version));
  }
  const segments = Array.from({ length: SEGMENTS }, (_, segment) => ({ segment, of: SEGMENTS }));
  await inParallel(segments, SEGMENTS, async (part) => {
    for await (const { streamId } of scanItems(dynamo, tables.events, { attributes: ['streamId'], part }))
      addUnlessKnown(String(streamId));
  });
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}
