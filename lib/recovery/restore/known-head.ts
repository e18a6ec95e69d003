// How far the log has a stream, also when the stream directory has lost it or says something else. The log has no index by stream:
// only where the directory does not fit are its pages searched, from the time at which the stream's last commit was recorded.

import type { Log, LogEntry } from '../../flow/log/port.ts';
import { type Commit, lastVersion } from '../../model/commit.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import type { StreamId } from '../../model/ids.ts';
import { SEQUENCING_GRACE_MS } from '../scrub/decide-unsequenced.ts';
import { judgeHead, type LogAnswer, parseHead, type SequencedHead } from '../scrub/head.ts';
import type { Reads } from '../scrub/reads.ts';
import { firstPositionSince } from '../scrub/search-log.ts';
import { digestOf, type RawItem } from './raw-item.ts';
import type { DirectoryRepair, Survey } from './slots.ts';
import { wholeCommit } from './survey.ts';

export interface HeadDeps {
  log: Pick<Log, 'head' | 'pages'>;
  reads: Pick<Reads, 'logAt' | 'pageAt'>;
  now: number;
  /** Somebody says that the directory is behind the log, which stream and directory alone may not show. */
  isDoubted: boolean;
}

export interface KnownHead {
  /** Absent: the log does not know the stream. */
  head?: Pick<DirectoryRepair, 'version' | 'position' | 'hashPrefix'>;
  directory?: Survey['directory'];
}

/** Pages of at most 64 KB, 16 in a request: 12,500 requests, minutes. */
const PAGES_MAX = 200_000;
/** Clocks of producers and relays may differ by minutes: failures are tried up to 5 minutes. */
const SKEW_MS = 15 * 60_000;

/**
 * @param item the stream's directory item, read before the stream was
 * @param items everything that is stored under the stream's id, ascending
 * @throws EventRecoveryError `DIRECTORY_DAMAGED`, `LOG_DAMAGED`, `LOG_TOO_LONG`
 */
export async function knownHead(
  deps: HeadDeps,
  streamId: StreamId,
  item: RawItem | undefined,
  items: readonly RawItem[],
): Promise<KnownHead> {
  const parsed = item && parseHead(item);
  const said = parsed === undefined || 'problem' in parsed ? undefined : parsed;
  const answer = said && (await deps.reads.logAt(said.position));
  // Where the log cannot be asked it is the log that is damaged; then the directory is all that is known.
  const isRight =
    judgeHead(streamId, item, answer).kind !== 'damaged' ||
    (said !== undefined && isLogsFault(streamId, said, answer, items));
  const trusted = isRight ? (said?.version ?? 0) : 0;
  const beyond = items.filter(({ version }) => Number(version) > trusted).flatMap((each) => wholeCommit(each) ?? []);
  const [first] = beyond;
  // The relay needs seconds: what it has not sequenced after a quarter of an hour it may have sequenced, and the directory lost it.
  // Where nothing that is whole says when it was recorded, a directory that knows the stream is believed, and none is not.
  const isFresh =
    first === undefined ? items.length === 0 || said !== undefined : deps.now - first.recordedAt <= SEQUENCING_GRACE_MS;
  const right: KnownHead = said === undefined ? {} : { head: said };
  if (isRight && isFresh && !deps.isDoubted) return right;
  const whole = beyond.length > 0 ? beyond : items.flatMap((each) => wholeCommit(each) ?? []);
  const found = await lastEntry(deps, streamId, timesOf(whole, isRight && whole.length > 0));
  if (found === undefined) {
    if (isRight) return right;
    throw directoryDamaged(streamId);
  }
  const { entry, sequencedAt } = found;
  const head = { version: lastVersion(entry), position: entry.position as number, hashPrefix: entry.hashPrefix };
  if (isRight && head.version <= trusted) return right;
  const repair = { ...head, updatedAt: sequencedAt, ...(item !== undefined && { seenDigest: digestOf(item) }) };
  return { head, directory: { repair, ...(item !== undefined && { seen: item }) } };
}

/** The place is right, the log's hash is another one, and the store has what the directory says. */
function isLogsFault(
  streamId: StreamId,
  said: SequencedHead,
  answer: LogAnswer | undefined,
  items: readonly RawItem[],
): boolean {
  if (answer?.kind !== 'entry') return false;
  const { entry } = answer;
  const isPlace =
    entry.streamId === streamId && entry.position === said.position && lastVersion(entry) === said.version;
  if (!isPlace || entry.hashPrefix === said.hashPrefix) return false;
  const item = items.find(({ version }) => version === entry.version);
  return (item && wholeCommit(item))?.hash.startsWith(said.hashPrefix) === true;
}

/** Its last entry is not older than its last commit; when that one was not sequenced, one before it was. */
function timesOf(whole: readonly Commit[], isEnough: boolean): number[] {
  const times = [whole.at(-1), whole[0]].flatMap((commit) => (commit === undefined ? [] : [commit.recordedAt]));
  return [...new Set(isEnough ? times : [...times, 0])];
}

/** Each time is an earlier one. Searched up to the end of the log: the last entry is the one that counts. */
async function lastEntry(
  deps: HeadDeps,
  streamId: StreamId,
  times: readonly number[],
): Promise<{ entry: LogEntry; sequencedAt: number } | undefined> {
  for (const time of times) {
    const start = await firstPositionSince(deps.reads, time - SKEW_MS, await deps.log.head());
    if (start === undefined) throw unreadable(streamId);
    let found: { entry: LogEntry; sequencedAt: number } | undefined;
    let pages = 0;
    for await (const { entries, sequencedAt } of deps.log.pages(start - 1)) {
      pages += 1;
      if (pages > PAGES_MAX) throw tooLong(streamId);
      const entry = entries.findLast((each) => each.streamId === streamId);
      if (entry !== undefined) found = { entry, sequencedAt };
    }
    if (found !== undefined) return found;
  }
  return undefined;
}

const directoryDamaged = (streamId: string): EventRecoveryError =>
  new EventRecoveryError(
    'DIRECTORY_DAMAGED',
    `the directory item of stream "${streamId}" is garbage, and the log has no entry of the stream; remedy: keep a copy of the item, remove it by hand (aws dynamodb delete-item), then plan again`,
    { facts: { streamId } },
  );

const unreadable = (streamId: string): EventRecoveryError =>
  new EventRecoveryError(
    'LOG_DAMAGED',
    `the directory does not know how far stream "${streamId}" was sequenced, and a page of the log cannot be read; remedy: repair the log first, see docs/operations/scrub.md`,
    { facts: { streamId } },
  );

const tooLong = (streamId: string): EventRecoveryError =>
  new EventRecoveryError(
    'LOG_TOO_LONG',
    `the directory does not know how far stream "${streamId}" was sequenced, and the log has more than ${PAGES_MAX} pages since its last commit; remedy: rebuild the item by hand, see docs/runbooks`,
    { facts: { streamId, allowed: PAGES_MAX } },
  );
