// Sequences verified commits and publishes each page as soon as it is written. Streams are told apart: what fails for one
// is reported for that one. A stream of which somebody else sequenced a part is reported as moved, because whoever did it
// may have died before publishing.

import type { Commit } from '../../model/commit.ts';
import { isEventRecoveryError } from '../../model/errors.ts';
import type { StreamId } from '../../model/ids.ts';
import { errorFacts } from '../../platform/logging.ts';
import type { DirectoryEntry, LogPage } from '../log/port.ts';
import { checkKnownCommits } from './check-known.ts';
import { RELAY_METRICS, type RelayDependencies } from './dependencies.ts';
import { entriesOfPage, streamMoved } from './entries.ts';
import type { Damage } from './gather.ts';
import { sequenceCommits } from './sequence-commits.ts';

export interface StreamFailure {
  code: string;
  message: string;
}

export interface Advance {
  commits: number;
  events: number;
  /** Streams of which a part had been sequenced by somebody else. */
  known: Set<StreamId>;
  damages: Map<StreamId, Damage[]>;
  failures: Map<StreamId, StreamFailure>;
}

/** @param directory is kept up to date */
export async function sequenceAndPublish(
  deps: RelayDependencies,
  commits: readonly Commit[],
  directory: Map<StreamId, DirectoryEntry>,
): Promise<Advance> {
  const done: Advance = { commits: 0, events: 0, known: new Set(), damages: new Map(), failures: new Map() };
  const open = new Map<StreamId, number>();
  for (const { streamId } of commits) open.set(streamId, (open.get(streamId) ?? 0) + 1);
  const close = (streamId: StreamId) => open.set(streamId, (open.get(streamId) ?? 0) - 1);
  try {
    for await (const part of sequenceCommits(deps, commits, directory)) {
      if (part.kind === 'lost-race') {
        deps.metrics.count(RELAY_METRICS.racesLost);
      } else if (part.kind === 'page') {
        for (const { streamId } of part.commits) close(streamId);
        done.commits += part.commits.length;
        done.events += part.page.lastPosition - part.page.firstPosition + 1;
        countPage(deps, part);
        await publishPage(deps, part.page, part.commits, done.failures);
      } else {
        const { streamId, sequenced, commits: known } = part;
        done.known.add(streamId);
        const damages = await checkKnownCommits({ streamId, sequenced, known, source: deps.source, log: deps.log });
        done.damages.set(streamId, [...(done.damages.get(streamId) ?? []), ...damages]);
        open.set(streamId, part.left);
      }
    }
  } catch (error) {
    deps.logger.error('commits were not sequenced', { error, directory: directory.size });
    for (const [streamId, left] of open) if (left > 0) done.failures.set(streamId, failureOf(error));
  }
  return done;
}

/** Says that these streams moved, whatever was published of them. */
export async function publishMoved(
  deps: RelayDependencies,
  moved: readonly DirectoryEntry[],
  failures: Map<StreamId, StreamFailure>,
): Promise<void> {
  await publish(deps, moved.map(streamMoved), failures);
}

async function publishPage(
  deps: RelayDependencies,
  page: LogPage,
  commits: readonly Commit[],
  failures: Map<StreamId, StreamFailure>,
): Promise<void> {
  const entries = entriesOfPage(page, commits);
  await publish(deps, entries, failures);
  for (const { detail } of entries) {
    if (failures.has(detail.streamId as StreamId)) continue;
    const { correlationId, streamId, version, position, id, type } = detail;
    deps.logger.info('event relayed', { correlationId, streamId, version, position, eventId: id, eventType: type });
  }
}

async function publish(
  deps: RelayDependencies,
  entries: Parameters<RelayDependencies['bus']['publish']>[0],
  failures: Map<StreamId, StreamFailure>,
): Promise<void> {
  if (entries.length === 0) return;
  const failed = await deps.bus.publish(entries).then(
    (answer) => answer.failed,
    (error: unknown) => entries.map((entry) => ({ entry, ...failureOf(error) })),
  );
  if (failed.length === 0) return;
  deps.metrics.count(RELAY_METRICS.entriesNotPublished, failed.length);
  deps.logger.error('entries were not published', { entries: failed.length, code: failed[0]?.code });
  for (const { entry, code, message } of failed) failures.set(entry.detail.streamId as StreamId, { code, message });
}

function countPage(
  { metrics, world }: RelayDependencies,
  { page, commits, writeMs }: { page: LogPage; commits: readonly Commit[]; writeMs: number },
): void {
  const oldest = commits.reduce((at, commit) => Math.min(at, commit.recordedAt), Number.POSITIVE_INFINITY);
  metrics.count(RELAY_METRICS.commitsSequenced, commits.length);
  metrics.count(RELAY_METRICS.eventsSequenced, page.lastPosition - page.firstPosition + 1);
  metrics.count(RELAY_METRICS.headBusyMs, writeMs, 'Milliseconds');
  metrics.count(RELAY_METRICS.sequencingLagMs, Math.max(0, world.clock.now() - oldest), 'Milliseconds');
}

export function failureOf(error: unknown): StreamFailure {
  const { name, message } = errorFacts(error) as { name: string; message: string };
  return { code: isEventRecoveryError(error) ? error.code : name, message };
}
