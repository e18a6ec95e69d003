// Hears every change of every table at the moment it happens and hands it to the checks, the changes of one request
// together and causes before effects. It also knows who sent the request.

import type { OnChange } from '../../../lib/platform/dynamodb/memory/table.ts';
import { type Change, type Item, inOrderOfCause } from './change.ts';

export interface Observer {
  onChange: OnChange;
  /** Runs one request of `by` and then lets the checks look at what it changed. */
  during<T>(by: string, request: () => T): T;
}

export function createObserver(look: (change: Change) => void): Observer {
  let pending: Change[] = [];
  let sender = 'nobody';

  const flush = (): void => {
    if (pending.length === 0) return;
    const changes = pending;
    pending = [];
    if (changes.length === 1) look(changes[0] as Change);
    else for (const change of inOrderOfCause(changes)) look(change);
  };

  return {
    onChange: (table, before, after) => {
      pending.push({ table, before: before as Item | undefined, after: after as Item | undefined, by: sender });
    },
    during: (by, request) => {
      sender = by;
      try {
        return request();
      } finally {
        flush();
        sender = 'nobody';
      }
    },
  };
}
