// Stream records that a fault took away for good. The stream's next commit heals the log, or else the scrub; a stream that
// lost one is excused from being quiet before that.

export interface Excuses {
  add(streamId: string, why: string): void;
  covers(streamId: string): boolean;
  /** Streams that lost a record. */
  readonly count: number;
}

export function createExcuses(note: (why: string) => void): Excuses {
  const covered = new Set<string>();
  return {
    add: (streamId, why) => {
      note(`${streamId} may wait: ${why}`);
      covered.add(streamId);
    },
    covers: (streamId) => covered.has(streamId),
    get count() {
      return covered.size;
    },
  };
}

/** The stream that a body delivered by the bus or sent to a queue is about. */
export function streamOfBody(body: string): string {
  const parsed = JSON.parse(body) as { streamId?: string; detail?: { streamId?: string } };
  return parsed.streamId ?? parsed.detail?.streamId ?? '?';
}
