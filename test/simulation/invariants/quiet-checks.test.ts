// The verdict "nothing waits": what it must let pass, and what it must not.

import { describe, expect, it } from '@jest/globals';
import { planOf } from '../scenario/plan.ts';
import type { Item } from './change.ts';
import { createLedger } from './ledger.ts';
import { createQuietChecks } from './quiet-checks.ts';
import { createViolations } from './violations.ts';

const NOW = 1_000_000;
const HELD = { leaseOwner: 'stock/1-1', leaseUntil: NOW };
const ENDED = { leaseOwner: 'stock/1-1', leaseUntil: NOW - 1 };

/** One consumer of `Placed` on one stream of the given types; true when nothing waits. */
function isQuiet(types: readonly string[], item: Item): boolean {
  const ledger = createLedger();
  const streamId = 'order-a';
  ledger.stored.set(
    streamId,
    types.map((type, index) => ({
      streamId,
      version: index + 1,
      id: `e${index + 1}`,
      type,
      commitVersion: 1,
      commitHash: '',
      storedAt: 0,
    })),
  );
  const [first] = planOf(1).consumers;
  if (first === undefined) throw new Error('a plan without consumers');
  const violations = createViolations(
    () => NOW,
    () => undefined,
  );
  const checks = createQuietChecks({
    consumers: [{ ...first, name: 'stock', eventTypes: ['Placed'] }],
    ledger,
    checkpoints: { item: () => item },
    deadLetters: { row: () => undefined },
    violations,
    now: () => NOW,
  });
  checks.check('not-quiet', { mayBeParked: false, isExcused: () => false });
  expect(checks.isQuiet()).toBe(violations.first === undefined);
  return violations.first === undefined;
}

describe('the check that nothing waits', () => {
  it.each([
    ['every event is resolved', ['Placed'], { version: 1, wanted: 1 }],
    ['every event is resolved and a dead holder left its lease', ['Placed'], { version: 1, wanted: 1, ...ENDED }],
    ['only unwanted events follow', ['Placed', 'Paid'], { version: 1, wanted: 1 }],
    ['only unwanted events follow a lease that has ended', ['Placed', 'Paid'], { version: 1, wanted: 1, ...ENDED }],
  ])('lets pass: %s', (_, types, item) => {
    expect(isQuiet(types, item)).toBe(true);
  });

  it.each([
    ['a wanted event', ['Placed', 'Placed'], { version: 1, wanted: 1 }],
    ['a wanted event behind a lease that has ended', ['Placed', 'Placed'], { version: 1, wanted: 1, ...ENDED }],
    ['a wanted event behind unwanted ones', ['Placed', 'Paid', 'Placed'], { version: 1, wanted: 1 }],
    ['a lease that has not ended', ['Placed', 'Paid'], { version: 1, wanted: 1, ...HELD }],
    ['what somebody has asked for', ['Placed', 'Paid'], { version: 1, wanted: 2 }],
    ['what was asked for of a holder that died', ['Placed', 'Paid'], { version: 1, wanted: 2, ...ENDED }],
    ['a rewind', ['Placed'], { version: 1, wanted: 1, rewind: { from: 0 } }],
    ['a parked stream without its dead letter', ['Placed'], { version: 0, wanted: 1, parked: { deadLetterId: 'd' } }],
  ])('reports: %s', (_, types, item) => {
    expect(isQuiet(types, item)).toBe(false);
  });
});
