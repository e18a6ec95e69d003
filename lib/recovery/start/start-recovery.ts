// Starts a recovery for a sign, once: the execution's name is taken for 90 days, so a sign that is delivered six times starts one.
// Loop protection: when what a recovery knew is still there after it has ended, people are told instead of starting another; new
// damage is repaired (decide-again.ts).

import { DescribeExecutionCommand, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Registry } from '../../flow/registry/port.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Alerts } from '../alert/alerts.ts';
import { decideAgain } from './decide-again.ts';
import { decideStart, type Sign, type StartDecision } from './decide-start.ts';
import type { Start, Starts } from './starts.ts';

export interface StartDeps {
  sfn: Pick<SFNClient, 'send'>;
  stateMachineArn: string;
  starts: Starts;
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
  if (before === undefined) return start(deps, decision, { tries: 1, before });
  const { name, ...end } = await ended(deps, before.executionArn);
  const again = decideAgain(before, end, { found: decision.found, seenAt: decision.seenAt, now: deps.now() });
  if (again.kind === 'known') return { kind: 'already-started', name };
  if (again.kind === 'start') return start(deps, decision, { tries: again.tries, before });
  const { status, error } = end;
  const alert = await deps.alerts.raise({
    consumer: consumer ?? 'all',
    fingerprint: `recovery-${decision.hash}`,
    at: deps.now(),
    subject: `A recovery did not help${consumer === undefined ? '' : `: ${consumer}`}`,
    facts: { recovery: name, status, error, reason: decision.input.reason, next: 'npx event-recovery recover' },
  });
  deps.logger.error('a recovery did not help and is not started again', { name, status, error });
  return { kind: 'did-not-help', name, alert };
}

async function start(
  deps: StartDeps,
  decision: Extract<StartDecision, { kind: 'start' }>,
  { tries, before }: { tries: number; before: Start | undefined },
): Promise<StartOutcome> {
  const { sfn, stateMachineArn } = deps;
  const startedAt = deps.now();
  const starts = (before?.starts ?? 0) + 1;
  const name = starts === 1 ? decision.name : `${decision.name}-${starts}`;
  let executionArn: string;
  try {
    // Again with the same name and input while it runs: the same execution, not another one.
    const started = await sfn.send(
      new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(decision.input) }),
    );
    executionArn = started.executionArn ?? '';
  } catch (error) {
    if ((error as Error).name !== 'ExecutionAlreadyExists') throw error;
    return { kind: 'already-started', name };
  }
  await deps.starts.put({ hash: decision.hash, executionArn, startedAt, tries, starts }, before);
  return { kind: 'started', name };
}

const isActive = async ({ registry }: StartDeps, consumer: string): Promise<boolean> =>
  (await registry.list()).some(({ name, status }) => name === consumer && status === 'active');

async function ended({ sfn }: StartDeps, executionArn: string) {
  const name = executionArn.slice(executionArn.lastIndexOf(':') + 1);
  try {
    const { status, error } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return { status: String(status), error, name };
  } catch (error) {
    // Step Functions forgets executions after 90 days, and with a deleted state machine at once.
    if ((error as Error).name !== 'ExecutionDoesNotExist') throw error;
    return { status: 'FORGOTTEN', error: undefined, name };
  }
}
