// Enables a consumer's rule on the bus that somebody has disabled: plan says what it would do, apply does it when somebody has
// agreed. A rule may be disabled on purpose, so nobody enables it unasked.

import { DescribeRuleCommand, EnableRuleCommand, type EventBridgeClient } from '@aws-sdk/client-eventbridge';
import * as z from 'zod/mini';
import { EventRecoveryError } from '../../model/errors.ts';
import type { Audit } from '../audit/audit.ts';
import { checkInput } from '../input/check.ts';

const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));

/** EventBridge: a rule's name has up to 64 characters (API reference, EnableRule). */
const RULE = z.string().check(z.regex(/^[.\-_A-Za-z0-9]{1,64}$/));

const WHAT = {
  /** Name of the rule, on the deployment's own bus. */
  rule: RULE,
  /** Whose it is: for the words and the audit. */
  consumer: text(48),
  requestedBy: z.prefault(text(256), 'unknown'),
  reason: z.prefault(text(1_000), 'not given'),
};

const REQUEST = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('plan'), ...WHAT }),
  z.strictObject({ action: z.literal('apply'), ...WHAT, approvedBy: text(256) }),
]);

export interface EnableDeps {
  events: Pick<EventBridgeClient, 'send'>;
  busName: string;
  audit: Pick<Audit, 'record'>;
}

export interface EnableAnswer {
  /** `nothing`: it is enabled. */
  result: 'planned' | 'nothing' | 'done';
  rule: string;
  consumer: string;
}

/**
 * @throws InvalidInputError `INVALID_INPUT`; EventRecoveryError `UNKNOWN_RULE`
 * @example await enableRule(deps, { action: 'plan', rule: 'orders-inventory', consumer: 'inventory' }, requestId);
 */
export async function enableRule(deps: EnableDeps, raw: unknown, requestId: string): Promise<EnableAnswer> {
  const request = checkInput(REQUEST, raw, 'request to enable a rule');
  const { action, rule, consumer, requestedBy, reason } = request;
  const of = { Name: rule, EventBusName: deps.busName };
  const { State } = await known(deps, rule, () => deps.events.send(new DescribeRuleCommand(of)));
  if (State !== 'DISABLED') return { result: 'nothing', rule, consumer };
  if (action === 'plan') return { result: 'planned', rule, consumer };
  await known(deps, rule, () => deps.events.send(new EnableRuleCommand(of)));
  const { approvedBy } = request;
  await deps.audit.record({
    action: 'enable-rule',
    requestedBy,
    reason,
    requestId,
    input: { rule, consumer, busName: deps.busName },
    outcome: { approvedBy },
  });
  return { result: 'done', rule, consumer };
}

async function known<Answer>({ busName }: EnableDeps, rule: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error;
    throw new EventRecoveryError(
      'UNKNOWN_RULE',
      `bus "${busName}" has no rule "${rule}"; remedy: npx event-recovery recover says which rule is disabled`,
      { facts: { busName, rule } },
    );
  }
}
