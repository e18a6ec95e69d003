// Damage behind everybody's back and its repair: an adversary changes and removes commits, the scrub finds them, an operator
// plans a restore, another one agrees, the function may die in the middle, a schedule goes on with it. At the end every commit
// is what it was, byte for byte, and no finding is open.

import type { Item } from '../invariants/change.ts';
import { ADVERSARY } from '../invariants/store-checks.ts';
import { createPrng } from '../kernel/prng.ts';
import type { Cloud } from '../system/cloud.ts';
import { type RestoreSystem, startRestore } from '../system/restore-function.ts';
import type { ScrubSystem } from '../system/scrub-function.ts';
import type { InvocationEnd } from '../world/lambda.ts';

/** How long it takes, with everything that may happen to it. */
export const RESTORED_WITHIN_MS = 12 * 60_000;
const SCRUBBED_AFTER_MS = 60_000;
const AGAIN_EVERY_MS = 60_000;
const TRIES = 8;
/** The first tries may be cut off. */
const TRIES_WITH_CRASHES = 2;
const LAST_ROTATION_AFTER_MS = 10 * 60_000;
const CRASH_CHANCE = 0.6;
const BY_ANNA = { requestedBy: 'anna', reason: 'the scrub has found damage' };

export function planDamageAndRestore(cloud: Cloud, scrub: ScrubSystem): void {
  const { scheduler, plan, engine } = cloud;
  const prng = createPrng(plan.seed, 'adversary');
  const copy = engine.items('Events');
  const restore = startRestore(cloud, () => copy);
  damage(cloud, copy, prng);
  scheduler.after(1_000, scrub.rotateNow);
  for (let tries = 0; tries < TRIES; tries++) {
    scheduler.after(SCRUBBED_AFTER_MS + tries * AGAIN_EVERY_MS, () => {
      if (cloud.checks.store.isDamaged())
        goOn(cloud, restore, tries, prng.chance(CRASH_CHANCE) ? prng.int(155, 700) : 0);
    });
  }
  scheduler.after(LAST_ROTATION_AFTER_MS, scrub.rotateNow);
}

/** Unfinished restores go on; when there is none, a new one is planned and agreed to. */
function goOn(cloud: Cloud, restore: RestoreSystem, tries: number, crashAfterMs: number): void {
  const { trace, scheduler, branches } = cloud;
  const told = (end: InvocationEnd): void => trace.note('operator', `restore: ${JSON.stringify(end).slice(0, 400)}`);
  if (crashAfterMs > 0 && tries < TRIES_WITH_CRASHES) {
    scheduler.after(crashAfterMs, () => {
      branches.set('restore: crashed', 1);
      restore.kill();
    });
  }
  restore.ask({ action: 'continue' }, (continued) => {
    told(continued);
    if (continued.kind === 'failed' || isUnfinished(continued.value) || !cloud.checks.store.isDamaged()) return;
    restore.ask({ ...BY_ANNA, action: 'plan', source: 'point-in-time' }, (planned) => {
      told(planned);
      const planId = planned.kind === 'returned' ? (planned.value as { planId?: string }).planId : undefined;
      if (planId === undefined) return;
      restore.ask({ ...BY_ANNA, action: 'apply', planId, approvedBy: 'berta' }, (applied) => {
        told(applied);
        if (applied.kind === 'returned') branches.set('restore: applied', 1);
      });
    });
  });
}

const isUnfinished = (value: unknown): boolean => ((value as { restores?: unknown[] }).restores ?? []).length > 0;

/** In one to three streams: bytes change, or commits in the middle or at the end are gone. */
function damage(
  { engine, observer, branches, trace, plan }: Cloud,
  copy: readonly Item[],
  prng: ReturnType<typeof createPrng>,
): void {
  for (const streamId of prng.shuffle(plan.streams).slice(0, prng.int(1, 3))) {
    const commits = copy.filter((item) => item.streamId === streamId);
    if (commits.length < 2) continue;
    const remove = (some: readonly Item[]): void => {
      for (const { version } of some) engine.removeItem('Events', { streamId, version });
    };
    const way = prng.pick(['bytes', 'tail', 'middle'] as const);
    observer.during(ADVERSARY, () => {
      if (way === 'tail') remove(commits.slice(-prng.int(1, commits.length - 1)));
      else if (way === 'middle') remove([prng.pick(commits.slice(0, -1))]);
      else {
        const item = prng.pick(commits);
        engine.replaceItem('Events', { ...item, recordedAt: Number(item.recordedAt) + 1 });
      }
    });
    branches.set('adversary: damage', 1);
    trace.note('adversary', `${way} of ${streamId}`);
  }
}
