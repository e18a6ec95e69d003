// What every event source mapping offers to the rest of the local system, and the gate that pauses one.

export interface Mapping {
  id: string;
  functionName: string;
  sourceArn: string;
  start(): void;
  /** Resolves when nothing of this mapping is in flight any more. */
  pause(): Promise<void>;
  resume(): void;
  stop(): void;
  /** Invocations under way. */
  readonly inFlight: number;
}

/** A gate in front of a loop: open, closed for a while, or ended. */
export interface Gate {
  /** Resolves when open; false when ended. */
  pass(): Promise<boolean>;
  close(): void;
  open(): void;
  end(): void;
  readonly ended: boolean;
}

export function createGate(): Gate {
  let state: 'open' | 'closed' | 'ended' = 'open';
  let waiting: (() => void)[] = [];
  const wake = (): void => {
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };
  return {
    async pass() {
      while (state === 'closed') await new Promise<void>((resolve) => waiting.push(resolve));
      return state === 'open';
    },
    close() {
      if (state === 'open') state = 'closed';
    },
    open() {
      if (state === 'closed') state = 'open';
      wake();
    },
    end() {
      state = 'ended';
      wake();
    },
    get ended() {
      return state === 'ended';
    },
  };
}
