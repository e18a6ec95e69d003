// What consumers did to the world: a transactional effect at most once per generation or replay, an idempotent one again
// only when an unclean end explains it, every first effect in stream order, and nothing for events nobody asked for.

import type { PlannedConsumer } from '../scenario/plan.ts';
import type { Change } from './change.ts';
import type { CheckpointChecks } from './checkpoint-checks.ts';
import { type Effect, type Ledger, REDELIVER_SCOPE } from './ledger.ts';
import type { Violations } from './violations.ts';

/** The key of the item that a transactional react adds to; the simulation's own table. */
export const effectItemKey = (consumer: string, scope: string, streamId: string, version: number) => ({
  pk: `${consumer}|${scope}|${streamId}`,
  sk: String(version),
});

export interface EffectChecks {
  /** A change of the Effects table: a transactional effect took place. */
  onChange(change: Change): void;
  /** An idempotent effect took place. `disturbedAt`: when a fault last hit its process. */
  onEffect(effect: Effect): void;
}

export function createEffectChecks(options: {
  consumers: readonly PlannedConsumer[];
  ledger: Ledger;
  checkpoints: CheckpointChecks;
  violations: Violations;
  /** When a fault (crash, pause, error, lost answer, time-out) last hit this process. */
  disturbedAt: (process: Effect['process']) => number;
  /** Somebody has removed the marker of this redelivery: nothing else protects from a second one. */
  isUnprotected: (consumer: string, replayId: string, streamId: string, version: number) => boolean;
}): EffectChecks {
  const { consumers, ledger, checkpoints, violations, disturbedAt, isUnprotected } = options;
  const wanted = new Map(consumers.map(({ name, eventTypes }) => [name, new Set(eventTypes)]));

  const check = (consumer: string, scope: string, streamId: string, version: number, repeated: boolean): void => {
    const where = `${consumer} (${scope}) ${streamId}@${version}`;
    const event = ledger.event(streamId, version);
    if (event === undefined) {
      violations.report('effect-unwanted', `${where}: no such event is stored`);
      return;
    }
    if (!wanted.get(consumer)?.has(event.type)) {
      violations.report('effect-unwanted', `${where}: type ${event.type} is not wanted`);
    }
    if (scope.startsWith(REDELIVER_SCOPE)) {
      const passed = Number(checkpoints.item(consumer, streamId)?.version ?? 0);
      if (version > passed)
        violations.report('effect-out-of-order', `${where}: redelivered, the checkpoint is ${passed}`);
      return;
    }
    const truth = checkpoints.resolution(consumer, scope, streamId);
    const next = truth.nextUnresolved();
    if (!repeated && version > next) {
      violations.report('effect-out-of-order', `${where}: version ${next} is not resolved yet`);
    }
    truth.done.add(version);
  };

  return {
    onChange: ({ before, after, by }) => {
      const item = after ?? before;
      const [consumer = '', scope = '', streamId = ''] = String(item?.pk).split('|');
      const version = Number(item?.sk);
      if (!Number.isInteger(version)) return;
      const times = Number(after?.applied ?? 0);
      const isRedelivery = scope.startsWith(REDELIVER_SCOPE);
      const replayId = scope.slice(REDELIVER_SCOPE.length);
      const isExcused = isRedelivery && isUnprotected(consumer, replayId, streamId, version);
      if (times > 1 && !isExcused) {
        violations.report(
          'effect-doubled',
          `${consumer} (${scope}) ${streamId}@${version}: ${times} times, last ${by}`,
        );
      }
      check(consumer, scope, streamId, version, before !== undefined);
    },
    onEffect: (effect) => {
      const all = ledger.effect(effect);
      const previous = all[all.length - 2];
      const { consumer, scope, streamId, version } = effect;
      if (previous !== undefined) {
        const where = `${consumer} (${scope}) ${streamId}@${version}`;
        if (effect.begunAfterCompletion) {
          violations.report('effect-repeated', `${where}: begun although the marker said completed`);
        }
        const firstWentWrong = !previous.reactEndedWell || disturbedAt(previous.process) >= previous.at;
        // A zombie that wakes up inside its own react: nobody can fence the world outside DynamoDB.
        const thisOneSlept = disturbedAt(effect.process) >= effect.begunAt;
        const isExcused =
          scope.startsWith(REDELIVER_SCOPE) &&
          isUnprotected(consumer, scope.slice(REDELIVER_SCOPE.length), streamId, version);
        if (!firstWentWrong && !thisOneSlept && !effect.afterAbort && !isExcused) {
          violations.report('effect-repeated', `${where}: nothing happened to ${previous.process.name} to explain it`);
        }
      }
      check(consumer, scope, streamId, version, previous !== undefined);
    },
  };
}
