// A message may only be acknowledged when it left a trace: what it announces is resolved, or asked for on the checkpoint
// item, or owed in an open-gap row, or another message ahead announces it. And what is asked for must have somebody who comes
// for it: with nothing in the queues and nobody at work, a checkpoint may not wait for what only a scan would find.

import type { Change } from './change.ts';
import type { CheckpointChecks } from './checkpoint-checks.ts';
import type { Violations } from './violations.ts';

export interface TraceChecks {
  /** A change of the Recovery table. */
  onChange(change: Change): void;
  /** A message is deleted because a function is done with it. `ahead`: bodies that are still in this consumer's queues. */
  onAcknowledged(consumer: string, body: string, ahead: () => readonly string[]): void;
  /** Neither the consumer's queues hold a message, nor is one of its invocations, or of the intake's, at work. */
  onIdle(consumer: string): void;
  /** Something is owed in an open-gap row. */
  isOwing(): boolean;
}

/** Two clocks that correct themselves by the server's may differ by less; see LEASE_MARGIN_MS. */
const LEASE_TOLERANCE_MS = 5_000;

export function createTraceChecks(options: {
  checkpoints: Pick<CheckpointChecks, 'item' | 'keys'>;
  violations: Violations;
  now: () => number;
}): TraceChecks {
  const { checkpoints, violations, now } = options;
  /** Last version owed, by consumer and stream. */
  const owed = new Map<string, number>();
  /** A body is looked at again with every message that it lies ahead of. */
  const announcements = new Map<string, Announcement | undefined>();
  const announcementOf = (body: string): Announcement | undefined => {
    if (announcements.has(body)) return announcements.get(body);
    const parsed = parseAnnouncement(body);
    announcements.set(body, parsed);
    return parsed;
  };

  return {
    onChange: ({ before, after, by }) => {
      const { pk, sk } = (after ?? before) as { pk?: unknown; sk?: unknown };
      const key = String(pk);
      if (key.startsWith('gap#')) {
        const place = `${key.slice('gap#'.length)}|${String(sk)}`;
        if (after === undefined) owed.delete(place);
        else owed.set(place, Number(after.to));
      }
      if (key !== 'lease' || after?.owner === undefined || before?.owner === undefined) return;
      const leftMs = Number(before.until) - now();
      if (after.owner !== before.owner && leftMs > 0) {
        violations.report(
          'lease-stolen',
          `${String(sk)} by ${by}: ${leftMs} ms before that of ${String(before.owner)} ended`,
        );
      }
    },

    onAcknowledged: (consumer, body, ahead) => {
      const announced = announcementOf(body);
      if (announced === undefined) return;
      const { streamId, version } = announced;
      const item = checkpoints.item(consumer, streamId);
      if (Number(item?.version ?? 0) >= version || Number(item?.wanted ?? 0) >= version) return;
      if ((owed.get(`${consumer}|${streamId}`) ?? 0) >= version) return;
      const comes = ahead().some((other) => {
        const next = announcementOf(other);
        return next?.streamId === streamId && next.version >= version;
      });
      if (comes) return;
      const known = `checkpoint ${String(item?.version ?? 0)}, wanted ${String(item?.wanted ?? 0)}`;
      violations.report('acknowledged-without-trace', `${consumer} on ${streamId}: version ${version}, ${known}`);
    },

    isOwing: () => owed.size > 0,
    onIdle: (consumer) => {
      for (const streamId of checkpoints.keys(consumer)) {
        const item = checkpoints.item(consumer, streamId);
        if (item === undefined || item.parked !== undefined) continue;
        const [version, wanted] = [Number(item.version ?? 0), Number(item.wanted ?? 0)];
        if (wanted <= version || (owed.get(`${consumer}|${streamId}`) ?? 0) > version) continue;
        const isHeld = item.leaseOwner !== undefined && Number(item.leaseUntil) + LEASE_TOLERANCE_MS >= now();
        if (isHeld) continue;
        violations.report(
          'nobody-comes',
          `${consumer} on ${streamId}: at ${version}, wanted ${wanted}, nothing is on its way`,
        );
      }
    },
  };
}

interface Announcement {
  streamId: string;
  version: number;
}

/** What a body in a consumer's queue says about a stream; undefined for redeliveries, which have traces of their own. */
function parseAnnouncement(body: string): Announcement | undefined {
  const parsed = JSON.parse(body) as { kind?: string; streamId?: string; version?: number; detail?: unknown };
  if (parsed.kind === 'redeliver') return undefined;
  const { streamId, version } = (parsed.kind === undefined ? parsed.detail : parsed) as {
    streamId?: string;
    version?: number;
  };
  return streamId === undefined || version === undefined ? undefined : { streamId, version };
}
