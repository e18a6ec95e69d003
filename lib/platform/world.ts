// The real world, for the edges: the machine's clock and timers, random numbers, UUIDs.

import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { World } from './clock.ts';

export function createWorld(): World {
  return {
    clock: { now: () => Date.now() },
    timers: { sleep },
    random: { next: () => Math.random() },
    ids: { next: () => randomUUID() },
  };
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  try {
    await wait(ms, undefined, signal && { signal });
  } catch (error) {
    // Node wraps the reason into an AbortError; the port promises the reason itself.
    signal?.throwIfAborted();
    throw error;
  }
}
