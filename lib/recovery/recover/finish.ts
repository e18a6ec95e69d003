// The end of a recovery: the report from what was accumulated, stored, announced; the leases given back. A lease is given
// back only after the report was stored, so that a try that fails is made again by its owner.

import type { Leases } from '../lease/leases.ts';
import { renderHtml } from '../report/render-html.ts';
import { renderMarkdown } from '../report/render-markdown.ts';
import type { RecoveryReport } from '../report/types.ts';
import type { Verdict } from '../verify/types.ts';
import type { Progress } from './progress.ts';

const FORMAT = 1;

/** As a Catch of the state machine leaves it. */
export interface Failure {
  Error: string;
  Cause?: string;
}

/** What the state machine has when it comes to the report. */
export interface Accumulated {
  progress: Progress;
  /** Absent: not verified (a proposal, or a failure before it). Without its list of violations: only their count. */
  verdict?: Omit<Verdict, 'violations'>;
  repairFailure?: Failure;
  verifyFailure?: Failure;
  /** The redrive's answer: a refusal ends the recovery. */
  redrive?: { error?: { code: string; message: string } };
}

export interface ReportOutlets {
  /** Puts one rendering; the same key again overwrites it with the same content. */
  store(key: string, body: string, contentType: string): Promise<void>;
  /** SNS and the bus. At least once. */
  announce(report: RecoveryReport, key: string): Promise<void>;
}

/** Pure. */
export function buildReport(accumulated: Accumulated, now: number): RecoveryReport {
  const { progress, verdict } = accumulated;
  const { id, request, findings, startedAt, firstSignAt } = progress;
  const failure = failureOf(accumulated);
  const failed = failure === undefined ? [] : [failedStep(accumulated, failure, now)];
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
    steps: [...progress.steps, ...failed, ...verified],
    after: verdict === undefined ? undefined : { ...verdict, violations: [] },
    nextCommands: nextCommands(accumulated),
  };
}

function resultOf(accumulated: Accumulated): RecoveryReport['result'] {
  if (failureOf(accumulated) !== undefined) return 'failed';
  const { progress, verdict } = accumulated;
  const { request, findings, left, steps } = progress;
  if (verdict === undefined) return findings.length === 0 ? 'nothing-to-do' : 'proposed';
  const isLeft =
    (request.actions.includes('fill-gaps') && left.gapStreams > 0) ||
    (request.actions.includes('redrive') && left.openLetters > 0);
  if (!verdict.ok || isLeft) return 'incomplete';
  return steps.length === 1 ? 'nothing-to-do' : 'recovered';
}

function nextCommands(accumulated: Accumulated): string[] {
  const result = resultOf(accumulated);
  const { findings, request } = accumulated.progress;
  if (result === 'incomplete') return ['npx event-recovery verify --json'];
  if (result !== 'proposed') return [];
  const start = (input: object): string => `start the state machine with ${JSON.stringify(input)}`;
  const who = { requestedBy: request.requestedBy, reason: request.reason };
  return findings.flatMap(({ action, consumer }) => {
    if (action === 'fill-gaps') return [start({ actions: ['fill-gaps'], consumers: consumer && [consumer], ...who })];
    if (action === 'redrive') return [start({ actions: ['redrive'], selection: { consumer }, ...who })];
    return [];
  });
}

function failureOf({ repairFailure, verifyFailure, redrive }: Accumulated): Failure | undefined {
  const refused = redrive?.error && { Error: redrive.error.code, Cause: redrive.error.message };
  return repairFailure ?? refused ?? verifyFailure;
}

const failedStep = ({ progress, verifyFailure }: Accumulated, failure: Failure, now: number) =>
  ({
    name: failure === verifyFailure ? 'VerifyConsistency' : 'Repair',
    startedAt: progress.at,
    endedAt: now,
    outcome: 'failed',
    summary: `${failure.Error}: ${(failure.Cause ?? 'no cause given').slice(0, 500)}`,
  }) as const;

const verifiedStep = (verdict: Omit<Verdict, 'violations'>, { at }: Progress, now: number) =>
  ({
    name: 'VerifyConsistency',
    startedAt: at,
    endedAt: now,
    outcome: 'done',
    summary: `${verdict.events} events in ${verdict.streams} streams, ${verdict.violationCount} violations`,
  }) as const;

/** @example const { result, key } = await finishRecovery({ leases, outlets }, state, clock.now()); */
export async function finishRecovery(
  { leases, outlets }: { leases: Pick<Leases, 'release'>; outlets: ReportOutlets },
  accumulated: Accumulated,
  now: number,
): Promise<{ id: string; result: RecoveryReport['result']; key: string }> {
  const report = buildReport(accumulated, now);
  const key = `recoveries/${report.id}/report`;
  await outlets.store(`${key}.json`, JSON.stringify(report, undefined, 2), 'application/json');
  await outlets.store(`${key}.md`, renderMarkdown(report), 'text/markdown; charset=utf-8');
  await outlets.store(`${key}.html`, renderHtml(report), 'text/html; charset=utf-8');
  for (const lease of accumulated.progress.leases) await leases.release(lease);
  await outlets.announce(report, `${key}.html`);
  return { id: report.id, result: report.result, key: `${key}.html` };
}
