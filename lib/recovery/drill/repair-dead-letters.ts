// The way back for whatever consumers gave up on: people are told, the cause is repaired, everything is given back, and nothing
// is left.

import type { AlertWatch } from './alerts.ts';
import type { DrillContext } from './context.ts';
import { deadLettersOf, isOpen, nameOf } from './dead-letters.ts';
import { redriveAll } from './redrive-all.ts';
import { settle } from './settle.ts';

/** @param cure takes the cause away */
export async function repairDeadLetters(context: DrillContext, alerts: AlertWatch, cure: () => void): Promise<void> {
  await alerts.announce((await deadLettersOf(context)).filter(isOpen));
  cure();
  context.fact('redriven', await redriveAll(context));
  await settle(context);
  for (const letter of await deadLettersOf(context)) {
    if (letter.status !== 'resolved') context.problem(`not resolved after the redrive: ${nameOf(letter)}`);
  }
  context.fact('alerts', await alerts.check());
}
