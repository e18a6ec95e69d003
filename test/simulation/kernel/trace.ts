// What happened, in order, and a running hash of it: two runs of one seed have the same hash or something is not
// deterministic. The text is kept only on request, because most runs are never read.

export interface TraceLine {
  /** Milliseconds since the start of the run. */
  atMs: number;
  actor: string;
  what: string;
}

export interface Trace {
  note(actor: string, what: string): void;
  /** 16 hex digits over everything noted so far. */
  hash(): string;
  readonly lines: readonly TraceLine[];
  readonly count: number;
}

export function createTrace(now: () => number, startAt: number, keepText: boolean): Trace {
  const lines: TraceLine[] = [];
  let high = 0xdeadbeef | 0;
  let low = 0x41c6ce57 | 0;
  let count = 0;

  const fold = (text: string): void => {
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      high = Math.imul(high ^ code, 2654435761);
      low = Math.imul(low ^ code, 1597334677);
    }
    high = (high << 13) | (high >>> 19);
    low = (low ^ high) | 0;
  };

  return {
    note: (actor, what) => {
      const atMs = now() - startAt;
      count++;
      high = Math.imul(high ^ atMs, 2246822507);
      fold(actor);
      fold(what);
      if (keepText) lines.push({ atMs, actor, what });
    },
    hash: () => (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0'),
    lines,
    get count() {
      return count;
    },
  };
}

/** One line as a reader wants it: minutes:seconds.milliseconds, who, what. */
export function formatLine({ atMs, actor, what }: TraceLine): string {
  const minutes = Math.floor(atMs / 60_000);
  const seconds = ((atMs % 60_000) / 1_000).toFixed(3).padStart(6, '0');
  return `${String(minutes).padStart(4)}:${seconds}  ${actor.padEnd(18)} ${what}`;
}
