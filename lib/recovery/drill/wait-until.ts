// Waiting for a condition, never for a time: polls until something is there, and says what was missing when it is not.

import { setTimeout as sleep } from 'node:timers/promises';
import { EventRecoveryError } from '../../model/errors.ts';

export interface WaitOptions {
  /** @default 30000 */
  timeoutMs?: number;
  /** @default 100 */
  pollMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_POLL_MS = 100;

/**
 * The first value of `probe` that is not undefined.
 * @throws EventRecoveryError `WAITED_IN_VAIN` after the timeout
 * @example const rows = await waitUntil('two effects', async () => { const found = await read(); return found.length >= 2 ? found : undefined; });
 */
export async function waitUntil<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  { timeoutMs = DEFAULT_TIMEOUT_MS, pollMs = DEFAULT_POLL_MS }: WaitOptions = {},
): Promise<T> {
  const started = performance.now();
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() - started > timeoutMs) throw inVain(what, timeoutMs);
    await sleep(pollMs);
  }
}

const inVain = (what: string, timeoutMs: number): EventRecoveryError =>
  new EventRecoveryError('WAITED_IN_VAIN', `waited ${timeoutMs} ms for ${what}; remedy: look at the functions' logs`, {
    facts: { what, timeoutMs },
  });
