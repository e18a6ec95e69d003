// The repairs of one recovery besides filling gaps, in a safe order, and how each goes on: pure. A repair is a function with
// operations of its own; a job remembers which of them comes next and reads its answers.

import type { Finding } from '../diagnose/types.ts';
import type { RedriveSelection } from '../redrive/request.ts';
import type { RecoveryRequest } from './input.ts';

export type Repair = 'redrive';

export interface Job {
  repair: Repair;
  /** `plan`: say what would be done. `ask`: it overwrites, somebody must agree. `start`, `follow` until it has `ended`. */
  phase: 'plan' | 'ask' | 'start' | 'follow' | 'ended';
  /** What is asked of the repair's function, besides the action. */
  request: Record<string, unknown>;
  /** The operation's own id: of its plan, then of its run. */
  operationId?: string;
  startedAt?: number;
  /** One sentence with numbers: what the operation said last. */
  summary?: string;
  failure?: { code: string; message: string };
}

const job = (repair: Repair, request: Record<string, unknown>): Job => ({
  repair,
  phase: 'start',
  request,
});

/** Whoever started it is no person: what a person must decide about is left out. */
const isAutomatic = ({ trigger }: Pick<RecoveryRequest, 'trigger'>): boolean =>
  trigger === 'scan' || trigger === 'scrub' || trigger === 'alarm';

/**
 * What is stored first, then what is delivered, then what was given up on. With `repair` the findings decide; a dead letter
 * is then given back only when a person asked: its cause must have been removed first.
 */
export function jobsOf(
  request: Pick<RecoveryRequest, 'actions' | 'selection' | 'trigger'>,
  findings: readonly Pick<Finding, 'action' | 'consumer'>[],
): Job[] {
  const { actions, selection } = request;
  if (!actions.includes('repair')) {
    return selection === undefined ? [] : [job('redrive', { selection })];
  }
  const consumersWith = (action: Finding['action']): string[] => [
    ...new Set(findings.flatMap((finding) => (finding.action === action ? (finding.consumer ?? []) : []))),
  ];
  if (isAutomatic(request)) return [];
  return consumersWith('redrive').map((consumer) => job('redrive', { selection: { consumer } }));
}

/** Dead letters that the jobs are about. */
export const selectionsOf = (jobs: readonly Job[]): RedriveSelection[] =>
  jobs.flatMap(({ repair, request }) => (repair === 'redrive' ? [request.selection as RedriveSelection] : []));

/** The one that is being worked on; the others wait for it. */
export const currentJob = (jobs: readonly Job[]): Job | undefined => jobs.find(({ phase }) => phase !== 'ended');
