// Where a recovery is, and what comes next: pure. The state machine carries this document from state to state and does what
// `next` says. The rounds are bounded: a recovery that does not get on ends with the verification, which says what is left.

import type { Finding } from '../diagnose/types.ts';
import type { LeaseHandle } from '../lease/leases.ts';
import type { ReportStep } from '../report/types.ts';
import type { CollectedEvidence } from './collect-evidence.ts';
import type { RecoveryRequest } from './input.ts';

/** 1 + 2 + 4 + 8 + 16 + 19 x 30 s: ten minutes, in which a canary, its schedule of a minute and consumers' retries fit. */
export const ROUNDS_MAX = 24;
const WAIT_MAX_SECONDS = 30;

/** Seconds until the next look: short at first, so that a small repair is a short recovery. */
export const waitSeconds = (round: number): number => Math.min(2 ** round, WAIT_MAX_SECONDS);

export type Next = 'fill-gaps' | 'redrive' | 'wait' | 'verify' | 'report';

export interface Progress {
  /** Name of the execution: the recovery's id and the owner of its leases. */
  id: string;
  request: RecoveryRequest;
  startedAt: number;
  /** Oldest evidence. */
  firstSignAt: number;
  /** When this document was last brought up to date. */
  at: number;
  next: Next;
  round: number;
  /** How long the state machine waits before it looks again. */
  waitSeconds: number;
  isRedriven: boolean;
  findings: Finding[];
  steps: ReportStep[];
  leases: LeaseHandle[];
  /** What is left to repair. */
  left: Left;
}

export type Left = Pick<CollectedEvidence, 'gapStreams' | 'openLetters'>;

const repairs = ({ actions, dryRun }: RecoveryRequest): boolean =>
  !dryRun && (actions.includes('fill-gaps') || actions.includes('redrive'));

/**
 * Gaps before dead letters: what fills a gap may need no dead letter. A redrive is asked for once; its un-parked streams are
 * open gaps, which the scans of the next rounds close.
 */
export function decideNext(
  progress: Pick<Progress, 'request' | 'round' | 'isRedriven'>,
  { gapStreams, openLetters }: Left,
): Next {
  const { request, round, isRedriven } = progress;
  const { actions } = request;
  if (request.dryRun || actions.includes('propose')) return 'report';
  if (!repairs(request) || round >= ROUNDS_MAX) return 'verify';
  const maySeeGaps = actions.includes('fill-gaps') || isRedriven;
  if (gapStreams > 0 && maySeeGaps) return 'fill-gaps';
  if (actions.includes('redrive') && openLetters > 0) return isRedriven ? 'wait' : 'redrive';
  return 'verify';
}

const NAMES: Readonly<Record<Next, string>> = {
  'fill-gaps': 'FillGaps',
  redrive: 'RedriveDeadLetters',
  wait: 'WaitForProgress',
  verify: 'VerifyConsistency',
  report: 'ReportStatus',
};

/** After a round: what the last action changed becomes a step, and the next one is decided. */
export function advance(progress: Progress, left: Left, now: number): Progress {
  const round = progress.round + 1;
  const isRedriven = progress.isRedriven || progress.next === 'redrive';
  const isSettled = left.gapStreams === 0 && left.openLetters === 0;
  const step: ReportStep = {
    name: NAMES[progress.next],
    startedAt: progress.at,
    endedAt: now,
    outcome: isSettled ? 'done' : 'waiting',
    summary:
      `streams with gaps: ${progress.left.gapStreams} -> ${left.gapStreams}; ` +
      `open dead letters: ${progress.left.openLetters} -> ${left.openLetters}`,
  };
  const moved = {
    ...progress,
    round,
    waitSeconds: waitSeconds(round),
    isRedriven,
    left,
    at: now,
    steps: [...progress.steps, step],
  };
  return { ...moved, next: decideNext(moved, left) };
}
