// People start recoveries, under faults and when everything is quiet, now and then two at once. What a recovery claims is held
// against the simulation's own books: nobody recovers what another one recovers, a proposal repairs nothing, `recovered` means
// that the consumers have everything, and a lease is given back.

import { RECOVERY_LEASE } from '../../../lib/recovery/recover/lease-names.ts';
import type { RecoveryReport } from '../../../lib/recovery/report/types.ts';
import { UNDER_WAY_MS } from '../../../lib/recovery/start/decide-after.ts';
import type { Violations } from '../invariants/violations.ts';
import { createPrng, type Prng } from '../kernel/prng.ts';
import type { Cloud } from '../system/cloud.ts';
import type { MachineSystem } from '../system/recovery-machine.ts';
import type { FaultKind } from '../world/fault-kinds.ts';
import type { ExecutionEnd } from '../world/state-machine.ts';

export interface Recoveries {
  /** Between now and then. */
  plan(until: number): void;
  /** How an execution ended; undefined while it runs. */
  endOf(execution: string): Execution['end'];
  /** The schedule alone goes on, until everything that was cut off has been looked after. */
  planEnd(): number;
  /** For the state machine. */
  onState(execution: string, state: string, input: unknown): void;
  /** At the end of the run. */
  finish(): void;
}

interface Execution {
  id: string;
  isReadOnly: boolean;
  /** It is to redrive, and no more. */
  isRedrive: boolean;
  /** States that would repair something. */
  mayNotEnter: readonly string[];
  /** Of a recovery that begins when no fault strikes any more. */
  isInPeace: boolean;
  startedAt: number;
  /** Those whose leases it has; none before it was let in, and after the report. */
  holds: readonly string[];
  /** All that it was about. */
  consumers: readonly string[];
  end?: { end: ExecutionEnd; at: number };
}

const GRACE_MS = 60_000;
const FIRST_AFTER_MS = 20_000;
/** Late enough for what is to be recovered, early enough for its end. */
const FIRST_WITHIN_MS = 6 * 60_000;
/** Rounds of a minute, the retries of functions that die, and the times of functions that hang. */
const ENDS_WITHIN_MS = 60 * 60_000;
const LOOK_AFTER_EVERY_MS = 5 * 60_000;
/** Fifteen minutes until what was cut off has surely ended, and three looks. */
const LOOKED_AFTER_MS = UNDER_WAY_MS + 3 * LOOK_AFTER_EVERY_MS;
const TWO_AT_ONCE = 0.8;
const REPAIRS = [
  'FillGaps',
  'FillBatch',
  'RedriveDeadLetters',
  'Replay',
  'ResumeFromCheckpoint',
  'Restore',
  'EnableRule',
];
/** These repair without being asked whether they only should say what they would do. */
const ALWAYS_REPAIR = ['FillGaps', 'FillBatch', 'EnableRule'];
const BY_ANNA = { requestedBy: 'anna', reason: 'something is wrong' };

export function createRecoveries(cloud: Cloud, started: () => MachineSystem): Recoveries {
  const { scheduler, plan, violations, branches, trace, faults, checks } = cloud;
  const prng = createPrng(plan.seed, 'recoveries');
  const executions = new Map<string, Execution>();

  function start(): void {
    const id = `recovery-${executions.size + 1}`;
    const input = {
      ...requestOf(
        prng,
        plan.consumers.map(({ name }) => name),
      ),
      graceSeconds: 60,
    };
    const isReadOnly = input.actions === undefined || input.dryRun === true;
    const execution: Execution = {
      id,
      isReadOnly,
      isRedrive: input.actions?.includes('redrive') === true,
      mayNotEnter: input.dryRun ? ALWAYS_REPAIR : isReadOnly ? REPAIRS : [],
      isInPeace: !faults.areOn(),
      startedAt: scheduler.now(),
      holds: [],
      consumers: [],
    };
    executions.set(id, execution);
    trace.note(id, `starts: ${JSON.stringify(input)}`);
    started().machine.start(id, input, (end) => {
      execution.end = { end, at: scheduler.now() };
      trace.note(id, JSON.stringify(end).slice(0, 300));
      judge(execution, end);
    });
  }

  function judge(execution: Execution, end: ExecutionEnd): void {
    const { id, consumers, isInPeace, startedAt } = execution;
    const stored = started().reports.get(id);
    const result = stored?.report.result;
    branches.set(`recovery: ${end.kind === 'failed' ? end.error : (result ?? 'no report')}`, 1);
    if (stored?.isRewritten) violations.report('recovery-wrong', `the report of ${id} was stored with two contents`);
    if (end.kind === 'succeeded' && stored === undefined) violations.report('recovery-wrong', `${id} has no report`);
    if (result !== 'recovered' || !isInPeace || !mustHaveDelivered(execution, stored?.report)) return;
    for (const consumer of plan.consumers.filter(({ name }) => consumers.includes(name))) {
      for (const [streamId, events] of checks.ledger.stored) {
        const item = checks.checkpoints.item(consumer.name, streamId);
        const at = Number(item?.version ?? 0);
        // What was stored just before it began is on its way.
        const owed = events.slice(at).filter(({ storedAt }) => storedAt < startedAt - GRACE_MS);
        if (item?.parked !== undefined || !owed.some(({ type }) => consumer.eventTypes.includes(type))) continue;
        const facts = `at ${at}, asked for ${Number(item?.wanted ?? 0)}, and ${owed.length} more were there`;
        violations.report('recovery-wrong', `${id} says recovered; ${consumer.name} is in ${streamId} ${facts}`);
      }
    }
  }

  return {
    plan(until) {
      const times = prng.chance(TWO_AT_ONCE) ? 2 : 1;
      const at = scheduler.now() + prng.int(FIRST_AFTER_MS, FIRST_WITHIN_MS);
      for (let n = 0; n < times; n++) {
        const when = at + (n === 0 ? 0 : prng.int(0, 30_000));
        if (when < until) scheduler.at(when, start);
      }
    },
    onState(id, state, input) {
      const execution = executions.get(id) as Execution;
      if (execution.mayNotEnter.includes(state)) {
        violations.report('recovery-wrong', `${id} was not to repair anything, and comes to ${state}`);
      }
      // It gives its leases back before the report is stored, and repairs nothing any more.
      if (state === 'ReportStatus') execution.holds = [];
      const { progress, report } = (input ?? {}) as { progress?: LetIn; report?: unknown };
      if (state !== 'ChooseNext' || progress?.consumers === undefined) return;
      execution.consumers = progress.consumers;
      execution.holds = report === undefined && !execution.isReadOnly ? progress.consumers : [];
      refuseTwo(execution, executions.values(), violations);
    },
    endOf: (id) => executions.get(id)?.end,
    planEnd() {
      const until = scheduler.now() + (executions.size === 0 ? 0 : LOOKED_AFTER_MS);
      for (let at = scheduler.now(); at < until; at += LOOK_AFTER_EVERY_MS) scheduler.at(at, started().lookAfter);
      return until;
    },
    finish() {
      const now = scheduler.now();
      for (const { id, end, startedAt } of executions.values()) {
        if (end !== undefined || now - startedAt < ENDS_WITHIN_MS) continue;
        violations.report('recovery-wrong', `${id} has not ended after ${now - startedAt} ms`);
      }
      checkLeases(cloud, executions);
    },
  };
}

