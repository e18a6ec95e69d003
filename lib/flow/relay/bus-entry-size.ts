// What fits into one entry of PutEvents, and into the SQS message that a rule makes of it. Pure. A body that does not fit
// is left out: the entry stays a valid wake-up, and the consumer reads the event from the store.
//
// Limits: "the total entry size must be less than 1MB" for the entries of one request (API reference of PutEvents, text in
// @aws-sdk/client-eventbridge 3.1141; AWS Compute Blog of 2026-01-29: 1 MB for EventBridge, SQS and asynchronous Lambda).
// An entry counts its source, detail type and detail in UTF-8 bytes (EventBridge User Guide, "Calculating PutEvents
// event entry size"). SQS takes 1,048,576 bytes, and the rule adds an envelope (id, account, time, region, ...) of about 300
// bytes. 1 MB is read as 1,000,000 and 2,000 are kept for the envelope, so that both fit. Where a partition still has
// 256 KB, the failed entry is sent again without its body.

import type { Json } from '../../model/event.ts';
import { BUS_SOURCE, type EventDetail } from '../../model/wake-up.ts';
import type { BusEntry } from './port.ts';

/** Entries of one PutEvents request (API reference: array of at most 10). */
export const REQUEST_MAX_ENTRIES = 10;
export const REQUEST_MAX_BYTES = 998_000;
/** "PutEvents will only process nested JSON up to 1000 levels deep": the detail is the first level. */
export const BODY_MAX_DEPTH = 998;
/** PutEvents takes JSON integers from -2^63 to 2^63 - 1. */
const INTEGER_BOUND = 2 ** 63;

/** An entry as text, with the bytes that PutEvents counts. */
export interface EncodedEntry {
  detailType: string;
  detail: string;
  bytes: number;
}

/** The entry as it is sent: with its body when that is allowed and fits, otherwise without. */
export function encodeEntry(entry: BusEntry, options: { maxBytes?: number; withoutBody?: boolean } = {}): EncodedEntry {
  const whole = options.withoutBody ? undefined : encodeWhole(entry);
  if (whole !== undefined && whole.bytes <= (options.maxBytes ?? REQUEST_MAX_BYTES)) return whole;
  return encodedEntry(entry.detailType, JSON.stringify(detailWithoutBody(entry.detail as EventDetail)));
}

function encodeWhole(entry: BusEntry): EncodedEntry | undefined {
  const body = entry.kind === 'event' ? entry.detail.data : null;
  return isCarried(body as Json) ? encodedEntry(entry.detailType, JSON.stringify(entry.detail)) : undefined;
}

export function encodedEntry(detailType: string, detail: string): EncodedEntry {
  const bytes = Buffer.byteLength(BUS_SOURCE) + Buffer.byteLength(detailType) + Buffer.byteLength(detail);
  return { detailType, detail, bytes };
}

const detailWithoutBody = ({ data: _, ...rest }: EventDetail): EventDetail => ({ ...rest, bodyOmitted: true });

/** Whether EventBridge takes this JSON: not too deep, no integer beyond 64 bits. Walks without recursion. */
export function isCarried(body: Json): boolean {
  let level: Json[] = [body];
  for (let depth = 1; level.length > 0; depth += 1) {
    const next: Json[] = [];
    for (const value of level) {
      if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) >= INTEGER_BOUND) return false;
      if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) next.push(inner);
    }
    if (next.length > 0 && depth > BODY_MAX_DEPTH) return false;
    level = next;
  }
  return true;
}

/** Cuts the entries into requests of at most 10 entries and 998,000 bytes, in order. */
export function inRequests<Entry extends EncodedEntry>(
  entries: readonly Entry[],
  maxBytes = REQUEST_MAX_BYTES,
): Entry[][] {
  const requests: Entry[][] = [];
  let request: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (request.length === REQUEST_MAX_ENTRIES || (request.length > 0 && bytes + entry.bytes > maxBytes)) {
      requests.push(request);
      request = [];
      bytes = 0;
    }
    request.push(entry);
    bytes += entry.bytes;
  }
  return request.length > 0 ? [...requests, request] : requests;
}
