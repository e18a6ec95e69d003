// Reads events in the order of the log: the log names the commits, the Events table has their bodies. A commit that the log
// names and that is not there, or is another one, is damage and an error; it is never passed over.

import { type Commit, lastVersion } from '../../model/commit.ts';
import { StreamDamagedError } from '../../model/errors.ts';
import type { Event } from '../../model/event.ts';
import type { Position } from '../../model/ids.ts';
import type { Log, LogEntry } from '../log/port.ts';
import type { CommitTable } from './commit-table.ts';
import { readFailure } from './failures.ts';
import { verifyCommit } from './hash.ts';

/** Commits fetched at once: one BatchGetItem. */
const COMMITS_AT_ONCE = 100;
/**
 * Stored bytes of one answer; when they are exceeded it ends early, with at least one event. It keeps 1,000 commits of
 * 400 KB from filling a function's memory: 16 MB is what one BatchGetItem can bring.
 */
const MAX_STORED_BYTES = 16 * 1024 * 1024;

export async function readAll(
  { table, log }: { table: Pick<CommitTable, 'getMany'>; log: Pick<Log, 'pages'> },
  { from, batchSize }: { from: Position; batchSize: number },
): Promise<Event[]> {
  const events: Event[] = [];
  const entries = await entriesAfter(log, from, batchSize).catch((error) => {
    throw readFailure(error, 'the log');
  });
  let bytes = 0;
  for (let start = 0; start < entries.length && bytes < MAX_STORED_BYTES; start += COMMITS_AT_ONCE) {
    const wanted = entries.slice(start, start + COMMITS_AT_ONCE);
    const stored = await table.getMany(wanted);
    const byKey = new Map(stored.map((commit) => [keyOf(commit), commit]));
    for (const entry of wanted) {
      const found = byKey.get(keyOf(entry));
      if (found === undefined) throw damaged(entry, 'no such commit is stored');
      const commit = verifyCommit(found);
      checkEntry(entry, commit);
      events.push(...withPositions(commit, entry, from));
      bytes += found.events.length;
    }
  }
  return events.slice(0, batchSize);
}

/** Entries with positions after `from`, until they hold `count` of them. */
async function entriesAfter(log: Pick<Log, 'pages'>, from: Position, count: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const page of log.pages(from)) {
    for (const entry of page.entries) {
      if (entry.position > from + count) return entries;
      if (entry.position + entry.count - 1 > from) entries.push(entry);
    }
    if (page.lastPosition >= from + count) return entries;
  }
  return entries;
}

const withPositions = (commit: Commit, entry: LogEntry, from: Position): Event[] =>
  commit.events
    .map((event, index): Event => {
      const position = (entry.position + index) as Position;
      return { ...event, metadata: { ...event.metadata, position } };
    })
    .slice(Math.max(0, from + 1 - entry.position));

function checkEntry(entry: LogEntry, commit: Commit): void {
  if (!commit.hash.startsWith(entry.hashPrefix)) {
    throw damaged(entry, `its hash is ${commit.hash}, the log has ${entry.hashPrefix}`);
  }
  if (commit.count !== entry.count || commit.recordedAt !== entry.recordedAt) {
    throw damaged(entry, `it holds versions up to ${lastVersion(commit)}, the log has ${entry.count} events`);
  }
}

const damaged = (entry: LogEntry, what: string): StreamDamagedError =>
  new StreamDamagedError(entry.streamId, entry.version, `log position ${entry.position}: ${what}`);

const keyOf = ({ streamId, version }: { streamId: string; version: number }): string => `${version} ${streamId}`;
