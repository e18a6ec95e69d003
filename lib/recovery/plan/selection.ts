// Which events a selection means, decided entry by entry of the log. Pure but for the check against the log's head.

import * as z from 'zod/mini';
import type { LogEntry } from '../../flow/log/port.ts';
import { InvalidInputError } from '../../model/errors.ts';
import { eventType, type Position, streamId } from '../../model/ids.ts';
import type { Selection } from './port.ts';

const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));
const whole = (minimum: number) => z.number().check(z.int(), z.gte(minimum));

export const SELECTION = z.strictObject({
  everything: z.optional(z.literal(true)),
  streamId: z.optional(text(256)),
  streamPrefix: z.optional(text(256)),
  eventTypes: z.optional(z.array(text(128)).check(z.minLength(1), z.maxLength(100))),
  fromPosition: z.optional(whole(1)),
  toPosition: z.optional(whole(1)),
  fromTimeMs: z.optional(whole(0)),
  toTimeMs: z.optional(whole(0)),
});

/** @throws InvalidInputError `EMPTY_SELECTION`, `CONTRADICTORY_SELECTION`, `INVERTED_RANGE`, `RANGE_PAST_HEAD`, or for bad names */
export function checkSelection(selection: Selection, head: Position, now: number): void {
  const { everything, fromPosition, toPosition, fromTimeMs, toTimeMs } = selection;
  const fields = Object.entries(selection).filter(([, value]) => value !== undefined);
  if (fields.length === 0) {
    throw new InvalidInputError('EMPTY_SELECTION', {
      what: 'selection',
      got: selection,
      allowed: 'streamId, streamPrefix, eventTypes, a range of positions or times, or "everything": true',
      remedy: 'say "everything": true to take every stream on purpose',
    });
  }
  const isBoth = selection.streamId !== undefined && selection.streamPrefix !== undefined;
  if ((everything && fields.length > 1) || isBoth) {
    throw new InvalidInputError('CONTRADICTORY_SELECTION', {
      what: 'selection',
      got: selection,
      allowed: '"everything" alone; a stream or a prefix, not both',
      remedy: 'leave one of them out',
    });
  }
  if (selection.streamId !== undefined) streamId(selection.streamId);
  for (const type of selection.eventTypes ?? []) eventType(type);
  checkRange('positions', fromPosition, toPosition);
  checkRange('times', fromTimeMs, toTimeMs);
  for (const [what, got, end] of [
    ['fromPosition', fromPosition, head],
    ['toPosition', toPosition, head],
    ['fromTimeMs', fromTimeMs, now],
  ] as const) {
    if (got === undefined || got <= end) continue;
    throw new InvalidInputError('RANGE_PAST_HEAD', {
      what,
      got,
      allowed: what === 'fromTimeMs' ? `at most ${now}, which is now` : `at most ${head}, the log's head`,
      remedy:
        'events that do not exist yet are delivered when they happen; end the range at the head, or leave it open',
    });
  }
}

function checkRange(what: string, from: number | undefined, to: number | undefined): void {
  if (from === undefined || to === undefined || from <= to) return;
  throw new InvalidInputError('INVERTED_RANGE', {
    what: `range of ${what}`,
    got: { from, to },
    allowed: 'a beginning that is not after the end',
    remedy: 'swap them',
  });
}

/** Does the selection mean this event of the entry? `index` counts from 0 inside the commit. */
export function createSelector(selection: Selection): (entry: LogEntry, index: number) => boolean {
  const types = selection.eventTypes && new Set(selection.eventTypes);
  const { streamId: stream, streamPrefix: prefix, fromTimeMs, toTimeMs } = selection;
  const { fromPosition = 0, toPosition = Number.POSITIVE_INFINITY } = selection;
  return (entry, index) => {
    const position = entry.position + index;
    return (
      (stream === undefined || entry.streamId === stream) &&
      (prefix === undefined || entry.streamId.startsWith(prefix)) &&
      position >= fromPosition &&
      position <= toPosition &&
      (fromTimeMs === undefined || entry.recordedAt >= fromTimeMs) &&
      (toTimeMs === undefined || entry.recordedAt <= toTimeMs) &&
      (types === undefined || types.has(entry.types[index] as string))
    );
  };
}
