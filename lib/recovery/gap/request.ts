// Input of the scan: from the schedule (everything by default) or from an operator. Errors of an operator's call are an
// answer with their code; a scheduled scan throws, so that Lambda tries again and its dead-letter queue sees it.

import * as z from 'zod/mini';
import { isEventRecoveryError } from '../../model/errors.ts';
import { checkInput } from '../input/check.ts';
import { DEFAULT_BOUNDS } from './decide-stream.ts';
import type { FilledBatch } from './fill-batch.ts';
import type { ScanResult } from './port.ts';
import type { ScanInput, ScanOutcome } from './scan.ts';

/** Six times what a relay, a bus and a queue need on a bad day; above it nobody says that nothing is missing. */
export const LOG_LAG_BOUND_MS = 2 * 60_000;
/** 100 BatchGetItems of 100 checkpoints and as many rows as are owed: a few seconds, half a minute when all are gaps. */
export const MAX_STREAMS = 10_000;
/** Streams that one consumer of 10 concurrent invocations catches up with between two scans, generously. */
export const MAX_WAKE_UPS = 1_000;
/** Time kept for the end of the scan: its last batch, wake-ups, result. */
const RESERVE_MS = 60_000;

const REQUEST = z.strictObject({
  dryRun: z.optional(z.boolean()),
  /** Answer the newest stored result instead of scanning. */
  last: z.optional(z.boolean()),
  /** Younger events are on their way. A system that stands still can be asked for less. @default 60 */
  graceSeconds: z.optional(z.number().check(z.int(), z.nonnegative(), z.lte(3_600))),
  /** Fill one batch of known gaps instead of scanning. */
  fill: z.optional(
    z.strictObject({
      consumer: z.string(),
      from: z.string().check(z.minLength(1)),
      to: z.string().check(z.minLength(1)),
    }),
  ),
  requestedBy: z.optional(z.string().check(z.minLength(1), z.maxLength(256))),
  reason: z.optional(z.string().check(z.minLength(1), z.maxLength(1_000))),
});

export type ScanRequest = z.infer<typeof REQUEST>;

/** What the newest scan found; without `result` when there was none yet. */
export interface LastScan {
  kind: 'last';
  result?: ScanResult;
}

export interface FailedScan {
  error: { code: string; message: string; retryable: boolean; facts: Record<string, unknown> };
}

/** EventBridge's own envelope, as a scheduled rule sends it. */
export const isScheduled = (event: unknown): boolean =>
  typeof event === 'object' && event !== null && (event as { source?: unknown }).source === 'aws.events';

/** @throws InvalidInputError `INVALID_INPUT` */
export const scanRequest = (event: unknown): ScanRequest =>
  isScheduled(event) ? {} : checkInput(REQUEST, event ?? {}, 'scan-gaps');

/** @param remainingMs until the function is ended; the lease lasts as long, so that nobody waits for a dead scan longer */
export const scanInput = ({ dryRun, graceSeconds }: ScanRequest, remainingMs: number): ScanInput => ({
  bounds: graceSeconds === undefined ? DEFAULT_BOUNDS : { ...DEFAULT_BOUNDS, graceMs: graceSeconds * 1_000 },
  logLagBoundMs: LOG_LAG_BOUND_MS,
  maxStreams: MAX_STREAMS,
  maxWakeUps: MAX_WAKE_UPS,
  leaseMs: remainingMs,
  timeMs: Math.max(0, remainingMs - RESERVE_MS),
  dryRun: dryRun ?? false,
});

/** @example handler = (event, context) => answerScan(event, context, (input) => scanGaps(deps, input)) */
export async function answerScan(
  event: unknown,
  remainingMs: number,
  scan: (input: ScanInput, request: ScanRequest) => Promise<ScanOutcome | LastScan | FilledBatch>,
): Promise<ScanOutcome | LastScan | FilledBatch | FailedScan> {
  try {
    const request = scanRequest(event);
    return await scan(scanInput(request, remainingMs), request);
  } catch (error) {
    if (isScheduled(event) || !isEventRecoveryError(error)) throw error;
    const { code, message, retryable, facts } = error;
    return { error: { code, message, retryable, facts: { ...facts } } };
  }
}
