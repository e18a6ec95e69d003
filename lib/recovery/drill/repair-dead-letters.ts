// The way back for whatever consumers gave up on: people are told, a recovery that is told nothing says what is wrong, the cause
// is repaired, a recovery gives everything back and proves it, and nothing is left.

import type { AlertWatch } from './alerts.ts';
import type { DrillContext } from './context.ts';
import { deadLettersOf, isOpen, nameOf } from './dead-letters.ts';
import { settle } from './settle.ts';

/** @param cure takes the cause away */
export async function repairDeadLetters(context: DrillContext, alerts: AlertWatch, cure: () => void): Promise<void> {
  const open = (await deadLettersOf(context)).filter(isOpen);
  await alerts.announce(open);
  const { result } = await context.recover();
  if (result !== 'proposed') context.problem(`asked for nothing, the recovery was "${result}" and not a proposal`);
  cure();
  await context.recover({ actions: ['repair'] });
  await settle(context);
  const after = await deadLettersOf(context);
  for (const letter of after) {
    if (letter.status !== 'resolved') context.problem(`not resolved after the redrive: ${nameOf(letter)}`);
  }
  const given = after.filter(({ lastRunId }) => lastRunId !== undefined).length;
  if (given < open.length) context.problem(`${given} dead letters were given back, ${open.length} were open`);
  context.fact('redriven', given);
  context.fact('alerts', await alerts.check());
}
