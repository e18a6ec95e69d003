// Entries to put into a log, and short ways to do it.

import { HASH_PREFIX_LENGTH, type UnplacedEntry } from '../../../lib/flow/log/pages.ts';
import type { DirectoryEntry, Log, LogPage } from '../../../lib/flow/log/port.ts';
import type { Position, StreamId, Version } from '../../../lib/model/ids.ts';

export function entry(
  streamId: string,
  version: number,
  options: { count?: number; types?: string[]; recordedAt?: number } = {},
): UnplacedEntry {
  const count = options.count ?? options.types?.length ?? 1;
  return {
    streamId: streamId as StreamId,
    version: version as Version,
    count,
    recordedAt: options.recordedAt ?? 1_700_000_000_000 + version,
    types: options.types ?? Array.from({ length: count }, () => 'Happened'),
    hashPrefix: `${streamId}@${version}`.padEnd(HASH_PREFIX_LENGTH, '0').slice(0, HASH_PREFIX_LENGTH),
  };
}

/** Sequences the entries as one page where the log stands now. */
export async function put(log: Log, entries: readonly UnplacedEntry[], sequencedAt = 1): Promise<LogPage> {
  const expected = await log.directory([...new Set(entries.map(({ streamId }) => streamId))]);
  const result = await log.sequence({ head: await log.head(), entries, expected, sequencedAt });
  if (result.kind !== 'sequenced') throw new Error('lost a race that nobody else ran');
  return result.page;
}

export const position = (number: number): Position => number as Position;
export const id = (text: string): StreamId => text as StreamId;
export const nothing: ReadonlyMap<StreamId, DirectoryEntry> = new Map();

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
