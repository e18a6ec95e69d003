// What is started again: new damage, in growing intervals; nothing that a recovery knew and left.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideAgain, REMEMBERED_MS } from '../../../lib/recovery/start/decide-again.ts';
import type { ExecutionEnd } from '../../../lib/recovery/start/executions.ts';

const MINUTE = 60_000;
const START = 1_000_000_000;
const HELPED: ExecutionEnd = { status: 'SUCCEEDED' };
const LEFT: ExecutionEnd = { status: 'FAILED', error: 'NotComplete' };

/** `found` and `now` in minutes after the last start. */
const again = (
  end: ExecutionEnd,
  { from, to, now, tries = 1 }: { from: number; to: number; now: number; tries?: number },
) =>
  decideAgain({ startedAt: START, tries }, end, {
    found: { from: START + from * MINUTE, to: START + to * MINUTE },
    seenAt: START + now * MINUTE,
    now: START + now * MINUTE,
  }).kind;

describe('after a recovery', () => {
  it.each([
    ['that is at work: known', { status: 'RUNNING' }, { from: 1, to: 1, now: 5 }, 'known'],
    ['a sign from before its start: known', HELPED, { from: -9, to: -9, now: -1 }, 'known'],
    [
      'that could not begin: started',
      { status: 'FAILED', error: 'AlreadyRecovering' },
      { from: -9, to: -9, now: 5 },
      'start',
    ],
    ['that nobody remembers: started', { status: 'FORGOTTEN' }, { from: -9, to: -9, now: 5 }, 'start'],
    ['that helped, new damage: started at once', HELPED, { from: 1, to: 3, now: 5 }, 'start'],
    ['that said that it helped, the old damage: not', HELPED, { from: -9, to: -9, now: 5 }, 'did-not-help'],
    ['that left what it knew: not', LEFT, { from: -9, to: -9, now: 600 }, 'did-not-help'],
    ['that left something, and new damage beside it: not at once', LEFT, { from: -9, to: 3, now: 5 }, 'did-not-help'],
    ['that left something, and new damage beside it: after a pause', LEFT, { from: -9, to: 3, now: 15 }, 'start'],
    [
      'the third in a row that helped, new damage: after a pause',
      HELPED,
      { from: 1, to: 3, now: 5, tries: 3 },
      'did-not-help',
    ],
    ['the third in a row that helped, new damage, later', HELPED, { from: 1, to: 3, now: 15, tries: 3 }, 'start'],
    ['a day ago: started', LEFT, { from: -9, to: -9, now: 1_441 }, 'start'],
  ] as const)('%s', (_what, end, when, kind) => {
    expect(again(end, when)).toBe(kind);
  });

  it('a day of signs every minute starts few recoveries, whatever comes and however they end', () => {
    const ends = fc.array(fc.constantFrom(HELPED, LEFT), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(ends, fc.boolean(), (each, isAlwaysNew) => {
        let before = { startedAt: START, tries: 1 };
        let started = 1;
        for (let now = START + MINUTE; now < START + REMEMBERED_MS; now += MINUTE) {
          const found = isAlwaysNew ? { from: now, to: now } : { from: START, to: now };
          const end = each[started % each.length] ?? LEFT;
          const decision = decideAgain(before, end, { found, seenAt: now, now });
          if (decision.kind !== 'start') continue;
          before = { startedAt: now, tries: decision.tries };
          started += 1;
        }
        expect(started).toBeLessThanOrEqual(10);
      }),
    );
  });
});
