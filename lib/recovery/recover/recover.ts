// The beginning and the looks of a recovery. Begin: check the input, take the lease of every consumer that is meant (all or
// none). Look: collect the evidence; the first time diagnose, later see what the last repair changed; decide what comes next.

import type { Registry } from '../../flow/registry/port.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import { EventRecoveryError, InvalidInputError } from '../../model/errors.ts';
import type { World } from '../../platform/clock.ts';
import { diagnose } from '../diagnose/diagnose.ts';
import type { LeaseHandle, Leases } from '../lease/leases.ts';
import type { Violation } from '../verify/types.ts';
import { collectEvidence, type EvidenceDeps } from './collect-evidence.ts';
import { FINDINGS_BYTES_MAX, fitting, STANDING_BYTES_MAX } from './fit.ts';
import { CONSUMERS_MAX, checkRecoveryRequest, isReadOnly, type RecoveryRequest } from './input.ts';
import { jobsOf, selectionsOf } from './jobs.ts';
import { RECOVERY_LEASE } from './lease-names.ts';
import { advance, decided, type Progress, waitSeconds } from './progress.ts';
import { standingOf } from './standing.ts';

/**
 * Renewed with every look. Longer than the longest time between two looks and up to the end: a verification, of a million streams
 * about an hour, so that what is cut off has ended when the next recovery may begin. One that takes longer changes nothing itself,
 * and the next look refuses to go on when somebody else has begun.
 */
export const LEASE_MS = 90 * 60_000;
/** Whatever failed since 1970. */
const EVERYTHING = { failedFrom: 0 };

export interface RecoverDeps extends EvidenceDeps {
  registry: Pick<Registry, 'list'>;
  leases: Leases;
  world: Pick<World, 'clock'>;
}

export interface BeginInput {
  /** Name of the execution. */
  id: string;
  input: unknown;
}

/** The state machine's document, as far as a look needs it. */
export interface LookInput {
  progress: Progress;
  /** A verification from before the repair, with its first violations. */
  before?: { violations?: Violation[]; violationCount?: number };
  /** Answer of the last repair's function. */
  operation?: unknown;
  approval?: { approvedBy: string };
}

/** @throws InvalidInputError (also `TOO_MANY_CONSUMERS`); EventRecoveryError `UNKNOWN_CONSUMER`, `RECOVERY_RUNS`. Then no lease is held. */
export async function beginRecovery(deps: RecoverDeps, { id, input }: BeginInput): Promise<Progress> {
  const startedAt = deps.world.clock.now();
  const request = checkRecoveryRequest(input);
  const consumers = (await consumersOf(deps, request.consumers)).map(({ name }) => name).toSorted();
  checkNumber(consumers);
  const leases = isReadOnly(request) ? [] : await takeLeases(deps, id, consumers);
  return {
    id,
    request,
    consumers,
    startedAt,
    firstSignAt: startedAt,
    at: startedAt,
    next: 'look',
    round: 0,
    sinceChange: 0,
    quietRounds: 0,
    gapRounds: 0,
    waitSeconds: 0,
    findings: [],
    standing: [],
    jobs: [],
    batches: [],
    steps: [],
    leases,
  };
}

/** @throws EventRecoveryError `LEASE_LOST` when another recovery has taken over a consumer */
export async function lookAgain(
  deps: RecoverDeps,
  { progress, before, operation, approval }: LookInput,
): Promise<Progress> {
  const now = deps.world.clock.now();
  await renewLeases(deps, progress.leases, now);
  const consumers = await consumersOf(deps, progress.consumers);
  const isFirst = progress.round === 0;
  const jobs = isFirst ? jobsOf(progress.request, progress.consumers, []) : progress.jobs;
  const starts = jobs.flatMap(({ repair, startedAt }) => (repair === 'redrive' ? (startedAt ?? []) : []));
  const { evidence, left, batches, firstSignAt } = await collectEvidence(deps, {
    consumers,
    now,
    since: progress.at,
    // Which of them a repair will be about is known only after the diagnosis.
    selections: isFirst && progress.request.actions.includes('repair') ? [EVERYTHING] : selectionsOf(jobs),
    redrivenAt: starts.length === 0 ? undefined : Math.min(...starts),
    violations: before?.violations,
    violationCount: before?.violationCount,
  });
  const seenAt = deps.world.clock.now();
  const findings = diagnose(evidence);
  const standing = fitting(standingOf(findings, progress.request).map(withoutLists), STANDING_BYTES_MAX);
  if (!isFirst) return advance(progress, { left, batches, standing, operation, approval }, seenAt);
  const listed = fitting(findings.map(withoutLists), FINDINGS_BYTES_MAX);
  const more = listed.length < findings.length ? `, of which ${listed.length} are listed` : '';
  const diagnosed: Progress = {
    ...progress,
    request: withoutSelections(progress.request),
    round: 1,
    sinceChange: 1,
    quietRounds: 1,
    gapRounds: 1,
    lowestGaps: left.gapStreams,
    waitSeconds: waitSeconds(0),
    at: seenAt,
    firstSignAt: Math.min(firstSignAt ?? progress.startedAt, progress.startedAt),
    findings: listed,
    standing,
    jobs: jobsOf(progress.request, progress.consumers, findings),
    batches,
    left,
    steps: [
      {
        name: 'Diagnose',
        startedAt: progress.startedAt,
        endedAt: seenAt,
        outcome: findings.length === 0 ? 'nothing-to-do' : 'done',
        summary: `${consumers.length} consumers, ${findings.length} findings${more}${unnamed(before)}`,
      },
    ],
  };
  return decided(diagnosed, left);
}

