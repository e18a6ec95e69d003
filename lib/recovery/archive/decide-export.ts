// What the archive should do next. Pure. Times are whole seconds, in milliseconds, because exports know no finer ones.

import type { ArchiveState, PendingExport } from './port.ts';

/** Developer Guide, "Requesting a table export in DynamoDB": an incremental export spans 15 minutes to 24 hours. */
export const SPAN_MIN_MS = 15 * 60_000;
export const SPAN_MAX_MS = 24 * 60 * 60_000;
/** An export reaches up to here before now: point-in-time recovery itself lags about five minutes (Developer Guide). */
export const SETTLED_MS = 5 * 60_000;

export type NextExport =
  | { kind: 'start'; order: Omit<PendingExport, 'requestedAt'>; broken?: string }
  | { kind: 'wait'; until: number };

export interface ExportTimes {
  now: number;
  /** What can be exported. */
  earliest: number;
  latest: number;
  /** Span of an increment: SPAN_MIN_MS to SPAN_MAX_MS. */
  spanMs: number;
}

/**
 * @example decideExport({ failures: 0, revision: 0, updatedAt: 0 }, times); // { kind: 'start', order: { kind: 'full', ... } }
 */
export function decideExport(state: ArchiveState, { now, earliest, latest, spanMs }: ExportTimes): NextExport {
  const settled = wholeSecond(Math.min(now - SETTLED_MS, latest));
  const { coveredTo, failures } = state;
  const full = (broken?: string): NextExport => {
    const to = Math.max(settled, ceilSecond(earliest));
    const order = { kind: 'full' as const, from: to, to, clientToken: token('full', to, to, failures) };
    return { kind: 'start', order, ...(broken !== undefined && { broken }) };
  };
  if (coveredTo === undefined) return full();
  if (coveredTo < earliest) {
    return full(`it was covered up to ${iso(coveredTo)}, and only times from ${iso(earliest)} on can be exported`);
  }
  const to = Math.min(settled, coveredTo + SPAN_MAX_MS);
  if (to - coveredTo < spanMs) return { kind: 'wait', until: coveredTo + spanMs + SETTLED_MS };
  const clientToken = token('incremental', coveredTo, to, failures);
  return { kind: 'start', order: { kind: 'incremental', from: coveredTo, to, clientToken } };
}

/** At most 1,024 characters are allowed. A failed window gets another token, or DynamoDB would answer with the failed export. */
const token = (kind: string, from: number, to: number, failures: number): string =>
  `archive-${kind}-${from / 1_000}-${to / 1_000}-${failures}`;

const wholeSecond = (ms: number): number => Math.floor(ms / 1_000) * 1_000;
const ceilSecond = (ms: number): number => Math.ceil(ms / 1_000) * 1_000;
const iso = (ms: number): string => new Date(ms).toISOString();
