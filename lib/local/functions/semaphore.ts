// Lets only so many in at the same time, in the order in which they came. On AWS every environment has a processor of its
// own; on one machine a burst of cold starts, or twenty invocations at once, would take the processor from those whose
// time is running out.

export interface Semaphore {
  /** Resolves when it is this one's turn; call the result when done. */
  enter(): Promise<() => void>;
}

export function createSemaphore(limit: number): Semaphore {
  let inside = 0;
  const waiting: (() => void)[] = [];
  const leaveOnce = (): (() => void) => {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = waiting.shift();
      if (next) next();
      else inside -= 1;
    };
  };
  return {
    async enter() {
      if (inside < limit) inside += 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return leaveOnce();
    },
  };
}
