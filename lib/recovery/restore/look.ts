// Reads one stream and what the log knows of it, and surveys it. The log is read backwards only as far as the stored chain
// does not vouch for itself: a sound stream costs its own commits and one directory item.

import type { Log, LogEntry } from '../../flow/log/port.ts';
import { lastVersion } from '../../model/commit.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import type { StreamId } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { createReads } from '../scrub/reads.ts';
import { type KnownHead, knownHead } from './known-head.ts';
import type { RawItem } from './raw-item.ts';
import type { Survey } from './slots.ts';
import { type Expected, intactChain, surveyStream } from './survey.ts';

export interface LookDeps {
  dynamo: Pick<Dynamo, 'scan' | 'query' | 'get' | 'batchGet'>;
  eventsTable: string;
  logTable: string;
  log: Pick<Log, 'head' | 'pages' | 'streamEntriesBackwards'>;
  world: Pick<World, 'clock' | 'timers' | 'random'>;
}

/** Items of one stream in memory: 250,000 of 1 KB. */
const ITEMS_MAX = 250_000;

/**
 * Undefined: neither the store nor the log knows the stream.
 * @param moved hashes of commits that had to make way before: what was appended on them has to follow
 * @param isDoubted the log is searched for the stream, although its directory item seems to fit
 * @throws EventRecoveryError `STREAM_TOO_LONG`, `LOG_DAMAGED` when the log itself cannot say what belongs into the stream
 */
export async function lookAt(
  { dynamo, eventsTable, logTable, log, world }: LookDeps,
  streamId: StreamId,
  moved: ReadonlySet<string> = new Set(),
  isDoubted = false,
): Promise<Survey | undefined> {
  // The directory first: what is sequenced meanwhile was stored before that, so the items read after it have it.
  const reads = createReads({ dynamo, eventsTable, logTable, world, spent: () => undefined });
  const headItem = (await reads.heads([streamId])).get(streamId);
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
  if (items.length === 0 && headItem === undefined) return undefined;
  const { head, directory } = await knownHead(
    { log, reads, now: world.clock.now(), isDoubted },
    streamId,
    headItem,
    items,
  );
  const expected: Expected =
    head === undefined
      ? { sequenced: 0, entries: [] }
      : { sequenced: head.version, entries: await entriesInDoubt(log, streamId, items, head) };
  return { ...surveyStream(streamId, items, expected, moved), ...(directory && { directory }) };
}

async function entriesInDoubt(
  log: Pick<Log, 'streamEntriesBackwards'>,
  streamId: StreamId,
  items: readonly RawItem[],
  head: NonNullable<KnownHead['head']>,
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
  for await (const entry of log.streamEntriesBackwards(streamId, head.position)) {
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
