import { describe, expect, it } from '@jest/globals';
import type { Effect, LedgerEntry } from '../../../lib/recovery/drill/ledger.ts';
import { type ConsumerFacts, judge, problemsOf } from '../../../lib/recovery/drill/verdict.ts';

const entry = (version: number, streamId = 's', type = 'OrderPlaced'): LedgerEntry => ({
  streamId,
  version,
  eventId: `${streamId}-${version}`,
  type,
});
const effect = (version: number, streamId = 's'): Effect => ({
  consumer: 'c',
  streamId,
  version,
  eventId: `${streamId}-${version}`,
});
const facts = (applied: Effect[], more: Partial<ConsumerFacts> = {}): ConsumerFacts => ({
  name: 'c',
  effects: 'transactional',
  eventTypes: ['OrderPlaced'],
  applied,
  order: applied,
  kills: 0,
  unplannedEnds: 0,
  ...more,
});
const three = [entry(1), entry(2), entry(3)];
const idempotent = { effects: 'idempotent' as const };

describe('the verdict over a consumer', () => {
  it('finds nothing wrong when every acknowledged event has one effect, in order', () => {
    const verdict = judge(three, facts([effect(1), effect(2), effect(3)]));
    expect(verdict).toMatchObject({ expected: 3, lost: 0, doubled: 0, repeated: 0, reordered: 0, unknown: 0 });
    expect(problemsOf(verdict, 1)).toEqual([]);
  });

  it('calls an acknowledged event without an effect lost, and names the first', () => {
    const verdict = judge(three, facts([effect(1), effect(3)]));
    expect(verdict).toMatchObject({ lost: 1, lostEvents: [{ version: 2 }] });
    expect(problemsOf(verdict, 1)).toEqual(['c: 1 acknowledged events have no effect, the first is version 2 of s']);
  });

  it('asks nothing about types that the consumer does not want', () => {
    expect(
      judge([...three, entry(4, 's', 'OrderShipped')], facts(three.map((one) => effect(one.version)))),
    ).toMatchObject({ expected: 3, lost: 0 });
  });

  it('calls a second transactional effect doubled, whatever was killed', () => {
    const verdict = judge(three, facts([effect(1), effect(2), effect(2), effect(3)], { kills: 5, unplannedEnds: 5 }));
    expect(verdict).toMatchObject({ doubled: 1, repeated: 0 });
    expect(problemsOf(verdict, 1)).toHaveLength(1);
  });

  it('allows an idempotent effect one repeat per kill, and no more', () => {
    const twice = [effect(1), effect(2), effect(2), effect(3)];
    const explained = judge(three, facts(twice, { ...idempotent, kills: 1 }));
    expect(explained).toMatchObject({ doubled: 0, repeated: 1 });
    expect(problemsOf(explained, 1)).toEqual([]);
    expect(problemsOf(judge(three, facts([...twice, effect(3)], { ...idempotent, kills: 1 })), 1)).toHaveLength(1);
    expect(problemsOf(judge(three, facts(twice, idempotent)), 1)).toHaveLength(1);
  });

  it('allows one repeat per stream for a process that died by itself', () => {
    const twice = judge(
      three,
      facts([effect(1), effect(1), effect(2), effect(2), effect(3)], { ...idempotent, unplannedEnds: 1 }),
    );
    expect(problemsOf(twice, 2)).toEqual([]);
    expect(problemsOf(twice, 1)).toHaveLength(1);
  });

  it('allows one repeat for a call that the SDK made again, and no more', () => {
    const twice = [effect(1), effect(2), effect(2), effect(3)];
    expect(problemsOf(judge(three, facts(twice, { ...idempotent, repeatedCalls: 1 })), 1)).toEqual([]);
    const more = judge(three, facts([...twice, effect(3)], { ...idempotent, repeatedCalls: 1 }));
    expect(problemsOf(more, 1)).toHaveLength(1);
    const transactional = judge(three, facts(twice, { repeatedCalls: 1 }));
    expect(transactional.doubled).toBe(1);
    expect(problemsOf(transactional, 1)).toHaveLength(1);
  });

  it('lets events that were skipped and given again come late, and nothing else', () => {
    const late = [effect(1), effect(3), effect(2)];
    const mayBeLate = new Set([three[1]?.eventId as string]);
    expect(judge(three, facts(late, { order: late, mayBeLate })).reordered).toBe(0);
    const other = new Set([three[0]?.eventId as string]);
    expect(judge(three, facts(late, { order: late, mayBeLate: other })).reordered).toBe(1);
  });

  it('finds effects out of order inside a stream, not between streams, and not repeats', () => {
    const entries = [...three, entry(1, 't'), entry(2, 't')];
    const all = [effect(1), effect(2, 't'), effect(3), effect(2), effect(1, 't'), effect(3)];
    const verdict = judge(entries, facts(all, { ...idempotent, kills: 1, order: all }));
    expect(verdict.reordered).toBe(2); // 2 after 3 of s, 1 after 2 of t; the second 3 is a repeat
    expect(problemsOf(verdict, 2)).toEqual(['c: 2 effects came out of order']);
  });

  it('finds effects of events that nobody acknowledged', () => {
    const verdict = judge(three, facts([effect(1), effect(2), effect(3), effect(4)]));
    expect(problemsOf(verdict, 1)).toEqual(['c: 1 effects belong to no acknowledged event']);
  });
});
