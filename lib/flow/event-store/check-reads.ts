// Arguments of the reading methods, checked before anything is read.

import { InvalidInputError } from '../../model/errors.ts';
import { type Position, position, type StreamId, streamId, type Version } from '../../model/ids.ts';
import { READ_ALL_MAX_EVENTS } from './limits.ts';
import type { ReadOptions } from './port.ts';

export interface CheckedRead {
  streamId: StreamId;
  /** Absent: from the end (backwards only). */
  fromVersion?: Version;
  direction: 'forwards' | 'backwards';
  /** `Infinity`: no limit. */
  limit: number;
  consistent: boolean;
}

/** @throws InvalidInputError `INVALID_STREAM_ID`, `INVALID_FROM_VERSION`, `INVALID_READ_OPTIONS` */
export function checkRead(rawStreamId: unknown, rawFrom: unknown, options: ReadOptions = {}): CheckedRead {
  const { direction = 'forwards', limit = Number.POSITIVE_INFINITY, consistent = true } = options;
  if (direction !== 'forwards' && direction !== 'backwards') {
    throw invalidOption('direction', direction, '"forwards" or "backwards"');
  }
  if (limit !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(limit) && limit >= 1)) {
    throw invalidOption('limit', limit, 'a whole number from 1, or nothing for no limit');
  }
  if (typeof consistent !== 'boolean') throw invalidOption('consistent', consistent, 'true or false');
  const id = streamId(rawStreamId);
  if (rawFrom === undefined) {
    return {
      streamId: id,
      direction,
      limit,
      consistent,
      ...(direction === 'forwards' && { fromVersion: 1 as Version }),
    };
  }
  if (!Number.isSafeInteger(rawFrom) || (rawFrom as number) < 1) {
    throw new InvalidInputError('INVALID_FROM_VERSION', {
      what: 'fromVersion',
      got: rawFrom,
      allowed: 'a whole number from 1',
      remedy: 'pass 1, or nothing, to read from the first event',
    });
  }
  return { streamId: id, fromVersion: rawFrom as Version, direction, limit, consistent };
}

const invalidOption = (name: string, got: unknown, allowed: string): InvalidInputError =>
  new InvalidInputError('INVALID_READ_OPTIONS', { what: `options.${name}`, got, allowed, remedy: `leave ${name} out` });

/** @throws InvalidInputError `INVALID_POSITION`, `INVALID_BATCH_SIZE` */
export function checkReadAll(rawPosition: unknown, rawBatchSize: unknown): { from: Position; batchSize: number } {
  const from = position(rawPosition);
  const batchSize = rawBatchSize as number;
  if (Number.isSafeInteger(batchSize) && batchSize >= 1 && batchSize <= READ_ALL_MAX_EVENTS) return { from, batchSize };
  throw new InvalidInputError('INVALID_BATCH_SIZE', {
    what: 'batch size',
    got: rawBatchSize,
    allowed: `a whole number from 1 to ${READ_ALL_MAX_EVENTS}`,
    remedy: 'read several batches, each from the position of the last event of the one before',
  });
}

/** @throws InvalidInputError `INVALID_TIME_RANGE` */
export function checkTimeRange(rawFrom: unknown, rawTo: unknown): { fromMs: number; toMs: number } {
  const fromMs = timeOf(rawFrom);
  const toMs = timeOf(rawTo);
  if (fromMs <= toMs) return { fromMs, toMs };
  throw new InvalidInputError('INVALID_TIME_RANGE', {
    what: 'time range',
    got: [rawFrom, rawTo].map((raw) => (Number.isFinite(timeOf(raw)) ? raw : `no valid Date: ${String(raw)}`)),
    allowed: 'two valid Dates, the first not after the second',
    remedy: 'pass from and to as Date objects, both are included',
  });
}

const timeOf = (raw: unknown): number =>
  Object.prototype.toString.call(raw) === '[object Date]' ? (raw as Date).getTime() : Number.NaN;
