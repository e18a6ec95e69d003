// Reads one stream and what the log knows of it, and surveys it. The log is read backwards only as far as the stored chain
// does not vouch for itself: a sound stream costs its own commits and one directory item.

import type { Log, LogEntry } from '../../flow/log/port.ts';
import { lastVersion } from '../../model/commit.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import type { StreamId } from '../../model/ids.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { RawItem } from './raw-item.ts';
import type { Survey } from './slots.ts';
import { type Expected, intactChain, surveyStream } from './survey.ts';

export interface LookDeps {
  dynamo: Pick<Dynamo, 'query'>;
  eventsTable: string;
  log: Pick<Log, 'directory' | 'streamEntriesBackwards'>;
}

/** Items of one stream in memory: 250,000 of 1 KB. */
const ITEMS_MAX = 250_000;

/**
 * Undefined: neither the store nor the log knows the stream.
 * @param moved hashes of commits that had to make way before: what was appended on them has to follow
 * @throws EventRecoveryError `STREAM_TOO_LONG`, `LOG_DAMAGED` when the log itself cannot say what belongs into the stream
 */
export async function lookAt(
  { dynamo, eventsTable, log }: LookDeps,
  streamId: StreamId,
  moved: ReadonlySet<string> = new Set(),
): Promise<Survey | undefined> {
  // The directory first: what is sequenced meanwhile was stored before that, so the items read after it have it.
  const head = (await log.directory([streamId])).get(streamId);
  const items: RawItem[] = [];
  for await (const item of queryAll(dynamo, {
    TableName: eventsTable,
    KeyConditionExpression: '#streamId = :streamId',
    ExpressionAttributeNames: { '#streamId': 'streamId' },
    ExpressionAttributeValues: { ':streamId': streamId },
    ConsistentRead: true,
  })) {
    if (typeof item.version !== 'number') throw strangeKey(streamId, item.version);
    items.push(item);
    if (items.length > ITEMS_MAX) throw tooLong(streamId);
  }
  if (head === undefined) {
    return items.length === 0 ? undefined : surveyStream(streamId, items, { sequenced: 0, entries: [] }, moved);
  }
  const entries = await entriesInDoubt(log, streamId, items, head);
  return surveyStream(streamId, items, { sequenced: head.version, entries }, moved);
}

async function entriesInDoubt(
  log: LookDeps['log'],
  streamId: StreamId,
  items: readonly RawItem[],
  head: { version: number; hashPrefix: string },
): Promise<Expected['entries']> {
  const chain = new Map(intactChain(items).map((link) => [link.version, link]));
  const isVouchedFor = (entry: Pick<LogEntry, 'version' | 'count' | 'hashPrefix'>): boolean => {
    const link = chain.get(entry.version);
    return link !== undefined && link.count === entry.count && link.hash.startsWith(entry.hashPrefix);
  };
  const last = [...chain.values()].find((link) => lastVersion(link) === head.version);
  if (last?.hash.startsWith(head.hashPrefix)) return [];
  const entries: LogEntry[] = [];
  let next = head.version + 1;
  for await (const entry of log.streamEntriesBackwards(streamId)) {
    // Sequenced after the directory was read.
    if (entry.version > head.version) continue;
    if (lastVersion(entry) !== next - 1) throw logDamaged(streamId, next - 1);
    if (isVouchedFor(entry)) return entries.reverse();
    entries.push(entry);
    next = entry.version;
  }
  if (next !== 1) throw logDamaged(streamId, next - 1);
  return entries.reverse();
}

/** A number beyond what JavaScript holds exactly: no version can be one. */
const strangeKey = (streamId: string, version: unknown): EventRecoveryError =>
  new EventRecoveryError(
    'KEY_NOT_A_VERSION',
    `stream "${streamId}" holds an item under version ${String(version)}, which no commit can have; remedy: keep a copy of it, remove it by hand (aws dynamodb delete-item), then plan again`,
    { facts: { streamId, version: String(version) } },
  );

const tooLong = (streamId: string): EventRecoveryError =>
  new EventRecoveryError(
    'STREAM_TOO_LONG',
    `stream "${streamId}" has more than ${ITEMS_MAX} items, more than fit into a restore's memory; remedy: restore its damaged commits by hand, see docs/recipes`,
    { facts: { streamId, allowed: ITEMS_MAX } },
  );

const logDamaged = (streamId: string, version: number): EventRecoveryError =>
  new EventRecoveryError(
    'LOG_DAMAGED',
    `the log has no entry for version ${version} of stream "${streamId}", so nobody can say what belongs there; remedy: repair the log first, see docs/operations/scrub.md`,
    { facts: { streamId, version } },
  );
