// The bookkeeping of one injected fault: how often it fired, who waits for that, and when it is spent.

import { EventRecoveryError } from '../../model/errors.ts';
import type { FaultHandle } from '../../recovery/drill/faults.ts';

export interface CountedHandle extends FaultHandle {
  fire(): void;
}

const DEFAULT_WAIT_MS = 60_000;

export function countedHandle(description: string, onRemove: () => void): CountedHandle {
  let fired = 0;
  const listeners: (() => void)[] = [];
  const waiting = new Set<{ count: number; done: () => void }>();
  return {
    get fired() {
      return fired;
    },
    fire() {
      fired += 1;
      for (const listener of listeners) listener();
      for (const waiter of waiting) if (fired >= waiter.count) waiter.done();
    },
    async whenFired({ count = 1, timeoutMs = DEFAULT_WAIT_MS } = {}) {
      if (fired >= count) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiter = { count, done: resolve };
      waiting.add(waiter);
      const timer = setTimeout(() => reject(notFired(description, count, fired, timeoutMs)), timeoutMs);
      try {
        await promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(waiter);
      }
    },
    onFire: (listener) => void listeners.push(listener),
    remove: onRemove,
  };
}

const notFired = (description: string, count: number, fired: number, timeoutMs: number): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_FAULT_NOT_FIRED',
    `${description}: fired ${fired} of ${count} times within ${timeoutMs} ms; remedy: check that the function makes this call`,
    { facts: { description, count, fired, timeoutMs } },
  );
