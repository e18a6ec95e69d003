// Starting a recovery when another one may still be at work on a consumer, as scans start them by themselves: it is waited for.

import { setTimeout as sleep } from 'node:timers/promises';
import { isEventRecoveryError } from '../../model/errors.ts';
import type { RecoveryRun } from '../recover/run-recovery.ts';

/** Rules by which scans start recoveries. A scenario wants to see what its own recovery finds: they are off while it runs. */
export const STARTS_BY_ITSELF = ['GapsFound', 'DamageFound'] as const;

const POLL_MS = 2_000;
const PATIENCE_MS = 180_000;

/** Another recovery holds the lease of one of the consumers; nothing was changed. */
export const isTaken = (error: unknown): boolean =>
  isEventRecoveryError(error) && error.code === 'RECOVERY_FAILED' && error.facts.error === 'AlreadyRecovering';

/** @throws what `recover` throws; `AlreadyRecovering` only after three minutes */
export async function recoverWhenFree(recover: () => Promise<RecoveryRun>, pollMs = POLL_MS): Promise<RecoveryRun> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await recover();
    } catch (error) {
      if (!isTaken(error) || performance.now() > until) throw error;
      await sleep(pollMs);
    }
  }
}
