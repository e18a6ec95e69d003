// What a fault took away for good. A lost stream record is an excuse until the relay has met a later record of its stream: then
// it owes everything before it. A lost wake-up of a backfill is one for the rest of the run: the scrub heals it. A stream that
// is excused need not be quiet before that.

export interface Excuses {
  /** A stream record was lost. */
  addRecord(streamId: string, version: number, why: string): void;
  /** A wake-up of a backfill was lost. */
  addBackfill(streamId: string, why: string): void;
  /** The relay is done with a record of this stream. */
  onRelayed(streamId: string, version: number): void;
  covers(streamId: string): boolean;
  /** Something of this stream was lost at some time. */
  hasLost(streamId: string): boolean;
  /** Streams that lost something. */
  readonly count: number;
}

export function createExcuses(note: (why: string) => void): Excuses {
  /** Last version that was lost, by stream. */
  const records = new Map<string, number>();
  const backfills = new Set<string>();
  const lost = new Set<string>();
  const say = (streamId: string, why: string): void => {
    note(`${streamId} may wait: ${why}`);
    lost.add(streamId);
  };
  return {
    addRecord: (streamId, version, why) => {
      say(streamId, why);
      records.set(streamId, Math.max(version, records.get(streamId) ?? 0));
    },
    addBackfill: (streamId, why) => {
      say(streamId, why);
      backfills.add(streamId);
    },
    onRelayed: (streamId, version) => {
      if (version > (records.get(streamId) ?? Number.POSITIVE_INFINITY)) records.delete(streamId);
    },
    covers: (streamId) => records.has(streamId) || backfills.has(streamId),
    hasLost: (streamId) => lost.has(streamId),
    get count() {
      return lost.size;
    },
  };
}

/** The stream that a body delivered by the bus or sent to a queue is about. */
export function streamOfBody(body: string): string {
  const parsed = JSON.parse(body) as { streamId?: string; detail?: { streamId?: string } };
  return parsed.streamId ?? parsed.detail?.streamId ?? '?';
}
