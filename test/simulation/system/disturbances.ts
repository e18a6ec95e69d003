// Which faults hit which process, and when: the ledger's explanation for work that was done again and for tries that were
// cut off. Only what the world did counts, not what the consumer's own react did.

import type { SimulatedProcess } from '../kernel/process.ts';

export interface Disturbances {
  /** A fault of the world hits the process. */
  note(process: SimulatedProcess): void;
  /** The process ended badly, whoever caused it. */
  noteEnd(process: SimulatedProcess): void;
  /** The last time anything happened to the process; 0 for never. */
  lastAt(process: SimulatedProcess): number;
  /** Faults of the world that hit the processes of a function. */
  countOf(functionName: string): number;
}

export function createDisturbances(now: () => number): Disturbances {
  const last = new WeakMap<SimulatedProcess, number>();
  const counts = new Map<string, number>();
  return {
    note: (process) => {
      last.set(process, now());
      const functionName = process.name.slice(0, process.name.indexOf('/'));
      counts.set(functionName, (counts.get(functionName) ?? 0) + 1);
    },
    noteEnd: (process) => {
      last.set(process, now());
    },
    lastAt: (process) => last.get(process) ?? 0,
    countOf: (functionName) => counts.get(functionName) ?? 0,
  };
}
