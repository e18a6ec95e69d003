// The report of one recovery: what was found, what was done and by whose wish, and the proof. JSON is the document itself;
// Markdown and HTML are renderings of it.

import type { Finding } from '../diagnose/types.ts';
import type { Verdict } from '../verify/types.ts';

export interface ReportStep {
  /** State of the recovery, for example `FillGaps`. */
  name: string;
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt: number;
  outcome: 'done' | 'nothing-to-do' | 'waiting' | 'refused' | 'failed';
  /** One sentence: what was done, in numbers. */
  summary: string;
}

export interface RecoveryReport {
  format: number;
  id: string;
  /** `recovered`: verified complete. `proposed`: a dry run. `incomplete`: something is left, waits for a person, or does not add up. */
  result: 'recovered' | 'nothing-to-do' | 'proposed' | 'incomplete' | 'refused' | 'failed';
  requestedBy: string;
  reason: string;
  /** What started it. */
  trigger: 'operator' | 'scan' | 'scrub' | 'alarm' | 'drill';
  /** When the first sign was there (oldest evidence), when it was noticed, and when the recovery ended. */
  firstSignAt: number;
  detectedAt: number;
  startedAt: number;
  endedAt: number;
  findings: Finding[];
  steps: ReportStep[];
  before?: Verdict;
  after?: Verdict;
  /** What a human has to do now; empty when nothing. */
  nextCommands: string[];
}

export interface ReportTimes {
  detectMs: number;
  diagnoseMs: number;
  recoverMs: number;
  verifyMs: number;
}

const DIAGNOSE = /^(validate|diagnose)/i;
const VERIFY = /^verify/i;

/** How long each part took. Detect = from the first sign to the notice. */
export function timesOf(report: RecoveryReport): ReportTimes {
  const sum = (isPart: (name: string) => boolean): number =>
    report.steps.reduce((ms, step) => ms + (isPart(step.name) ? step.endedAt - step.startedAt : 0), 0);
  return {
    detectMs: Math.max(0, report.detectedAt - report.firstSignAt),
    diagnoseMs: sum((name) => DIAGNOSE.test(name)),
    recoverMs: sum((name) => !DIAGNOSE.test(name) && !VERIFY.test(name) && !/^report/i.test(name)),
    verifyMs: sum((name) => VERIFY.test(name)),
  };
}
