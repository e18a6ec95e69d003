// Deliveries that a fault took away for good. Until somebody scans for gaps, only the stream's next wake-up heals them, so
// whoever waits for one of these is excused from being quiet before that.

export interface Excuses {
  /** `consumer` absent: everybody. */
  add(streamId: string, consumer: string | undefined, why: string): void;
  covers(consumer: string, streamId: string): boolean;
  clear(): void;
}

export function createExcuses(note: (why: string) => void): Excuses {
  const covered = new Set<string>();
  return {
    add: (streamId, consumer, why) => {
      note(`${consumer ?? 'every consumer'} may wait on ${streamId}: ${why}`);
      covered.add(`${consumer ?? '*'}|${streamId}`);
    },
    covers: (consumer, streamId) => covered.has(`*|${streamId}`) || covered.has(`${consumer}|${streamId}`),
    clear: () => covered.clear(),
  };
}

/** The stream that a body delivered by the bus or sent to a queue is about. */
export function streamOfBody(body: string): string {
  const parsed = JSON.parse(body) as { streamId?: string; detail?: { streamId?: string } };
  return parsed.streamId ?? parsed.detail?.streamId ?? '?';
}
