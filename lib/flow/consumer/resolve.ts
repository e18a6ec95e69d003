// Running react so that its effects are safe. Transactional: its writes come back, to be committed with the checkpoint.
// Idempotent: a marker is begun before and completed after it; a newer holder's marker ends the session.

import type { Event } from '../../model/event.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import { LEASE_MARGIN_MS } from '../checkpoint/lease.ts';
import { type AtOnceOrLater, whenThere } from './at-once.ts';
import type { ReactContext } from './port.ts';
import { type ReactEnd, reactOnce } from './react-once.ts';
import { type Batch, count, tell } from './run.ts';
import { LeaseLostError, type Session } from './session.ts';

export interface Try {
  attempt: number;
  replay?: ReactContext['replay'];
  /** `g<generation>`, or the replay id. */
  scope: string;
}

/** `repeated`: an earlier try had completed; react was not called. */
export type TryEnd =
  | { kind: 'done'; writes: readonly Write[]; bytes: number; repeated: boolean }
  | Exclude<ReactEnd, { kind: 'done' }>;

/** @throws LeaseLostError */
export function tryReact(batch: Batch, session: Session, event: Event, options: Try): AtOnceOrLater<TryEnd> {
  if (batch.engine.declaration.effects === 'idempotent') return tryIdempotent(batch, session, event, options);
  return whenThere(reactOnce(batch, event, options), (end) =>
    end.kind === 'done' ? { ...end, repeated: false } : end,
  );
}

async function tryIdempotent(
  batch: Batch,
  session: Session,
  event: Event,
  { scope, ...options }: Try,
): Promise<TryEnd> {
  const { markers, serverClock, markerTtlMs } = batch.engine;
  const { consumer, streamId } = session.stored;
  const { token } = session;
  const key = { consumer, scope, streamId, version: event.metadata.version };
  const begunAt = serverClock.now();
  // In progress it must outlive its holder, not more: after that, whoever holds the lease may begin.
  const expiresAt = begunAt + Math.max(0, batch.deadline.remainingMs()) + 2 * LEASE_MARGIN_MS;
  const begun = await markers.begin(key, { token, now: begunAt, expiresAt });
  if (begun.kind === 'held-by-higher-token') throw new LeaseLostError(session.stored);
  if (begun.kind === 'completed') {
    count(batch.engine, 'MarkersAlreadyCompleted');
    return { kind: 'done', writes: [], bytes: 0, repeated: true };
  }
  const end = await reactOnce(batch, event, options);
  if (end.kind === 'failed') {
    // Only tidies up: the next try has a higher token and takes over anyway.
    await markers.abandon(key, { token }).catch((error: unknown) => {
      const subject = { streamId, version: key.version, correlationId: event.metadata.correlationId };
      tell(batch, 'warn', 'marker not removed', subject, { error });
    });
  }
  if (end.kind !== 'done') return end;
  const now = serverClock.now();
  const isOurs = await markers.complete(key, { token, now, expiresAt: now + markerTtlMs });
  if (!isOurs) throw new LeaseLostError(session.stored);
  return { ...end, repeated: false };
}
