// The same answers for one consumer and one stream, at once and without waiting for a scan: `detectGaps` only looks,
// `recoverConsumer` records what is owed and wakes the consumer. Reads the stream's own entries of the log, from its head back
// to the checkpoint, so it costs what is unresolved.

import type { Checkpoints } from '../../flow/checkpoint/port.ts';
import type { Log } from '../../flow/log/port.ts';
import type { Registry } from '../../flow/registry/port.ts';
import type { Checkpoint } from '../../model/checkpoint.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import { InvalidInputError } from '../../model/errors.ts';
import type { ConsumerName, Position, StreamId, Version } from '../../model/ids.ts';
import { DEFAULT_BOUNDS, decideStream, type OwedEvents } from './decide-stream.ts';
import { type FillDeps, fill } from './fill.ts';
import { wantedVersions } from './moved-streams.ts';
import type { OpenGaps } from './open-gaps.ts';
import type { QueueSigns } from './port.ts';

export interface StreamGap {
  /** First and last version that were never resolved although they should be. */
  start: number;
  end: number;
  count: number;
}

export interface RecoveryResult {
  consumerId: string;
  streamId: string;
  /** Checkpoint: everything up to this version is resolved. */
  fromPosition: number;
  /** Highest sequenced version of the stream. */
  toPosition: number;
  /** Unresolved events that the consumer wants. */
  missedEvents: number;
  /**
   * `ready_for_replay`: recorded as an open gap and the consumer was woken up; it catches up in order by itself. `parked`: the
   * stream waits behind a dead letter; redrive it.
   */
  status: 'up_to_date' | 'parked' | 'ready_for_replay';
}

export interface OneStreamDeps extends FillDeps {
  registry: Pick<Registry, 'get'>;
  log: Pick<Log, 'directory' | 'streamEntriesBackwards' | 'pages'>;
  checkpoints: Pick<Checkpoints, 'get'>;
  openGaps: OpenGaps;
  queues: QueueSigns;
}

interface Look {
  consumer: RegisteredConsumer;
  checkpoint: Checkpoint | undefined;
  head: number;
  owed: Owed | undefined;
}

interface Owed extends Pick<OwedEvents, 'from' | 'to'> {
  count: number;
  /** Where their first and last commits are in the log. */
  oldest: Position;
  newest: Position;
}

/** One gap or none: a checkpoint is a contiguous prefix. @throws InvalidInputError `UNKNOWN_CONSUMER` */
export async function detectGaps(
  deps: OneStreamDeps,
  consumer: ConsumerName,
  streamId: StreamId,
): Promise<StreamGap[]> {
  const seen = await look(deps, consumer, streamId);
  if (seen.owed === undefined) return [];
  const queueActive = ((await deps.queues.messages(seen.consumer.queueUrl)) ?? 0) > 0;
  const { checkpoint } = seen;
  const owed = await aged(deps, seen.owed);
  const answer = decideStream({ checkpoint, owed, queueActive, now: deps.world.clock.now() }, DEFAULT_BOUNDS);
  if (answer.kind !== 'gap') return [];
  return [{ start: answer.from, end: answer.to, count: answer.to - answer.from + 1 }];
}

/** Harmless when nothing is missing or the consumer is at work. @throws InvalidInputError `UNKNOWN_CONSUMER` */
export async function recoverConsumer(
  deps: OneStreamDeps,
  name: ConsumerName,
  streamId: StreamId,
): Promise<RecoveryResult> {
  const { consumer, checkpoint, head, owed } = await look(deps, name, streamId);
  const result = {
    consumerId: name,
    streamId,
    fromPosition: checkpoint?.version ?? 0,
    toPosition: head,
    missedEvents: owed?.count ?? 0,
  };
  if (owed === undefined) return { ...result, status: 'up_to_date' };
  if (checkpoint?.parked !== undefined && checkpoint.rewind === undefined) return { ...result, status: 'parked' };
  const debt = { consumer: name, streamId, from: owed.from as Version, to: owed.to as Version };
  const row = await deps.openGaps.seen(debt, deps.world.clock.now());
  await fill(deps, consumer, [row]);
  return { ...result, status: 'ready_for_replay' };
}

async function look(deps: OneStreamDeps, name: ConsumerName, streamId: StreamId): Promise<Look> {
  const consumer = await deps.registry.get(name);
  if (consumer === undefined) {
    throw new InvalidInputError('UNKNOWN_CONSUMER', {
      what: 'consumer',
      got: name,
      allowed: 'a consumer of the registry',
      remedy: 'list them: npx event-recovery gaps',
    });
  }
  const checkpoint = await deps.checkpoints.get({ consumer: name, streamId });
  const head = (await deps.log.directory([streamId])).get(streamId)?.version ?? 0;
  const version = checkpoint?.version ?? 0;
  const reached = Math.min(version, checkpoint?.rewind?.to ?? version);
  let owed: Owed | undefined;
  for await (const entry of deps.log.streamEntriesBackwards(streamId)) {
    const isBehind = entry.version + entry.count - 1 <= reached;
    const isBefore = entry.position + entry.count - 1 <= consumer.startPosition;
    if (isBehind || isBefore) break;
    const wanted = wantedVersions(consumer, entry, consumer.startPosition, reached);
    if (wanted === undefined) continue;
    owed = {
      from: wanted.from,
      to: owed?.to ?? wanted.to,
      count: (owed?.count ?? 0) + wanted.count,
      oldest: entry.position,
      newest: owed?.newest ?? entry.position,
    };
  }
  return { consumer, checkpoint, head, owed };
}

/** What a relay that was down for long has sequenced just now is on its way, however long ago it was recorded. */
async function aged(deps: OneStreamDeps, { from, to, oldest, newest }: Owed): Promise<OwedEvents> {
  const newestAt = await sequencedAt(deps, newest);
  return { from, to, newestAt, oldestAt: oldest === newest ? newestAt : await sequencedAt(deps, oldest) };
}

async function sequencedAt({ log }: OneStreamDeps, position: Position): Promise<number> {
  for await (const page of log.pages(position - 1, { maxPages: 1 })) return page.sequencedAt;
  return 0;
}
