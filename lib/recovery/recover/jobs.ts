// The repairs of one recovery besides filling gaps, in a safe order: pure. A repair is a function with operations of its own;
// a job remembers which of them comes next (operations.ts says how it goes on).

import type { Finding } from '../diagnose/types.ts';
import type { RedriveSelection } from '../redrive/request.ts';
import { fitting, STREAMS_BYTES_MAX } from './fit.ts';
import type { RecoveryRequest } from './input.ts';

export type Repair = 'restore' | 'enable' | 'replay' | 'resume' | 'redrive';

/** How far the repeats of a plan reach. */
export interface Extent {
  streams: number;
  repeats: number;
}

export interface Job {
  repair: Repair;
  /** `plan`: say what would be done. `ask`: it overwrites, somebody must agree. `start`, `follow` until it has `ended`. */
  phase: 'plan' | 'ask' | 'start' | 'follow' | 'ended';
  /** What is asked of the repair's function, besides the action. */
  request: Record<string, unknown>;
  /** The operation's own id: of its plan, then of its run. */
  operationId?: string;
  /** The plan went stale before it was begun: it was made anew, and is once more when it begins. */
  replan?: true;
  /** What the plan that somebody was asked about would repeat. */
  asked?: Extent;
  /** How often somebody was asked. */
  asks?: number;
  /** What is followed is somebody else's: this one begins when that has ended. */
  isOthers?: true;
  /** When the repair itself began. */
  startedAt?: number;
  /** Who agreed to what it overwrites. */
  approvedBy?: string;
  /** One sentence with numbers: what the operation said last. */
  summary?: string;
  failure?: { code: string; message: string };
}

/** Streams of one restore, as lib/recovery/restore/request.ts has it; another recovery takes the rest. */
const RESTORED_STREAMS_MAX = 200;

/** What is planned before it is begun: it may overwrite, or undo what somebody did on purpose. */
const IS_PLANNED: ReadonlySet<Repair> = new Set(['restore', 'enable', 'replay']);

/** Whoever started it is no person: what a person must decide about is left out. */
const isAutomatic = ({ trigger }: Pick<RecoveryRequest, 'trigger'>): boolean =>
  trigger === 'scan' || trigger === 'scrub' || trigger === 'alarm';

/**
 * What is stored first, then what is delivered, then what was given up on. With `repair` the findings decide; what a person must
 * have seen to is then left out unless a person asked: a dead letter (its cause must be gone), a rule (it may be meant so).
 * @param consumers names of the consumers that are recovered
 */
export function jobsOf(
  request: Pick<RecoveryRequest, 'actions' | 'selection' | 'replay' | 'restore' | 'trigger' | 'dryRun'>,
  consumers: readonly string[],
  findings: readonly Pick<Finding, 'action' | 'consumer' | 'facts'>[],
): Job[] {
  const { actions, selection, replay, restore, dryRun } = request;
  const job = (repair: Repair, asked: Record<string, unknown>): Job => ({
    repair,
    phase: dryRun || IS_PLANNED.has(repair) ? 'plan' : 'start',
    request: asked,
  });
  if (!actions.includes('repair')) {
    return [
      ...(actions.includes('restore') ? [job('restore', restore ?? {})] : []),
      ...(replay === undefined ? [] : [job('replay', replay)]),
      ...(actions.includes('resume') ? consumers.map((consumer) => job('resume', { consumer })) : []),
      ...(selection === undefined ? [] : [job('redrive', { selection })]),
    ];
  }
  const consumersWith = (action: Finding['action']): string[] => [
    ...new Set(findings.flatMap((finding) => (finding.action === action ? (finding.consumer ?? []) : []))),
  ];
  const damaged = [
    ...new Set(
      findings.flatMap(({ action, facts }) => (action === 'restore' ? ((facts.streamIds ?? []) as string[]) : [])),
    ),
  ];
  const rules = findings.flatMap(({ action, consumer, facts: { ruleName } }) =>
    action === 'enable-rule' && ruleName !== undefined ? [job('enable', { rule: ruleName, consumer })] : [],
  );
  const redrives = consumersWith('redrive').map((consumer) => job('redrive', { selection: { consumer } }));
  return [
    ...(damaged.length > 0
      ? [job('restore', { streams: fitting(damaged.slice(0, RESTORED_STREAMS_MAX), STREAMS_BYTES_MAX) })]
      : []),
    ...(isAutomatic(request) ? [] : rules),
    ...consumersWith('resume').map((consumer) => job('resume', { consumer })),
    ...(isAutomatic(request) ? [] : redrives),
  ];
}

/** Dead letters that the jobs are about. */
export const selectionsOf = (jobs: readonly Job[]): RedriveSelection[] =>
  jobs.flatMap(({ repair, request }) => (repair === 'redrive' ? [request.selection as RedriveSelection] : []));

/** The one that is being worked on; the others wait for it. */
export const currentJob = (jobs: readonly Job[]): Job | undefined => jobs.find(({ phase }) => phase !== 'ended');
