// Starts a recovery for a sign, once: the execution's name is taken for 90 days, so a sign that is delivered six times starts one.
// While another recovery is at work on its consumers it waits (look-after.ts starts it then). Loop protection: when what a recovery
// knew is still there after it has ended, people are told instead of starting another; new damage is repaired (decide-again.ts).

import { type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Registry } from '../../flow/registry/port.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Alerts } from '../alert/alerts.ts';
import type { Leases } from '../lease/leases.ts';
import { RECOVERY_LEASE } from '../recover/lease-names.ts';
import { decideAgain } from './decide-again.ts';
import { decideStart, type Sign } from './decide-start.ts';
import { arnOf, endOf, nameOf } from './executions.ts';
import type { Start, Starts } from './starts.ts';

export interface StartDeps {
  sfn: Pick<SFNClient, 'send'>;
  stateMachineArn: string;
  starts: Starts;
  leases: Pick<Leases, 'held' | 'release'>;
  alerts: Alerts;
  registry: Pick<Registry, 'list'>;
  logger: Logger;
  now(): number;
}

export type StartOutcome =
  | { kind: 'started'; name: string }
  | { kind: 'ignored'; why: string }
  /** The same sign again, or its recovery is at work. */
  | { kind: 'already-started'; name: string }
  /** Another recovery is at work on its consumers; afterwards it is started. */
  | { kind: 'waits'; name: string; for: string }
  /** Its recovery has ended, and the finding is still there: a person has to look. */
  | { kind: 'did-not-help'; name: string; alert: 'published' | 'told-already' };

/** @example await startRecovery(deps, event); // { kind: 'started', name: 'inventory-1f2e3d4c5b6a-812' } */
export async function startRecovery(deps: StartDeps, sign: Sign): Promise<StartOutcome> {
  const decision = decideStart(sign);
  if (decision.kind === 'ignore') return { kind: 'ignored', why: decision.why };
  const { consumer } = decision;
  if (consumer !== undefined && !(await isActive(deps, consumer))) {
    return { kind: 'ignored', why: `consumer "${consumer}" is not deployed here` };
  }
  const before = await deps.starts.get(decision.hash);
  const { hash, name, input } = decision;
  const wanted = { hash, consumer, name, input: JSON.stringify(input) };
  if (before === undefined) return startOrWait(deps, { ...wanted, tries: 1 }, before);
  if (before.executionArn === undefined || before.state === 'waits') {
    return startOrWait(deps, { ...wanted, tries: before.tries }, before);
  }
  const execution = nameOf(before.executionArn);
  const end = await endOf(deps.sfn, before.executionArn);
  const again = decideAgain(before, end, { found: decision.found, seenAt: decision.seenAt, now: deps.now() });
  if (again.kind === 'known') return { kind: 'already-started', name: execution };
  if (again.kind === 'start') return startOrWait(deps, { ...wanted, tries: again.tries }, before);
  const { status, error } = end;
  const alert = await deps.alerts.raise({
    consumer: consumer ?? 'all',
    fingerprint: `recovery-${decision.hash}`,
    at: deps.now(),
    subject: `A recovery did not help${consumer === undefined ? '' : `: ${consumer}`}`,
    facts: { recovery: execution, status, error, reason: input.reason, next: 'npx event-recovery recover' },
  });
  deps.logger.error('a recovery did not help and is not started again', { name: execution, status, error });
  return { kind: 'did-not-help', name: execution, alert };
}

type Wanted = Pick<Start, 'hash' | 'consumer' | 'name' | 'input' | 'tries'>;

/** An execution that finds its consumers taken would fail, with an alarm, and nobody would start it again. */
async function startOrWait(deps: StartDeps, wanted: Wanted, before: Start | undefined): Promise<StartOutcome> {
  const { consumer } = wanted;
  const now = deps.now();
  const held = await deps.leases.held(RECOVERY_LEASE + (consumer ?? ''), now);
  const other = held.find(({ name }) => consumer === undefined || name === RECOVERY_LEASE + consumer);
  if (other === undefined) return start(deps, wanted, before);
  const { executionArn, starts = 0 } = before ?? {};
  await deps.starts.put({ ...wanted, executionArn, startedAt: now, starts, state: 'waits' }, before);
  return { kind: 'waits', name: wanted.name, for: other.owner };
}

/** Without asking whether its consumers are free. */
export async function start(
  { sfn, stateMachineArn, starts, now }: Pick<StartDeps, 'sfn' | 'stateMachineArn' | 'starts' | 'now'>,
  wanted: Wanted,
  before: Start | undefined,
): Promise<StartOutcome> {
  const startedAt = now();
  const number = (before?.starts ?? 0) + 1;
  const name = number === 1 ? wanted.name : `${wanted.name}-${number}`;
  const noted = (executionArn: string) =>
    starts.put({ ...wanted, executionArn, startedAt, starts: number, state: 'started' }, before);
  try {
    // Again with the same name and input while it runs: the same execution, not another one.
    const { executionArn = '' } = await sfn.send(
      new StartExecutionCommand({ stateMachineArn, name, input: wanted.input }),
    );
    await noted(executionArn);
  } catch (error) {
    if ((error as Error).name !== 'ExecutionAlreadyExists') throw error;
    // Started, and the row was not written: it would wait for ever.
    if (before?.state === 'waits') await noted(arnOf(stateMachineArn, name));
    return { kind: 'already-started', name };
  }
  return { kind: 'started', name };
}

export const isActive = async ({ registry }: Pick<StartDeps, 'registry'>, consumer: string): Promise<boolean> =>
  (await registry.list()).some(({ name, status }) => name === consumer && status === 'active');
