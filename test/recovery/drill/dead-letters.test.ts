// What a drill makes of the dead letters that it finds.

import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DeadLetter } from '../../../lib/model/dead-letter.ts';
import { bookDeadLetters } from '../../../lib/recovery/drill/dead-letters.ts';

let problems: string[];
let said: string[];
let facts: Record<string, unknown>;
let late: string[];

beforeEach(() => {
  problems = [];
  said = [];
  facts = {};
  late = [];
});

const letter = (more: Partial<DeadLetter> = {}): DeadLetter =>
  ({
    consumer: 'inventory',
    streamId: 'drill-1',
    version: 1,
    eventId: 'e-1',
    status: 'parked',
    error: { name: 'Error', message: 'injected' },
    fingerprint: 'f1',
    ...more,
  }) as DeadLetter;

const book = (...letters: DeadLetter[]) =>
  bookDeadLetters(
    {
      problem: (text) => void problems.push(text),
      progress: (text) => void said.push(text),
      fact: (name, value) => {
        facts[name] = value;
      },
      mayBeLate: (_consumer, ids) => void late.push(...ids),
    },
    letters,
    ({ error }) => error.message === 'injected',
  );

describe('the dead letters of a drill', () => {
  it('are fine when they are those of the injected cause, one group a consumer', () => {
    book(letter(), letter({ version: 2 as never }), letter({ consumer: 'notification' as never, fingerprint: 'f2' }));
    expect(problems).toEqual([]);
  });

  it('are a problem when one cause has several groups: people would be told of each', () => {
    book(letter(), letter({ fingerprint: 'f2' }), letter({ fingerprint: 'f3' }));
    expect(problems).toEqual(['inventory: one cause was filed in 3 groups, not in one']);
  });

  it('are a problem when nobody injected them, but for those of a slow machine, which are said', () => {
    book(letter({ error: { name: 'TypeError', message: 'a bug' } }));
    expect(problems).toEqual([expect.stringContaining('nobody injected')]);
    book(letter({ error: { name: 'UncleanEnd', message: 'died' } }));
    expect(problems).toHaveLength(1);
    expect(said).toEqual([expect.stringContaining('a slow machine')]);
    expect(facts).toEqual({ deadLettersOfSlowMachine: 1 });
  });

  it('may be resolved late when they were skipped', () => {
    book(letter({ status: 'skipped', eventId: 'e-7' as never }));
    expect(late).toEqual(['e-7']);
  });
});
