// The relay believes the stream directory. When that has lost a stream, or fell behind the log, commits that are sequenced would get
// a second position. A commit that is new to the directory although it was recorded long ago is therefore looked for in the pages of
// that time. An up-to-date relay never meets one: the check costs nothing then.
//
// Its bound: a commit is found when it was sequenced within minutes of being recorded. What was sequenced later, in an outage, is not;
// the scrub finds it.

import type { Commit } from '../../model/commit.ts';
import { isEventRecoveryError } from '../../model/errors.ts';
import type { LogEntry, LogPage } from '../log/port.ts';
import type { RelayDependencies } from './dependencies.ts';
import { type Damage, type Gathered, gatherCommits } from './gather.ts';

/** The relay needs seconds: an hour is an outage, or a directory that forgot. */
const LONG_AGO_MS = 60 * 60_000;
/** A relay's clock may be behind the producer's by so much. */
const BEFORE_MS = 10_000;
/** Far less than LONG_AGO_MS: what another relay sequences at this moment is not taken for old. */
const AFTER_MS = 15 * 60_000;
/** 16 in a request: 16 requests. */
const PAGES_MAX = 256;

/** What the log does not have yet; nothing when the directory turns out to be behind the log. */
export async function gatherUnsequenced(
  deps: Pick<RelayDependencies, 'log' | 'source' | 'verify' | 'world'>,
  input: Omit<Parameters<typeof gatherCommits>[0], 'source' | 'verify'>,
): Promise<Gathered> {
  const { source, verify } = deps;
  const gathered = await gatherCommits({ ...input, source, verify });
  const [first] = gathered.commits;
  if (first === undefined || deps.world.clock.now() - first.recordedAt <= LONG_AGO_MS) return gathered;
  const entry = await entryOfThatTime(deps.log, first);
  if (entry === undefined) return gathered;
  return { commits: [], backfilled: gathered.backfilled, damages: [...gathered.damages, behindLog(first, entry)] };
}

async function entryOfThatTime(log: RelayDependencies['log'], commit: Commit): Promise<LogEntry | undefined> {
  try {
    return await entrySince(log, commit);
  } catch (error) {
    // A damaged page says nothing about this stream, and must not stop it.
    if (isEventRecoveryError(error) && !error.retryable) return undefined;
    throw error;
  }
}

async function entrySince(log: RelayDependencies['log'], commit: Commit): Promise<LogEntry | undefined> {
  const from = await firstPositionSince(log, commit.recordedAt - BEFORE_MS);
  for await (const { entries, sequencedAt } of log.pages(from - 1, { maxPages: PAGES_MAX })) {
    if (sequencedAt > commit.recordedAt + AFTER_MS) return undefined;
    const entry = entries.find(
      ({ streamId, version, count }) => streamId === commit.streamId && version + count - 1 >= commit.version,
    );
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/** Binary search: pages are written one after the other, so that their times hardly ever go back. */
async function firstPositionSince(log: RelayDependencies['log'], sinceMs: number): Promise<number> {
  let low = 1;
  let high = (await log.head()) + 1;
  while (low < high) {
    const page = await pageAt(log, Math.floor((low + high) / 2));
    if (page === undefined) return high;
    if (page.sequencedAt >= sinceMs) high = page.firstPosition;
    else low = page.lastPosition + 1;
  }
  return low;
}

async function pageAt(log: RelayDependencies['log'], position: number): Promise<LogPage | undefined> {
  for await (const page of log.pages(position - 1, { maxPages: 1 })) return page;
  return undefined;
}

const behindLog = ({ version }: Commit, entry: LogEntry): Damage => ({
  kind: 'directory-behind-log',
  version,
  detail: `the log holds version ${entry.version} at position ${entry.position}, which the stream directory does not know; nothing is sequenced until a restore has put it right`,
});
