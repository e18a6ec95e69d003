// How the streams of a large verification are put into batches: in the order of their ids, each in exactly one. Pure.

/** What one invocation verifies. A stream with more events than that is a batch of its own. */
export interface BatchBounds {
  streams: number;
  events: number;
}

/**
 * A batch has 15 minutes (Lambda quotas). With 20 consumers 10,000 streams are 10,000 queries and 2,100 requests for a hundred items
 * each: about half a minute; four looks, with the questions to the consumers, fit. The log's entries of a million events are
 * about 150 MB of its memory.
 */
export const BATCH_BOUNDS: BatchBounds = { streams: 10_000, events: 1_000_000 };

/** Stream id and the version that the directory had when it was listed. */
export type BatchEntry = readonly [streamId: string, version: number];

/** @example batchesOf([['a', 3], ['b', 9]], { streams: 10, events: 10 }) // [[['a', 3]], [['b', 9]]] */
export function batchesOf(streams: Iterable<BatchEntry>, bounds: BatchBounds): BatchEntry[][] {
  const batches: BatchEntry[][] = [];
  let batch: BatchEntry[] = [];
  let events = 0;
  for (const entry of streams) {
    const [, version] = entry;
    if (batch.length > 0 && (batch.length >= bounds.streams || events + version > bounds.events)) {
      batches.push(batch);
      batch = [];
      events = 0;
    }
    batch.push(entry);
    events += version;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
