// Gives verified commits their positions, page by page. A lost race looks at the page that won, or reads head and directory
// again, drops what the faster relay has sequenced, and rebuilds only the page; the number of lost races in a row is
// bounded. Pages are handed out as soon as they are written, so that they are published before the next one is built.

import type { Commit } from '../../model/commit.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import type { Position, StreamId } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { entriesOfOnePage, HASH_PREFIX_LENGTH, PAGE_MAX_STREAMS, type UnplacedEntry } from '../log/pages.ts';
import type { DirectoryEntry, Log, LogPage } from '../log/port.ts';

/**
 * Lost races in a row before the batch gives up. With 16 relays that always want the head, one try wins with 1/16: 128
 * tries fail together with (15/16)^128 = 0.03 %, after about 3 s, and then the batch is only retried.
 */
export const LOST_RACES_MAX = 128;
/** After so many lost races head and directory are read again, instead of going from one winner's page to the next. */
const READ_AGAIN_AFTER = 4;
/** Bound of the random wait after a lost race; about one transaction, so that the winner of a tie does not win again. */
const LOST_RACE_WAIT_MS = 20;
/** Commits that a page could hold at most, looked at when a page is cut. */
const PAGE_WINDOW = 2_000;

export type SequencedPart =
  | { kind: 'page'; page: LogPage; commits: readonly Commit[]; writeMs: number }
  /** Somebody else has sequenced these meanwhile. `sequenced` = the directory as it is now, `left` = commits still to place. */
  | { kind: 'known'; streamId: StreamId; commits: readonly Commit[]; sequenced: DirectoryEntry; left: number }
  | { kind: 'lost-race' };

export interface Sequencer {
  log: Pick<Log, 'head' | 'directory' | 'sequence'>;
  world: Pick<World, 'clock' | 'timers' | 'random'>;
}

/**
 * @param commits in the order of their positions; those of one stream contiguous from `directory` on
 * @param directory is kept up to date
 */
export async function* sequenceCommits(
  { log, world }: Sequencer,
  commits: readonly Commit[],
  directory: Map<StreamId, DirectoryEntry>,
): AsyncGenerator<SequencedPart> {
  let left = commits;
  let head = await log.head({ cached: true });
  let lostRaces = 0;
  while (left.length > 0) {
    const window = left.slice(0, PAGE_WINDOW);
    const entries = window.map(entryOf);
    const count = entriesOfOnePage(entries, { maxStreams: PAGE_MAX_STREAMS });
    const startedAt = world.clock.now();
    const result = await log.sequence({
      head,
      entries: entries.slice(0, count),
      expected: directory,
      sequencedAt: startedAt,
    });
    const writeMs = world.clock.now() - startedAt;
    if (result.kind === 'sequenced') {
      lostRaces = 0;
      head = result.page.lastPosition;
      for (const [streamId, moved] of headsIn(result.page)) directory.set(streamId, moved);
      yield { kind: 'page', page: result.page, commits: left.slice(0, count), writeMs };
      left = left.slice(count);
      continue;
    }
    lostRaces += 1;
    if (lostRaces >= LOST_RACES_MAX) throw lost(head);
    yield { kind: 'lost-race' };
    const streamIds = new Set(window.slice(0, count).map(({ streamId }) => streamId));
    let moved: ReadonlyMap<StreamId, DirectoryEntry>;
    if (result.winner !== undefined && lostRaces % READ_AGAIN_AFTER !== 0) {
      head = result.winner.lastPosition;
      moved = headsIn(result.winner);
    } else {
      // Far behind, or unlucky: a random pause lets the relays that follow each other at one distance fall apart.
      await world.timers.sleep(Math.ceil(world.random.next() * LOST_RACE_WAIT_MS));
      [head, moved] = await Promise.all([log.head(), log.directory([...streamIds])]);
    }
    for (const [streamId, sequenced] of moved) {
      if (!streamIds.has(streamId)) continue;
      // The page that won may be older than the directory that was read: the head that this process remembers may be.
      if ((directory.get(streamId)?.version ?? 0) >= sequenced.version) continue;
      directory.set(streamId, sequenced);
      const ours = left.filter((commit) => commit.streamId === streamId);
      const known = ours.filter((commit) => commit.version <= sequenced.version);
      if (known.length === 0) continue;
      const rest = continues(ours, sequenced) ? ours.slice(known.length) : [];
      const dropped = new Set(ours.slice(0, ours.length - rest.length));
      left = left.filter((commit) => !dropped.has(commit));
      yield { kind: 'known', streamId, commits: known, sequenced, left: rest.length };
    }
  }
}

/** False when another history was sequenced: one that does not go on where ours does. */
function continues(ours: readonly Commit[], sequenced: DirectoryEntry): boolean {
  const next = ours.find((commit) => commit.version > sequenced.version);
  return next?.previousHash.startsWith(sequenced.hashPrefix) !== false;
}

export const entryOf = (commit: Commit): UnplacedEntry => ({
  streamId: commit.streamId,
  version: commit.version,
  count: commit.count,
  recordedAt: commit.recordedAt,
  types: commit.events.map(({ type }) => type),
  hashPrefix: commit.hash.slice(0, HASH_PREFIX_LENGTH),
});

/** Where a page leaves its streams. */
const headsIn = ({ entries, sequencedAt }: LogPage): Map<StreamId, DirectoryEntry> =>
  new Map(
    entries.map(({ streamId, version, count, position, hashPrefix }) => [
      streamId,
      {
        streamId,
        version: (version + count - 1) as DirectoryEntry['version'],
        position,
        hashPrefix,
        updatedAt: sequencedAt,
      },
    ]),
  );

const lost = (head: Position): EventRecoveryError =>
  new EventRecoveryError(
    'LOG_CONTENDED',
    `log: ${LOST_RACES_MAX} races in a row were lost at about position ${head}; remedy: lower the parallelisation of the relay`,
    { retryable: true, facts: { head, lostRaces: LOST_RACES_MAX } },
  );
