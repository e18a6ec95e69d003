// What must hold when nothing moves any more: every consumer is at the end of every stream, or parked behind a dead letter
// that says why; nobody holds a lease; nobody's request was forgotten.

import type { PlannedConsumer } from '../scenario/plan.ts';
import type { CheckpointChecks } from './checkpoint-checks.ts';
import type { DeadLetterChecks } from './dead-letter-checks.ts';
import type { Ledger } from './ledger.ts';
import type { ViolationKind, Violations } from './violations.ts';

export interface QuietChecks {
  /** Reports everything that waits. `isExcused`: a fault took a record of this stream away that nobody repeats. */
  check(kind: ViolationKind, options: { mayBeParked: boolean; isExcused: (streamId: string) => boolean }): void;
  /** Nothing waits, nobody is parked. */
  isQuiet(): boolean;
}

export function createQuietChecks(options: {
  consumers: readonly PlannedConsumer[];
  ledger: Pick<Ledger, 'head' | 'stored'>;
  checkpoints: Pick<CheckpointChecks, 'item'>;
  deadLetters: Pick<DeadLetterChecks, 'row'>;
  violations: Violations;
  now: () => number;
}): QuietChecks {
  const { consumers, ledger, checkpoints, deadLetters, violations, now } = options;

  const problem = (consumer: PlannedConsumer, streamId: string, mayBeParked: boolean): string | undefined => {
    const item = checkpoints.item(consumer.name, streamId);
    const head = ledger.head(streamId);
    const at = Number(item?.version ?? 0);
    const parked = item?.parked as { deadLetterId: string } | undefined;
    if (parked !== undefined) {
      const status = deadLetters.row(parked.deadLetterId)?.status;
      return status === 'parked' && mayBeParked
        ? undefined
        : `parked behind ${parked.deadLetterId}, which is ${String(status)}`;
    }
    if (item?.rewind !== undefined) return `at ${at} of ${head}, a rewind waits`;
    if (at === head) return undefined;
    // Events of types that nobody of this consumer wants wake nobody up; they are resolved with the next one that does.
    const wants = new Set(consumer.eventTypes);
    const waiting = ledger.stored.get(streamId)?.slice(at) ?? [];
    const isWaitedFor = waiting.some(({ type }) => wants.has(type)) || Number(item?.wanted ?? 0) > at;
    // A lease that nobody gave back ends by itself, and with nothing left to do nobody comes to take it.
    const isHeld = item?.leaseOwner !== undefined && Number(item.leaseUntil) >= now();
    if (!isHeld && !isWaitedFor) return undefined;
    return `at ${at} of ${head}, lease ${String(item?.leaseOwner ?? 'free')}, wanted ${String(item?.wanted ?? 0)}`;
  };

  return {
    isQuiet: () =>
      consumers.every((consumer) =>
        [...ledger.stored.keys()].every((streamId) => problem(consumer, streamId, false) === undefined),
      ),
    check: (kind, { mayBeParked, isExcused }) => {
      for (const consumer of consumers) {
        for (const streamId of ledger.stored.keys()) {
          const found = isExcused(streamId) ? undefined : problem(consumer, streamId, mayBeParked);
          if (found === undefined) continue;
          violations.report(kind, `${consumer.name} on ${streamId}: ${found}`);
        }
      }
    },
  };
}
