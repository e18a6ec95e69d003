// Runs the deployed gap scan again and again until it says that nothing is missing, as its schedule does, only that nobody
// waits five minutes for it. The answers are the scan's; what was really lost is the ledger's business.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ScanResult } from '../gap/port.ts';
import type { ScanOutcome } from '../gap/scan.ts';
import type { DrillContext } from './context.ts';
import { settle } from './settle.ts';

const SCAN = 'ScanGaps';
const PAUSE_MS = 5_000;
/** The grace of a minute, the log's lag, and one wake-up that itself gets lost. */
const PATIENCE_MS = 240_000;

export interface Scanned {
  scans: number;
  /** Distinct streams of this drill that were named as gaps, per consumer. */
  found: Record<string, number>;
  wakeUps: number;
  seconds: number;
}

/** Books a problem when the scan does not come to `complete` in time. */
export async function scanUntilComplete(context: DrillContext): Promise<Scanned> {
  const started = performance.now();
  const found = new Map<string, Set<string>>();
  let [scans, wakeUps] = [0, 0];
  const seconds = (): number => Math.round((performance.now() - started) / 1_000);
  const counts = (): Record<string, number> =>
    Object.fromEntries([...found].map(([consumer, streams]) => [consumer, streams.size]));
  for (;;) {
    const outcome = (await context.system.invoke(SCAN, {
      requestedBy: 'drill',
      reason: context.prefix,
    })) as ScanOutcome;
    scans += 1;
    if (outcome.kind === 'scanned') {
      for (const { consumer, listed, wakeUps: sent } of outcome.result.consumers) {
        const streams = found.get(consumer) ?? new Set();
        for (const { streamId } of listed) if (streamId.startsWith(context.prefix)) streams.add(streamId);
        found.set(consumer, streams);
        wakeUps += sent;
      }
      context.progress(`scan ${scans}: ${describe(outcome.result)}`);
      if (isComplete(outcome.result)) return { scans, found: counts(), wakeUps, seconds: seconds() };
    }
    if (performance.now() - started > PATIENCE_MS) {
      context.problem(`the gap scan did not come to "complete" in ${PATIENCE_MS / 1_000} s`);
      return { scans, found: counts(), wakeUps, seconds: seconds() };
    }
    await sleep(PAUSE_MS);
    await settle(context);
  }
}

/** Everything up to the head was looked at: what is younger than the grace keeps a scan from its end. */
const isComplete = ({ consumers, reachedHead }: ScanResult): boolean =>
  reachedHead && consumers.every(({ state }) => state === 'complete');

const describe = ({ consumers, reachedHead }: ScanResult): string =>
  `${consumers.map(({ consumer, state, gaps, lagging }) => `${consumer} ${state}, ${gaps} gaps, ${lagging} lagging`).join('; ')}${reachedHead ? '' : '; the newest events are too young to be looked at'}`;
