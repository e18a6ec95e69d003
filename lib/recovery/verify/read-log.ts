// One pass over the log's pages, decoded here once more. Checks that positions follow each other without hole or overlap,
// and that each stream's commits stand in version order; collects the entries of the streams that are asked about.

import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { queryItems } from './read.ts';
import type { Violation } from './types.ts';

export interface SequencedCommit {
  version: number;
  count: number;
  position: number;
  types: string[];
  hashPrefix: string;
}

export interface LogPass {
  head: number;
  byStream: Map<string, SequencedCommit[]>;
  violations: Violation[];
}

/** `[stream, type or types, recordedAt - base, hash prefix]`, see docs/architecture.md. */
type CommitCode = [number, number | number[], number, string];

interface PageText {
  streams: [streamId: string, firstVersion: number, previousPosition: number][];
  types: string[];
  commits: CommitCode[];
}

/** None of a page that cannot be read: `readLog` tells of it. */
export function streamsOfPage(entries: unknown): string[] {
  try {
    return (JSON.parse(String(entries)) as PageText).streams.map(([streamId]) => streamId);
  } catch {
    return [];
  }
}

/** Positions in one partition of pages, see docs/architecture.md. */
const BUCKET_POSITIONS = 2 ** 20;
const PADDED_DIGITS = 16;

/**
 * Memory grows with the entries of the wanted streams, about 150 bytes each.
 * @param earlier a pass that the wanted streams were in: a page never changes, so that only what came since is read
 */
export async function readLog(
  dynamo: Dynamo,
  table: string,
  wanted: ReadonlySet<string>,
  earlier?: LogPass,
): Promise<LogPass> {
  const byStream = new Map<string, SequencedCommit[]>();
  const violations: Violation[] = [];
  const nextVersion = new Map<string, number>();
  let head = earlier?.head ?? 0;
  for (const streamId of wanted) {
    const known = earlier?.byStream.get(streamId);
    if (known !== undefined) byStream.set(streamId, [...known]);
  }

  const takePage = (first: number, last: number, entries: unknown): void => {
    if (first !== head + 1) {
      violations.push({ kind: 'log-order', detail: `a page begins at position ${first}, after position ${head}` });
    }
    const text = JSON.parse(String(entries)) as PageText;
    const versions = text.streams.map(([, version]) => version);
    let position = first;
    for (const [stream, typeCode, , hashPrefix] of text.commits) {
      const streamId = text.streams[stream]?.[0] as string;
      const version = versions[stream] as number;
      const types = [typeCode].flat().map((code) => text.types[code] as string);
      // Behind an earlier pass nothing is known of the other streams, and those in doubt are judged by their own entries.
      const expected = nextVersion.get(streamId) ?? (earlier ? version : 1);
      if (version !== expected) {
        violations.push({
          kind: 'log-order',
          streamId,
          version,
          detail: `the log holds version ${version} at position ${position} where version ${expected} should follow`,
        });
      }
      nextVersion.set(streamId, version + types.length);
      if (wanted.has(streamId)) {
        const list = byStream.get(streamId) ?? [];
        if (list.length === 0) byStream.set(streamId, list);
        list.push({ version, count: types.length, position, types, hashPrefix });
      }
      versions[stream] = version + types.length;
      position += types.length;
    }
    if (position - 1 !== last) {
      violations.push({
        kind: 'log-order',
        detail: `the page at ${first} should end at ${last}, its entries end at ${position - 1}`,
      });
    }
    head = Math.max(head, last);
  };

  // Bucket k + 1 is only used after bucket k, so the first empty one ends the log.
  const since = earlier && { name: 'sk', value: String(head + 1).padStart(PADDED_DIGITS, '0') };
  const firstBucket = Math.floor(head / BUCKET_POSITIONS);
  for (let bucket = firstBucket; ; bucket++) {
    let pages = 0;
    const key = { name: 'pk', value: `page#0#${bucket}` };
    for await (const page of queryItems(dynamo, table, key, bucket === firstBucket ? since : undefined)) {
      pages++;
      try {
        takePage(Number(page.firstPosition), Number(page.lastPosition), page.entries);
      } catch (error) {
        violations.push({ kind: 'log-unreadable', detail: `log page ${String(page.sk)}: ${String(error)}` });
        head = Math.max(head, Number(page.lastPosition) || head);
      }
    }
    if (pages === 0) break;
  }
  return { head, byStream, violations };
}
