// Waits until the system is quiet: no message waits, is being worked on or is delayed, and nothing is under way, for a
// few seconds in a row. Only then may the books be compared: a message that still comes back could double an effect.

import { setTimeout as sleep } from 'node:timers/promises';
import type { DrillContext } from './context.ts';

export interface SettleOptions {
  /** How long it may take. @default 240000: three visibility timeouts of 60 s, and as much again for a slow machine */
  limitMs?: number;
}

const DEFAULT_LIMIT_MS = 240_000;
const POLL_MS = 250;
/** Longer than the pauses of every poller. */
const QUIET_MS = 3_000;
const TELL_MS = 5_000;

/** Returns false, and books a problem, when the system did not become quiet in time. */
export async function settle(
  context: DrillContext,
  { limitMs = DEFAULT_LIMIT_MS }: SettleOptions = {},
): Promise<boolean> {
  const started = performance.now();
  let quietSince: number | undefined;
  let told = started;
  for (;;) {
    const now = performance.now();
    const { busy, text } = await activity(context);
    if (busy > 0) quietSince = undefined;
    else quietSince ??= now;
    if (quietSince !== undefined && now - quietSince >= QUIET_MS) return true;
    if (now - started > limitMs) {
      context.problem(`not quiet after ${Math.round(limitMs / 1_000)} s: ${text}`);
      return false;
    }
    if (now - told > TELL_MS) {
      told = now;
      context.progress(text);
    }
    await sleep(POLL_MS);
  }
}

async function activity(context: DrillContext): Promise<{ busy: number; text: string }> {
  const queues = (await context.system.queues()).filter((queue) => !queue.isDeadLetterQueue);
  const sum = (pick: (queue: (typeof queues)[number]) => number): number =>
    queues.reduce((total, queue) => total + pick(queue), 0);
  const waiting = sum((queue) => queue.waiting);
  const hidden = sum((queue) => queue.inFlight);
  const delayed = sum((queue) => queue.delayed);
  const running = context.system.inFlight();
  const effects = context.workload.consumers
    .map(({ name, eventTypes }) => {
      const wanted = context.ledger.entries.filter((entry) => eventTypes.includes(entry.type)).length;
      return `${name} ${context.orderOf(name).length}/${wanted}`;
    })
    .join(', ');
  const busy = waiting + hidden + delayed + running;
  if (busy === hidden && hidden > 0) {
    return {
      busy,
      text: `effects: ${effects}; ${hidden} messages of ended functions come back after their visibility timeout`,
    };
  }
  const text = `effects: ${effects}; messages: ${waiting} waiting, ${hidden} in work, ${delayed} delayed; ${running} invocations`;
  return { busy, text };
}
