// The beginning and the rounds of a recovery. Begin: check the input, take the lease of every consumer that is meant (all or
// none), look, diagnose. A round: look again, decide again. The repairs themselves are functions of their own.

import type { Registry } from '../../flow/registry/port.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import type { World } from '../../platform/clock.ts';
import { diagnose } from '../diagnose/diagnose.ts';
import type { LeaseHandle, Leases } from '../lease/leases.ts';
import { collectEvidence, type EvidenceDeps } from './collect-evidence.ts';
import { checkRecoveryRequest } from './input.ts';
import { advance, decideNext, type Progress, waitSeconds } from './progress.ts';

/** Longer than the state machine's own time limit: a recovery that was cut off lets the next one in after it. */
export const LEASE_MS = 60 * 60_000;
/** Findings in the document that travels through the state machine (at most 256 KiB a state); they come most urgent first. */
const FINDINGS_MAX = 50;

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

/** @throws InvalidInputError; EventRecoveryError `UNKNOWN_CONSUMER`, `RECOVERY_RUNS`. Then no lease is held. */
export async function beginRecovery(deps: RecoverDeps, { id, input }: BeginInput): Promise<Progress> {
  const startedAt = deps.world.clock.now();
  const request = checkRecoveryRequest(input);
  const consumers = await consumersOf(deps, request.consumers);
  const isReadOnly = request.dryRun || request.actions.every((action) => action === 'propose' || action === 'verify');
  const leases = isReadOnly ? [] : await takeLeases(deps, id, consumers);
  try {
    const collected = await collectEvidence(deps, consumers, startedAt);
    const findings = diagnose(collected.evidence);
    const { gapStreams, openLetters } = collected;
    const left = { gapStreams, openLetters };
    const now = deps.world.clock.now();
    return {
      id,
      request,
      startedAt,
      firstSignAt: Math.min(collected.firstSignAt ?? startedAt, startedAt),
      at: now,
      next: decideNext({ request, round: 0, isRedriven: false }, left),
      round: 0,
      waitSeconds: waitSeconds(0),
      isRedriven: false,
      findings: findings.slice(0, FINDINGS_MAX).map(withoutLists),
      steps: [
        {
          name: 'Diagnose',
          startedAt,
          endedAt: now,
          outcome: findings.length === 0 ? 'nothing-to-do' : 'done',
          summary: `${consumers.length} consumers, ${findings.length} findings`,
        },
      ],
      leases,
      left,
    };
  } catch (error) {
    for (const lease of leases) await deps.leases.release(lease);
    throw error;
  }
}

export async function checkProgress(deps: RecoverDeps, progress: Progress): Promise<Progress> {
  const consumers = await consumersOf(deps, progress.request.consumers);
  const { gapStreams, openLetters } = await collectEvidence(deps, consumers, deps.world.clock.now());
  return advance(progress, { gapStreams, openLetters }, deps.world.clock.now());
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

/** In the order of their names, so that of two recoveries with the same consumers one gets all of them. */
async function takeLeases(
  { leases, world }: RecoverDeps,
  owner: string,
  consumers: readonly RegisteredConsumer[],
): Promise<LeaseHandle[]> {
  const taken: LeaseHandle[] = [];
  for (const name of consumers.map((consumer) => consumer.name).toSorted()) {
    const lease = await leases.acquire(`recovery#${name}`, owner, world.clock.now(), LEASE_MS);
    if (lease.kind === 'acquired') {
      taken.push({ name: lease.name, owner: lease.owner, token: lease.token });
      continue;
    }
    for (const mine of taken) await leases.release(mine);
    throw new EventRecoveryError(
      'RECOVERY_RUNS',
      `"${name}" is being recovered by ${lease.owner}; remedy: wait for its report`,
      { facts: { consumer: name, owner: lease.owner, until: lease.until } },
    );
  }
  return taken;
}

/** Lists of a finding may be long; the numbers are in its explanation. */
const withoutLists = <T extends { facts: Record<string, unknown> }>(finding: T): T => ({ ...finding, facts: {} });
