// The rehearsal consumer's own look at its effects, for every verification: each step took effect as often as it should have, in
// order, and nothing else did.

import type { EffectViolation, Verify } from '../../../flow/consumer/verify-port.ts';
import type { DrillEffects } from './effects.ts';
import { expiresAt, type StepData } from './rehearsal.ts';

interface Step {
  version: number;
  min: number;
  max: number;
  expiresAt: number;
}

export interface RehearsalVerifyDeps {
  effects: Pick<DrillEffects, 'orderOf'>;
  /** Milliseconds since 1970. */
  now(): number;
}

/** @example defineConsumer({ ...rehearsal, react, verify: rehearsalVerify({ effects, now: Date.now }) }); */
export function rehearsalVerify({ effects, now }: RehearsalVerifyDeps): Verify {
  return async ({ streamId, checkpoint, events }) => {
    const steps: Step[] = [];
    let runId = '';
    for await (const { event, times } of events) {
      const { version, timestamp } = event.metadata;
      runId = (event.data as unknown as StepData).runId;
      steps.push({ version, ...times, expiresAt: expiresAt(timestamp.getTime()) });
    }
    if (steps.length === 0) return [];
    const order = await effects.orderOf(runId, streamId);
    // Rows go by themselves after three months, events stay: what was verified while it was there is not missed afterwards.
    if (order === undefined && steps.every((step) => step.expiresAt * 1_000 <= now())) return [];
    return compare(
      steps,
      (order ?? []).filter((version) => version <= checkpoint),
    );
  };
}

function compare(steps: readonly Step[], order: readonly number[]): EffectViolation[] {
  const violations: EffectViolation[] = [];
  const counts = Map.groupBy(order, (version) => version);
  for (const { version, min, max } of steps) {
    const found = counts.get(version)?.length ?? 0;
    counts.delete(version);
    if (found < min || found > max) {
      violations.push({ version, detail: `step ${version} took effect ${found} times, where ${min} is right` });
    }
  }
  for (const version of counts.keys()) {
    violations.push({ version, detail: `version ${version} took effect, which is no step of this consumer` });
  }
  const isReplayed = steps.some(({ max }) => max !== 1);
  const early = order.find((version, index) => version < (order[index - 1] ?? 0));
  if (early !== undefined && !isReplayed) {
    violations.push({ version: early, detail: `steps took effect in the order ${order.join(', ')}` });
  }
  return violations;
}
