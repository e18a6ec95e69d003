// Makes a kill hit exactly one call. A process that works on several streams at once has other calls of the same kind
// under way; before it is killed, new ones are held back and the rest may finish, so that only the chosen call is cut off.

import { setTimeout as sleep } from 'node:timers/promises';

interface CallOf {
  pid: number;
  service: string;
  operation: string;
}

export interface CutOffs {
  /** Counts a call in. False: its process is being killed, and this call must not be carried out. */
  enter(call: CallOf): Promise<boolean>;
  leave(call: CallOf): void;
  /** Returns when only this call of the process is left. */
  isolate(call: CallOf): Promise<void>;
  /** The process is dead: whoever was held back is let go, unserved. */
  killed(pid: number): void;
}

/** A process makes its next call within this time, or it waits for the one that is held. */
const QUIET_MS = 60;
/** Well under every function's timeout. */
const LIMIT_MS = 1_500;
const POLL_MS = 10;

export function createCutOffs(): CutOffs {
  const underWay = new Map<number, number>();
  const isolated = new Map<number, { service: string; operation: string; dead: PromiseWithResolvers<void> }>();
  const count = (pid: number, change: number): void => {
    const now = (underWay.get(pid) ?? 0) + change;
    if (now > 0) underWay.set(pid, now);
    else underWay.delete(pid);
  };
  return {
    async enter({ pid, service, operation }) {
      const kill = isolated.get(pid);
      if (kill && kill.service === service && kill.operation === operation) {
        await kill.dead.promise;
        return false;
      }
      count(pid, 1);
      return true;
    },
    leave: ({ pid }) => count(pid, -1),
    async isolate({ pid, service, operation }) {
      isolated.set(pid, { service, operation, dead: Promise.withResolvers<void>() });
      const started = performance.now();
      let quietSince = started;
      for (;;) {
        const now = performance.now();
        if ((underWay.get(pid) ?? 0) > 1) quietSince = now;
        if (now - quietSince >= QUIET_MS || now - started > LIMIT_MS) return;
        await sleep(POLL_MS);
      }
    },
    killed(pid) {
      isolated.get(pid)?.dead.resolve();
      isolated.delete(pid);
    },
  };
}
