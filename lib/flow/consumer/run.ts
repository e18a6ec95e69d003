// What the parts of the engine share while they work: the consumer, the batch, and one stream under its lease.

import type { Event } from '../../model/event.ts';
import type { Version } from '../../model/ids.ts';
import type { QueueMessage } from '../../model/wake-up.ts';
import { WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { LogLevel } from '../../platform/logging.ts';
import type { Deadline } from './deadline.ts';
import type { EngineDeps } from './engine-port.ts';
import type { Interest } from './interest.ts';
import type { Resolution } from './progress.ts';
import type { Session } from './session.ts';
import type { EngineSettings } from './settings.ts';
import type { StreamWork } from './stream-work.ts';
import type { EngineCounter, LineFacts } from './telemetry.ts';

export interface Engine extends Omit<EngineDeps, 'settings'> {
  settings: EngineSettings;
}

/** One invocation. */
export interface Batch {
  engine: Engine;
  deadline: Deadline;
  requestId: string;
  /** Reacts begun in this invocation: only the first of them had the whole time. */
  reactsBegun: number;
}

/** The next event, with what the digest needs. */
export interface NextEvent {
  event: Event;
  commitHash: string;
}

export interface PendingResolution extends Resolution {
  event: Event;
}

/** One stream while its lease is held. */
export interface StreamRun {
  batch: Batch;
  work: StreamWork;
  session: Session;
  interest: Interest;
  /** Event by event, nothing else in flight: an unclean end then has exactly one culprit. */
  isAlone: boolean;
  /** Reacted events that must still succeed alone until the suspicion is over. */
  suspects: number;
  /** The checkpoint when the lease was taken: what tells progress from standing still. */
  startVersion: Version;
  startGeneration: number;
  /** Types that this code does not declare, of events among `pending` that it passes. */
  passedTypes: Set<string>;
  /** Resolved, not yet stored. */
  pending: PendingResolution[];
  pendingBytes: number;
  /** Writes of `pending`, and events of it that have some: counted along, a chunk may hold a thousand events. */
  pendingWrites: number;
  pendingWriters: number;
  /** DynamoDB refused the writes of several events together once: each goes alone from then on. */
  isUngrouped: boolean;
  /** When something was stored last, by the machine's clock. */
  storedAt: number;
  /** Set after a deadline: the next holder of this stream must be the first of its batch. */
  needsPrecedence: boolean;
}

/** What is left of `pending` after something of it was stored. */
export function keepPending(run: StreamRun, pending: PendingResolution[]): void {
  run.pending = pending;
  run.pendingWrites = pending.reduce((sum, { writes }) => sum + writes.length, 0);
  run.pendingWriters = pending.filter(({ writes }) => writes.length > 0).length;
  if (pending.length === 0) run.pendingBytes = 0;
}

export const count = ({ metrics, declaration }: Engine, name: EngineCounter, value = 1): void => {
  if (value > 0) metrics.count(name, value, 'Count', { consumer: declaration.name });
};

/** Called when they are stored. */
export function countResolved(engine: Engine, resolved: readonly Resolution[]): void {
  count(engine, 'EventsResolved', resolved.filter(({ outcome }) => outcome === 'resolved').length);
}

type Subject = Pick<LineFacts, 'streamId'> & Partial<Pick<LineFacts, 'version' | 'correlationId'>>;

/** One line, with everything that every line must carry. */
export function tell(
  { engine, requestId }: Batch,
  level: LogLevel,
  message: string,
  { streamId, version = 0, correlationId = '' }: Subject,
  facts: Record<string, unknown> = {},
): void {
  const line: LineFacts = {
    consumer: engine.declaration.name,
    streamId,
    version,
    correlationId,
    requestId,
    ...facts,
  };
  engine.logger[level](message, line);
}

export const about = ({ event }: Pick<NextEvent, 'event'>) => ({
  streamId: event.streamId,
  version: event.metadata.version,
  correlationId: event.metadata.correlationId,
});

type WakeUpMessage = Extract<QueueMessage, { kind: 'wake-up' }>;

export const wakeUpMessage = (
  { engine }: Batch,
  { streamId, correlationId, replayId }: Pick<StreamWork, 'streamId' | 'correlationId' | 'replayId'>,
  fields: Pick<WakeUpMessage, 'reason' | 'version' | 'hops'>,
): WakeUpMessage => ({
  format: WAKE_UP_FORMAT,
  kind: 'wake-up',
  consumer: engine.declaration.name,
  streamId,
  ...fields,
  ...(correlationId !== '' && { correlationId }),
  ...(replayId !== undefined && { replayId }),
});

/** To the consumer's own queue. */
export const sendOn = ({ engine }: Batch, message: QueueMessage, delaySeconds = 0): Promise<void> =>
  engine.wakeUps.send(engine.queueUrl, [{ message, ...(delaySeconds > 0 && { delaySeconds }) }]);