/** One that was to redrive and found no dead letter leaves to the scan what is not delivered. */
const mustHaveDelivered = ({ isRedrive }: Execution, report: RecoveryReport | undefined): boolean =>
  !isRedrive ||
  report?.steps.every(({ name, summary }) => name !== 'RedriveDeadLetters' || !summary.startsWith('nothing')) === true;

interface LetIn {
  consumers?: string[];
}

function refuseTwo(execution: Execution, all: Iterable<Execution>, violations: Violations): void {
  for (const other of all) {
    if (other === execution || other.end !== undefined) continue;
    const both = execution.holds.find((consumer) => other.holds.includes(consumer));
    if (both === undefined) continue;
    violations.report('recovery-wrong', `${execution.id} and ${other.id} both recover ${both}`);
  }
}

/** Leases of recoveries that came to their report. */
function checkLeases({ engine, violations, scheduler, plan }: Cloud, executions: ReadonlyMap<string, Execution>): void {
  // A request that is applied late may take a lease again that was given back; the schedule gives it back once more.
  const mayComeLate = LATE.some((kind) => plan.faults.rates[kind] !== undefined);
  for (const { pk, sk, owner, until } of engine.items('Recovery')) {
    const isHeld = pk === 'lease' && String(sk).startsWith(RECOVERY_LEASE) && owner !== undefined;
    if (!isHeld || Number(until) < scheduler.now()) continue;
    const { end } = executions.get(String(owner)) ?? {};
    const isOver = end !== undefined && scheduler.now() - (end.at ?? 0) > LOOKED_AFTER_MS;
    const cutOff = end?.end.kind === 'failed' && CUT_OFF.includes(end.end.error);
    if (isOver || (end !== undefined && !mayComeLate && !cutOff)) {
      violations.report('recovery-wrong', `${String(sk)} is held by ${String(owner)}, which has ended`);
    }
  }
}

const LATE: readonly FaultKind[] = ['delayed-request', 'repeated-request', 'lost-response', 'pause'];
/** Ends without a report. */
const CUT_OFF = ['UnexpectedAnswer', 'ValidationFailed', 'ReportFailed', 'Sandbox.Timedout', 'Runtime.ExitError'];

function requestOf(prng: Prng, consumers: readonly string[]) {
  const some = prng.chance(0.5) ? {} : { consumers: [prng.pick(consumers)] };
  const consumer = some.consumers?.[0] ?? prng.pick(consumers);
  return prng.pick([
    {},
    { ...BY_ANNA, ...some, actions: ['repair'] },
    { ...BY_ANNA, ...some, actions: ['repair'] },
    { ...BY_ANNA, ...some, actions: ['repair'], dryRun: true },
    { ...BY_ANNA, ...some, actions: ['fill-gaps'] },
    { ...BY_ANNA, ...some, actions: ['resume'] },
    { ...BY_ANNA, consumers: [consumer], actions: ['redrive'], selection: { consumer } },
  ]) as { actions?: string[]; dryRun?: boolean };
}
