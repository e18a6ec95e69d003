// All checks of one run, wired: each change of a table goes to those that look at it, and what they learn from each other
// goes through the ledger.

import type { ReactContext } from '../../../lib/flow/consumer/port.ts';
import type { Event } from '../../../lib/model/event.ts';
import type { Facts, LogLevel } from '../../../lib/platform/logging.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import type { Plan } from '../scenario/plan.ts';
import type { Begun } from '../scenario/react.ts';
import type { Disturbances } from '../system/disturbances.ts';
import type { Change } from './change.ts';
import { type CheckpointChecks, createCheckpointChecks } from './checkpoint-checks.ts';
import { createDeadLetterChecks, type DeadLetterChecks } from './dead-letter-checks.ts';
import { decodeCommit } from './decode-commit.ts';
import { createEffectChecks } from './effect-checks.ts';
import { createLedger, type Effect, type Ledger } from './ledger.ts';
import { createLogChecks, type LogChecks } from './log-checks.ts';
import { createMarkerWatch, type MarkerWatch } from './marker-watch.ts';
import { createQuietChecks, type QuietChecks } from './quiet-checks.ts';
import { createScrubChecks, type ScrubChecks } from './scrub-checks.ts';
import { createStoreChecks, type StoreChecks } from './store-checks.ts';
import { createTraceChecks, type TraceChecks } from './trace-checks.ts';
import { createTryChecks } from './try-checks.ts';
import type { Violations } from './violations.ts';

export interface Checks {
  readonly ledger: Ledger;
  readonly store: StoreChecks;
  readonly log: LogChecks;
  readonly checkpoints: Pick<CheckpointChecks, 'item'>;
  readonly quiet: QuietChecks;
  readonly scrub: Pick<ScrubChecks, 'judge' | 'finish' | 'hasFound'>;
  readonly traces: Pick<TraceChecks, 'onAcknowledged' | 'onIdle' | 'isOwing'>;
  readonly markers: Pick<MarkerWatch, 'expiries'>;
  readonly deadLetters: Pick<DeadLetterChecks, 'rows' | 'hasOpen'>;
  onChange(change: Change): void;
  /** A react begins: it must be the stored event, and its type wanted. Returns what `onEffect` needs to know. */
  onReact(consumer: string, event: Event, context: ReactContext, process: SimulatedProcess): Begun;
  onEffect(effect: Omit<Effect, 'at' | 'reactEndedWell'>): Effect;
  /** A try of this event by this consumer does not end well. `times` above 1: the engine gives up on it at once. */
  onFailedTry(consumer: string, streamId: string, version: number, times?: number): void;
  /** Counts tries, the one that begins included. */
  countTry(consumer: string, streamId: string, version: number): number;
  /** A handler must not throw, and nothing in the code under test may be a programming error. */
  onLogLine(component: string, level: LogLevel, facts: Facts): void;
}

const PROGRAMMING_ERRORS = new Set(['TypeError', 'ReferenceError', 'SyntaxError', 'ValidationException']);

export function createChecks(options: {
  plan: Plan;
  violations: Violations;
  disturbances: Disturbances;
  now: () => number;
  /** A lease was taken over from a holder that did not give it back. */
  onTakeOver: () => void;
}): Checks {
  const { plan, violations, disturbances, now, onTakeOver } = options;
  const { consumers } = plan;
  const ledger = createLedger();
  const tries = new Map<string, number>();
  const failed = new Map<string, number>();
  const keyOf = (consumer: string, streamId: string, version: number): string => `${consumer}|${streamId}|${version}`;

  const store = createStoreChecks({ ledger, violations, decode: decodeCommit, now });
  const log = createLogChecks({ ledger, violations });
  const checkpoints = createCheckpointChecks({ consumers, ledger, violations, now, onTakeOver });
  const markers = createMarkerWatch();
  const deadLetters = createDeadLetterChecks({
    consumers,
    checkpoints,
    violations,
    failedTries: (consumer, streamId, version) => failed.get(keyOf(consumer, streamId, version)) ?? 0,
    disturbances: disturbances.countOf,
  });
  const effects = createEffectChecks({
    consumers,
    ledger,
    checkpoints,
    violations,
    disturbedAt: (process: SimulatedProcess) => disturbances.lastAt(process),
    isUnprotected: markers.isGone,
  });

  const scrub = createScrubChecks(violations, store.wasDamaged);
  const traces = createTraceChecks({ checkpoints, violations, now });
  const tryChecks = createTryChecks({
    consumers,
    violations,
    markers,
    deadLetters,
    disturbances: disturbances.countOf,
  });
  const isIdempotent = new Set(consumers.filter((one) => one.effects === 'idempotent').map(({ name }) => name));

  return {
    ledger,
    store,
    log,
    checkpoints,
    scrub,
    traces,
    markers,
    deadLetters,
    quiet: createQuietChecks({ consumers, ledger, checkpoints, deadLetters, violations, now }),
    onChange: (change) => {
      switch (change.table) {
        case 'Events':
          store.onChange(change);
          break;
        case 'Log':
          log.onChange(change);
          break;
        case 'Effects':
          effects.onChange(change);
          break;
        case 'Idempotency':
          markers.onChange(change);
          break;
        case 'DeadLetters':
          deadLetters.onRow(change);
          break;
        case 'Checkpoints':
          checkpoints.onChange(change);
          deadLetters.onCheckpoint(change);
          break;
        case 'Recovery':
          traces.onChange(change);
          scrub.onChange(change);
          break;
      }
    },
    onReact: (consumer, event, context, process) => {
      const { streamId, metadata } = event;
      const { version } = metadata;
      const stored = ledger.event(streamId, version);
      if (stored?.id !== event.id || stored.type !== event.type || (event.data as { id?: unknown })?.id !== event.id) {
        violations.report('effect-unwanted', `${consumer} got "${event.id}" as ${streamId}@${version}`);
      }
      const generation = Number(checkpoints.item(consumer, streamId)?.generation ?? 1);
      const isRedelivery = context.replay?.mode === 'redeliver';
      const scope = isRedelivery ? (context.replay?.id ?? '') : `g${generation}`;
      tryChecks.onScope(consumer, streamId, version, scope);
      if (isIdempotent.has(consumer)) tryChecks.onReact(consumer, streamId, version, scope, process);
      const markerWasCompleted = markers.isCompleted(consumer, scope, streamId, version, now());
      return { at: now(), markerWasCompleted, generation };
    },
    onEffect: (facts) => {
      const effect: Effect = { ...facts, at: now(), reactEndedWell: false };
      effects.onEffect(effect);
      tryChecks.onEffect(effect);
      return effect;
    },
    onFailedTry: (consumer, streamId, version, times = 1) => {
      const key = keyOf(consumer, streamId, version);
      failed.set(key, (failed.get(key) ?? 0) + times);
      tryChecks.onFailedTry(consumer, streamId, version, tries.get(key) ?? 0);
    },
    countTry: (consumer, streamId, version) => {
      const key = keyOf(consumer, streamId, version);
      const count = (tries.get(key) ?? 0) + 1;
      tries.set(key, count);
      return count;
    },
    onLogLine: (component, level, facts) => {
      if (level !== 'error') return;
      const { name, stack } = (facts.error ?? {}) as { name?: string; stack?: string };
      if (name !== undefined && PROGRAMMING_ERRORS.has(name)) {
        violations.report('defect', `${component}: ${String((facts.error as Error).message)} ${stack ?? ''}`);
      }
    },
  };
}
