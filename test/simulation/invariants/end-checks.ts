// What must be in order at the very end, besides the streams: every dead letter has its end, nothing is owed any more, and no
// message was kept as one that nobody understands.

import type { Item } from './change.ts';
import { ENDS } from './dead-letter-checks.ts';
import type { Violations } from './violations.ts';

/** After everything was given back and the bugs were fixed. */
export function checkEnd(
  tables: { deadLetters: readonly Item[]; recovery: readonly Item[] },
  violations: Violations,
): void {
  for (const { id, status } of tables.deadLetters) {
    if (!ENDS.has(String(status))) violations.report('dead-letter-lost', `${id} ends as ${status}`);
  }
  for (const { pk, sk, from, to, reason } of tables.recovery) {
    if (String(pk).startsWith('gap#')) violations.report('gap-left-open', `${pk} ${sk}: ${from} to ${to}`);
    // A redelivery that an operator asked for, of events that are no dead letters: kept, so that it can be seen.
    const isGivenUpRedelivery = String(reason).startsWith('redelivery ');
    if (pk === 'undeliverable' && !isGivenUpRedelivery) violations.report('message-not-understood', `${sk}: ${reason}`);
  }
}
