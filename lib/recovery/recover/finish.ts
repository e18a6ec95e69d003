// The end of a recovery: the leases given back, then the report from what was accumulated, stored and announced. Nothing is
// repaired any more, so a report that cannot be stored keeps nobody from recovering.

import type { FailedAnswer } from '../../platform/operation.ts';
import type { Leases } from '../lease/leases.ts';
import { renderHtml } from '../report/render-html.ts';
import { renderMarkdown } from '../report/render-markdown.ts';
import type { RecoveryReport, ReportStep } from '../report/types.ts';
import type { Verdict } from '../verify/types.ts';
import { isDamage } from './damaged-streams.ts';
import { currentJob } from './jobs.ts';
import { mayFill, type Progress, STATES } from './progress.ts';
import { commandsOf, stillStanding } from './standing.ts';
import { StepFailed } from './step-failed.ts';

const FORMAT = 1;

/** As a Catch of the state machine leaves it. */
export interface Failure {
  Error: string;
  Cause?: string;
}

/** What the state machine has when it comes to the report. */
export interface Accumulated {
  progress: Progress;
  /** What a verification said before the repair; absent when it could not be carried out. */
  before?: Verdict | FailedAnswer;
  beforeFailure?: Failure;
  /** Absent: not verified (a proposal, or a failure before it). */
  verdict?: Verdict | FailedAnswer;
  /** Of the diagnosis or of a repair that could not be carried out. */
  repairFailure?: Failure;
  /** Refused, or nobody answered (`States.Timeout`). */
  approvalFailure?: Failure;
  verifyFailure?: Failure;
}

export interface ReportOutlets {
  /** Puts one rendering; the same key again overwrites it with the same content, but for the time of its end. */
  store(key: string, body: string, contentType: string): Promise<void>;
  /** SNS and the bus. At least once. */
  announce(report: RecoveryReport, key: string): Promise<void>;
}

/** The same with every failure of a verification where a Catch leaves it: it may also be an answer with a code. */
type Understood = Omit<Accumulated, 'before' | 'verdict'> & { before?: Verdict; verdict?: Verdict };

function understood(accumulated: Accumulated): Understood {
  const { before, verdict, ...rest } = accumulated;
  return {
    ...rest,
    ...(before !== undefined && ('error' in before ? { beforeFailure: failureOf(before) } : { before })),
    ...(verdict !== undefined && ('error' in verdict ? { verifyFailure: failureOf(verdict) } : { verdict })),
  };
}

const failureOf = ({ error: { code, message } }: FailedAnswer): Failure => ({ Error: code, Cause: message });

/** Pure. */
export function buildReport(accumulated: Accumulated, now: number): RecoveryReport {
  const { progress, before, beforeFailure, verdict, repairFailure, approvalFailure, verifyFailure } =
    understood(accumulated);
  const { id, request, findings, startedAt, firstSignAt } = progress;
  const diagnosedAt = progress.steps[0]?.endedAt ?? startedAt;
  const failed = [
    ...failedSteps({ progress, repairFailure, verifyFailure }, now),
    ...(approvalFailure === undefined ? [] : [refusedStep(approvalFailure, progress, now)]),
  ];
  // Inside the diagnosis, which has its time.
  const notVerified =
    beforeFailure === undefined ? [] : [failedStep('VerifyBefore', beforeFailure, { at: diagnosedAt }, diagnosedAt)];
  const verified = verdict === undefined ? [] : [verifiedStep(verdict, progress, now)];
  return {
    format: FORMAT,
    id,
    result: resultOf(accumulated),
    requestedBy: request.requestedBy,
    reason: request.reason,
    trigger: request.trigger,
    firstSignAt,
    detectedAt: startedAt,
    startedAt,
    endedAt: now,
    findings,
    steps: [...progress.steps.slice(0, 1), ...notVerified, ...progress.steps.slice(1), ...failed, ...verified],
    before,
    after: verdict,
    nextCommands: nextCommands(accumulated),
  };
}

/** Of states that could not be carried out. */
export const failedSteps = (
  { progress, repairFailure, verifyFailure }: Pick<Accumulated, 'progress' | 'repairFailure' | 'verifyFailure'>,
  now: number,
): ReportStep[] => [
  ...(repairFailure === undefined ? [] : [failedStep(STATES[progress.next], repairFailure, progress, now)]),
  ...(verifyFailure === undefined ? [] : [failedStep('VerifyConsistency', verifyFailure, progress, now)]),
];

