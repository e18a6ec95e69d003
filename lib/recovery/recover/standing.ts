// What the workflow does not repair by itself, or what goes on elsewhere: pure. While it stands a recovery that was asked to
// repair is not complete, and its report says what a person does.

import type { Finding, ProposedAction } from '../diagnose/types.ts';
import type { Verdict } from '../verify/types.ts';
import type { RecoveryRequest } from './input.ts';

/** `replay`: a backfill, which the replay's schedule begins. `enable-rule`: after an approval, or not at all. */
const STANDING: ReadonlySet<ProposedAction> = new Set(['enable-rule', 'enable-mapping', 'escalate', 'replay']);

/** Of the findings of the look that has just ended. Only a repair answers for what it was not told by name. */
export const standingOf = (
  findings: readonly Finding[],
  { actions }: Pick<RecoveryRequest, 'actions'>,
): readonly Finding[] => (actions.includes('repair') ? findings.filter(({ action }) => STANDING.has(action)) : []);

/**
 * A relay that was seen late with errors has caught up when the verification, which came after, found nothing on its way: its age is
 * a metric of minutes ago.
 */
export const stillStanding = (
  standing: readonly Finding[],
  verdict: Pick<Verdict, 'consumers'> | undefined,
): readonly Finding[] => {
  const isOnItsWay = verdict?.consumers.some(({ conservation }) => conservation.lagging > 0) ?? true;
  return standing.filter(({ action }) => action !== 'escalate' || isOnItsWay);
};

const RUNBOOK = 'docs/runbooks/README.md';

/** The exact command, as far as there is one. */
export function commandsOf({ action, consumer, facts }: Finding): string[] {
  const { ruleName, busName, mappingId } = facts;
  const of = consumer === undefined ? '' : ` --consumer ${consumer}`;
  switch (action) {
    case 'enable-rule':
      return [`aws events enable-rule --event-bus-name ${busName ?? '<bus>'} --name ${ruleName ?? '<rule>'}`];
    case 'enable-mapping':
      return [`aws lambda update-event-source-mapping --uuid ${mappingId ?? '<mapping>'} --enabled`];
    case 'replay':
      return ['npx event-recovery replay status'];
    case 'escalate':
      return [`read ${RUNBOOK}#relay-iterator-age, then: npx event-recovery recover --action repair${of}`];
    default:
      return [];
  }
}
