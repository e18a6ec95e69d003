// Input of the scrub: from the schedule (go on with the patrol), or from an operator.

import * as z from 'zod/mini';
import { streamId } from '../../model/ids.ts';
import { isScheduled } from '../gap/request.ts';
import { checkInput } from '../input/check.ts';
import { type Examination, examineStreams } from './examine-streams.ts';
import { OPEN_MAX } from './recorder.ts';
import { type ScrubDeps, type ScrubInput, type ScrubOutcome, scrub } from './scrub.ts';
import type { ScrubState } from './state.ts';
import type { Finding } from './types.ts';

export const DEFAULT_ROTATION_DAYS = 7;
export const ROTATION_DAYS_MAX = 60;
export const DEFAULT_READ_UNITS_PER_SECOND = 100;
/** What one partition can give (Developer Guide, "Burst and adaptive capacity"): a scan reads one after the other. */
export const READ_UNITS_PER_SECOND_MAX = 3_000;
/** Items in a page of the scan. A page ends at 1 MB anyway (API reference, Scan). */
export const PAGE_ITEMS = 200;
/** Time kept for the last page, its findings and the announcement. */
const RESERVE_MS = 30_000;
const STREAMS_MAX = 100;
/** An answer of a function has 6 MB at most (Lambda quotas); a finding has at most 2 KB. */
const FINDINGS_ANSWERED = 1_000;
const DAY_MS = 24 * 60 * 60_000;

const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));
const REQUEST = z.strictObject({
  /** Answer where the patrol stands and what is open, instead of working. */
  last: z.optional(z.boolean()),
  /** Begin a rotation now. */
  rotate: z.optional(z.boolean()),
  /** Look at these streams only, now. */
  streamIds: z.optional(z.array(text(256)).check(z.minLength(1), z.maxLength(STREAMS_MAX))),
  requestedBy: z.optional(text(128)),
  reason: z.optional(text(512)),
});
export type ScrubRequest = z.infer<typeof REQUEST>;

export interface ScrubSettings {
  rotationDays: number;
  readUnitsPerSecond: number;
  /** @default 200 */
  pageItems?: number;
}

export interface LastScrub {
  kind: 'last';
  state: ScrubState;
  /** Open findings, oldest first, at most 1,000 of them. */
  findings: Finding[];
  open: number;
}

export type ScrubAnswer = ScrubOutcome | LastScrub | ({ kind: 'examined' } & Examination);

/** @throws InvalidInputError `INVALID_INPUT`, `INVALID_STREAM_ID` */
export function scrubRequest(event: unknown): ScrubRequest {
  if (isScheduled(event)) return {};
  const request = checkInput(REQUEST, event ?? {}, 'scrub-events');
  for (const id of request.streamIds ?? []) streamId(id);
  return request;
}

/** @throws InvalidInputError; EventRecoveryError `SCRUB_OVERTAKEN` (retryable) */
export async function answerScrub(
  deps: ScrubDeps,
  event: unknown,
  { settings, remainingMs, requestId }: { settings: ScrubSettings; remainingMs: () => number; requestId: string },
): Promise<ScrubAnswer> {
  const request = scrubRequest(event);
  const { requestedBy = 'schedule', reason = 'patrol' } = request;
  const asked = { requestId, requestedBy, reason };
  const workMs = () => Math.max(0, remainingMs() - RESERVE_MS);
  if (request.last) return lastScrub(deps);
  if (request.streamIds) {
    return { kind: 'examined', ...(await examineStreams(deps, request.streamIds, { remainingMs: workMs, asked })) };
  }
  const input: ScrubInput = {
    rotationMs: settings.rotationDays * DAY_MS,
    unitsPerSecond: settings.readUnitsPerSecond,
    pageItems: settings.pageItems ?? PAGE_ITEMS,
    leaseMs: remainingMs(),
    timeMs: workMs(),
    rotateNow: request.rotate ?? false,
    ...asked,
  };
  return scrub(deps, input);
}

async function lastScrub({ states, findings }: ScrubDeps): Promise<LastScrub> {
  const [state, open] = [await states.read(), await findings.open(OPEN_MAX)];
  const sorted = open.sort((a, b) => a.firstSeenAt - b.firstSeenAt);
  return { kind: 'last', state, findings: sorted.slice(0, FINDINGS_ANSWERED), open: open.length };
}
