// The simulation's world without faults, for playing parity scenarios: virtual time moves while somebody waits for something.

import { asMacrotask } from '../simulation/kernel/drain.ts';
import { createProcess, type SimulatedProcess } from '../simulation/kernel/process.ts';
import { createScheduler, type Scheduler, START_OF_TIME } from '../simulation/kernel/scheduler.ts';
import { createTrace, type Trace } from '../simulation/kernel/trace.ts';
import { createFaults, type Faults } from '../simulation/world/faults.ts';
import { type CallPort, createCallPort } from '../simulation/world/port-calls.ts';
import { createSleepers } from '../simulation/world/sleepers.ts';

export interface VirtualTime {
  scheduler: Scheduler;
  faults: Faults;
  trace: Trace;
  process: SimulatedProcess;
  call: CallPort;
  /** Runs the world until this is settled. */
  until<T>(work: () => Promise<T>): Promise<T>;
  pass(ms: number): Promise<void>;
}

const MAX_STEPS = 10_000;
const LIMIT_MS = 60 * 60_000;

export async function openVirtualTime(): Promise<VirtualTime> {
  const scheduler = await asMacrotask((drain) => createScheduler(drain));
  const trace = createTrace(scheduler.now, START_OF_TIME, false);
  const faults = createFaults({ seed: 1, rates: {}, from: 0, until: 0 }, scheduler.now, trace);
  const disturbed = (): void => undefined;
  return {
    scheduler,
    trace,
    faults,
    process: createProcess(scheduler, { name: 'caller', seed: 1, skewMs: 0 }),
    call: createCallPort({
      scheduler,
      faults,
      trace,
      seed: 1,
      disturbed,
      sleepers: createSleepers(scheduler, disturbed),
    }),
    async until(work) {
      let isSettled = false;
      const settle = (): void => {
        isSettled = true;
      };
      const promise = work();
      promise.then(settle, settle);
      const end = await asMacrotask(() =>
        scheduler.run({ until: scheduler.now() + LIMIT_MS, maxSteps: MAX_STEPS, done: () => isSettled }),
      );
      if (!isSettled) throw new Error(`nothing settles it: ${end}`);
      return promise;
    },
    async pass(ms) {
      const until = scheduler.now() + ms;
      // Virtual time only moves to something that is planned.
      scheduler.at(until, () => undefined);
      await asMacrotask(() => scheduler.run({ until, maxSteps: MAX_STEPS }));
    },
  };
}