export function resultOf(accumulated: Accumulated): RecoveryReport['result'] {
  const { progress, before, beforeFailure, verdict, repairFailure, approvalFailure, verifyFailure } =
    understood(accumulated);
  if (approvalFailure !== undefined) return 'refused';
  const { findings, jobs, standing, steps, left } = progress;
  const hasFailed = jobs.some(({ failure }) => failure !== undefined);
  if (repairFailure !== undefined || verifyFailure !== undefined || hasFailed) return 'failed';
  if (verdict === undefined) {
    if (findings.length + jobs.length > 0) return 'proposed';
    // No finding is no proof: what the verification refused has a cause, and what was not looked at may have one.
    return before?.ok === false || beforeFailure !== undefined ? 'incomplete' : 'nothing-to-do';
  }
  const isAtWork = currentJob(jobs) !== undefined;
  const { gapStreams = 0, unscanned = 0 } = left ?? {};
  const isFilling = mayFill(progress) && gapStreams + unscanned > 0;
  if (
    !verdict.ok ||
    stillStanding(standing, verdict).length > 0 ||
    isAtWork ||
    isFilling ||
    (left?.openLetters ?? 0) > 0
  )
    return 'incomplete';
  return steps.length === 1 ? 'nothing-to-do' : 'recovered';
}

const REPAIR = 'npx event-recovery recover --action repair';
const VERIFY = 'npx event-recovery verify --json';

function nextCommands(accumulated: Accumulated): string[] {
  const result = resultOf(accumulated);
  const { findings, standing } = accumulated.progress;
  if (result === 'incomplete') {
    const { verdict } = understood(accumulated);
    const commands = stillStanding(standing, verdict).flatMap(commandsOf);
    const isVerified = verdict?.ok === true;
    return [
      ...commands,
      ...(verdict?.violations.some(isDamage) ? [REPAIR] : []),
      ...(isVerified && commands.length > 0 ? [] : [VERIFY]),
    ];
  }
  if (result !== 'proposed') return [];
  const commands = findings.flatMap(({ action, consumer }) => {
    const of = consumer === undefined ? '' : ` --consumer ${consumer}`;
    if (action === 'enable-rule' || action === 'restore') return [`npx event-recovery recover --action repair${of}`];
    if (action === 'inspect') return [VERIFY];
    if (action === 'fill-gaps' || action === 'redrive') return [`npx event-recovery recover --action ${action}${of}`];
    return [];
  });
  return [...new Set(commands)];
}

const refusedStep = ({ Error: error, Cause }: Failure, { at }: Progress, now: number) =>
  ({
    name: STATES.ask,
    startedAt: at,
    endedAt: now,
    outcome: 'refused',
    summary: error === 'States.Timeout' ? 'nobody answered in time' : (Cause ?? 'refused').slice(0, 500),
  }) as const;

const failedStep = (name: string, failure: Failure, { at }: Pick<Progress, 'at'>, now: number) =>
  ({
    name,
    startedAt: at,
    endedAt: now,
    outcome: 'failed',
    summary: `${failure.Error}: ${(failure.Cause ?? 'no cause given').slice(0, 500)}`,
  }) as const;

const verifiedStep = (verdict: Verdict, { at }: Progress, now: number) =>
  ({
    name: 'VerifyConsistency',
    startedAt: at,
    endedAt: now,
    outcome: verdict.ok ? 'done' : 'failed',
    summary: `${verdict.events} events in ${verdict.streams} streams, ${verdict.violationCount} violations`,
  }) as const;

/** The name under which the state machine ends: of a Fail state, or of the error at ReportStatus. Pure. */
export function endOf(accumulated: Accumulated): string {
  const { approvalFailure, verifyFailure } = understood(accumulated);
  if (approvalFailure !== undefined) {
    return approvalFailure.Error === 'States.Timeout' ? 'ApprovalTimedOut' : 'ApprovalRefused';
  }
  if (verifyFailure !== undefined) return 'VerificationFailed';
  const result = resultOf(accumulated);
  return result === 'failed' ? 'RepairFailed' : result === 'incomplete' ? 'NotComplete' : 'Finished';
}

export interface Finished {
  id: string;
  result: RecoveryReport['result'];
  /** Of the HTML rendering. */
  key: string;
  end: string;
}

/**
 * @throws StepFailed `ReportFailed` when the report could not be stored or announced
 * @example const { result, key } = await finishRecovery({ leases, outlets }, state, clock.now());
 */
export async function finishRecovery(
  { leases, outlets }: { leases: Pick<Leases, 'release'>; outlets: ReportOutlets },
  accumulated: Accumulated,
  now: number,
): Promise<Finished> {
  for (const lease of accumulated.progress.leases) await leases.release(lease);
  const report = buildReport(accumulated, now);
  const { id, result } = report;
  const key = `recoveries/${id}/report`;
  try {
    await outlets.store(`${key}.json`, JSON.stringify(report, undefined, 2), 'application/json');
    await outlets.store(`${key}.md`, renderMarkdown(report), 'text/markdown; charset=utf-8');
    await outlets.store(`${key}.html`, renderHtml(report), 'text/html; charset=utf-8');
    await outlets.announce(report, `${key}.html`);
  } catch (error) {
    throw new StepFailed('ReportFailed', `the report could not be stored or announced: ${(error as Error).message}`);
  }
  return { id, result, key: `${key}.html`, end: endOf(accumulated) };
}