/** What is to be repaired is in the jobs from here on, and the consumers have a list of their own. */
function withoutSelections(request: RecoveryRequest): RecoveryRequest {
  const { selection: _selection, replay: _replay, restore: _restore, consumers: _consumers, ...rest } = request;
  return rest;
}

function checkNumber(consumers: readonly string[]): void {
  if (consumers.length <= CONSUMERS_MAX) return;
  throw new InvalidInputError('TOO_MANY_CONSUMERS', {
    what: 'consumers',
    got: `${consumers.length} active ones`,
    allowed: `at most ${CONSUMERS_MAX} in one recovery`,
    remedy: 'name some of them, and start another recovery for the others',
  });
}

async function consumersOf({ registry }: RecoverDeps, names?: readonly string[]): Promise<RegisteredConsumer[]> {
  const active = (await registry.list()).filter(({ status }) => status === 'active');
  const unknown = names?.find((wanted) => !active.some(({ name }) => name === wanted));
  if (unknown !== undefined) {
    throw new EventRecoveryError(
      'UNKNOWN_CONSUMER',
      `consumer "${unknown}" is not deployed; remedy: take a name from the registry, or leave "consumers" out`,
      { facts: { consumer: unknown } },
    );
  }
  return active.filter(({ name }) => names === undefined || names.includes(name));
}

/** @param names sorted, so that of two recoveries with the same consumers one gets all of them */
async function takeLeases({ leases, world }: RecoverDeps, owner: string, names: readonly string[]) {
  const taken: LeaseHandle[] = [];
  const giveBack = async () => {
    for (const mine of taken) await leases.release(mine);
  };
  for (const name of names) {
    const lease = await leases
      .acquire(`${RECOVERY_LEASE}${name}`, owner, world.clock.now(), LEASE_MS)
      .catch(async (error: unknown) => {
        // The next try of this recovery takes them again; when there is none, nobody waits for them.
        await giveBack().catch(() => undefined);
        throw error;
      });
    if (lease.kind === 'acquired') {
      taken.push({ name: lease.name, owner: lease.owner, token: lease.token });
      continue;
    }
    await giveBack();
    throw new EventRecoveryError(
      'RECOVERY_RUNS',
      `"${name}" is being recovered by ${lease.owner}; remedy: wait for its report`,
      { facts: { consumer: name, owner: lease.owner, until: lease.until } },
    );
  }
  return taken;
}

async function renewLeases({ leases }: RecoverDeps, held: readonly LeaseHandle[], now: number): Promise<void> {
  for (const lease of held) {
    if (await leases.renew(lease, now, LEASE_MS)) continue;
    throw new EventRecoveryError(
      'LEASE_LOST',
      `the lease ${lease.name} was taken over; remedy: read the other report`,
      {
        facts: { lease: lease.name },
      },
    );
  }
}

/** What a verification counted and there was no room for: nobody repairs it in this recovery. */
function unnamed({ violations = [], violationCount = 0 }: NonNullable<LookInput['before']> = {}): string {
  if (violationCount <= violations.length) return '';
  return `; ${violationCount} violations, of which ${violations.length} are named: another recovery looks after the others`;
}

/** Lists of a finding may be long; the numbers are in its explanation. Names stay: commands need them. */
function withoutLists<T extends { facts: Record<string, unknown> }>(finding: T): T {
  const names = Object.entries(finding.facts).filter(([, fact]) => typeof fact === 'string' && fact.length <= NAME_MAX);
  return { ...finding, facts: Object.fromEntries(names) };
}
const NAME_MAX = 256;
