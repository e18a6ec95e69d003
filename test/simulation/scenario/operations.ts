// What happens besides traffic: schedules fire (gap scan, announcements), items expire, an operator gives dead letters back.
// Planned for a stretch of time, so that a run still comes to an end.

import type { Cloud } from '../system/cloud.ts';
import type { RecoverySystem } from '../system/recovery-functions.ts';
import type { ScrubSystem } from '../system/scrub-function.ts';

const MINUTE_MS = 60_000;
/** The scan's schedule is every five minutes, that of announcements every minute: rarer here, they cost and change little. */
const SCAN_EVERY_MS = 5 * MINUTE_MS;
/** Far more often than in a deployment: what is appended and sequenced while it reads is what it can be wrong about. */
const SCRUB_EVERY_MS = 70_000;
const EXPIRE_EVERY_MS = MINUTE_MS;
const CHECK_IDLE_EVERY_MS = MINUTE_MS / 2;

/**
 * Schedules and expiry from now until `until`. A call that would find nothing to do changes nothing and is left out; the first
 * scan of a stretch always runs, because it must not find anything either.
 */
export function planSchedules(
  { scheduler, engine, faults, checks, plan }: Cloud,
  recovery: RecoverySystem,
  until: number,
  withScans: boolean,
): void {
  const { quiet, traces, deadLetters, markers } = checks;
  const ifNotIdle = (isIdle: () => boolean, run: () => void) => (): void => {
    if (!isIdle()) run();
  };
  const nothingToScan = (): boolean => !faults.areOn() && quiet.isQuiet() && !traces.isOwing();
  const first = scheduler.now() + MINUTE_MS;
  for (let at = first; at < until; at += SCAN_EVERY_MS) {
    if (withScans) scheduler.at(at, at === first ? recovery.scanNow : ifNotIdle(nothingToScan, recovery.scanNow));
    scheduler.at(
      at + 20_000,
      ifNotIdle(() => deadLetters.rows.size === 0, recovery.announceNow),
    );
    scheduler.at(
      at + 40_000,
      ifNotIdle(() => !recovery.hasReplays() && !plan.isRecovered, recovery.continueReplays),
    );
    // Those of operators are planned with them.
    if (plan.isRecovered) scheduler.at(at + 50_000, recovery.continueRedrives);
  }
  const expire = (): void => {
    const now = scheduler.now();
    for (const [key, expiresAt] of markers.expiries) {
      const hasExpired = expiresAt * 1_000 <= now;
      // DynamoDB deletes "typically within a few days"; early deletion stands for wrong clocks and operators.
      const isRemoved = hasExpired ? !faults.strikes('ttl-late', key) : faults.strikes('ttl-early', key);
      if (isRemoved) engine.removeItem('Idempotency', { key }, { userIdentity: 'ttl' });
    }
  };
  for (let at = scheduler.now() + EXPIRE_EVERY_MS; at < until; at += EXPIRE_EVERY_MS) scheduler.at(at, expire);
  const { checkIdle } = recovery;
  for (let at = scheduler.now(); at < until; at += CHECK_IDLE_EVERY_MS) scheduler.at(at, checkIdle);
}

/** The scrub's own schedule, until `until`. */
export function planScrubs({ scheduler }: Cloud, scrub: ScrubSystem, until: number): void {
  for (let at = scheduler.now() + MINUTE_MS / 4; at < until; at += SCRUB_EVERY_MS) scheduler.at(at, scrub.scrubNow);
}

/** While faults are on, now and then an operator acts; a wrong moment must do no harm. */
export function planOperator({ scheduler, faults, plan }: Cloud, recovery: RecoverySystem, until: number): void {
  for (let at = scheduler.now() + 2 * MINUTE_MS; at < until; at += 2 * MINUTE_MS) {
    scheduler.at(at, () => {
      for (const { name } of plan.consumers) {
        if (faults.strikes('redrive-under-faults', name)) {
          const canary = faults.details('redrive-under-faults').chance(0.5);
          recovery.redrive(redriveRequest(name, { canary }));
          scheduler.after(MINUTE_MS, recovery.continueRedrives);
        }
        for (const mode of ['rewind', 'redeliver'] as const) {
          const kind = `${mode}-under-faults` as const;
          if (!faults.strikes(kind, name)) continue;
          const streamId = faults.details(kind).pick(plan.streams);
          recovery.replay({
            ...BY_OPERATOR,
            action: 'start',
            mode,
            consumer: name,
            selection: { streamId },
            dryRun: false,
          });
        }
        if (faults.strikes('discard-under-faults', name)) {
          recovery.redrive({ ...BY_OPERATOR, action: 'discard', selection: { consumer: name }, dryRun: false });
        }
      }
    });
  }
}

/** Faults are off and bugs fixed: everything that is parked or skipped is given back. */
export function redriveAll({ scheduler, plan, checks }: Cloud, recovery: RecoverySystem): void {
  const waiting = plan.consumers.filter(({ name }) => checks.deadLetters.hasOpen(name));
  for (const { name } of waiting) recovery.redrive(redriveRequest(name, { canary: false, force: true }));
  if (waiting.length > 0) scheduler.after(MINUTE_MS, recovery.continueRedrives);
}

const BY_OPERATOR = { requestedBy: 'simulation', reason: 'the bug is fixed' };

const redriveRequest = (consumer: string, options: { canary: boolean; force?: boolean }) => ({
  ...BY_OPERATOR,
  ...options,
  action: 'redrive',
  selection: { consumer },
  dryRun: false,
});
