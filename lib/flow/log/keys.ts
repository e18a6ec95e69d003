// Keys of the Log table, and the arithmetic of positions and buckets. Pure. A page lives in the bucket of its FIRST
// position, so a page that crosses a bucket's end stays where it began and the next bucket begins with the page after it.

import type { Position } from '../../model/ids.ts';

/** The one log partition of today; a second one is the way past the throughput of one head. */
export const LOG_PARTITION = '0';
/** Positions per bucket. A bucket of 2^20 positions keeps a partition key below DynamoDB's 10 GB at 10 KB an event entry. */
export const BUCKET_POSITIONS = 2 ** 20;
/** Decimal digits of `Number.MAX_SAFE_INTEGER`, so that text order is number order. */
export const PADDED_DIGITS = 16;

export interface LogKey {
  pk: string;
  sk: string;
}

/** @example padded(7) // '0000000000000007' */
export const padded = (number: number): string => String(number).padStart(PADDED_DIGITS, '0');

/** The bucket that a page beginning at this position (1-based) lives in. */
export const bucketOf = (position: number): number => Math.floor((position - 1) / BUCKET_POSITIONS);

export const pagePartition = (bucket: number): string => `page#${LOG_PARTITION}#${bucket}`;

export const pageKey = (firstPosition: Position): LogKey => ({
  pk: pagePartition(bucketOf(firstPosition)),
  sk: padded(firstPosition),
});

const DIRECTORY_PREFIX = 'stream#';
export const directoryKey = (streamId: string): LogKey => ({ pk: `${DIRECTORY_PREFIX}${streamId}`, sk: 'head' });
export const streamIdOfDirectoryKey = (pk: string): string => pk.slice(DIRECTORY_PREFIX.length);

/** One stream's backfill that goes on in wake-ups of its own. */
export const backfillKey = (streamId: string): LogKey => ({ pk: `${DIRECTORY_PREFIX}${streamId}`, sk: 'backfill' });

export const INCIDENT_PARTITION = 'incident';
export const incidentKey = (incident: { streamId: string; version: number; kind: string }): LogKey => ({
  pk: INCIDENT_PARTITION,
  sk: `${incident.streamId}#${padded(incident.version)}#${incident.kind}`,
});
