import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type AccountInput, type CommittedEvent, openAccount } from '../../../lib/recovery/verify/account.ts';

const NOW = 1_000_000;
const consumer = { name: 'inventory', eventTypes: { Wanted: 0 }, startPosition: 0, effects: 'transactional' as const };

const digestOf = (
  versions: number[],
  outcome: (version: number) => string = () => 'resolved',
  from = '0'.repeat(64),
): string =>
  versions.reduce(
    (digest, version) =>
      createHash('sha256')
        .update(`${digest}|${version}|h${version}|${outcome(version)}`)
        .digest('hex'),
    from,
  );

const event = (version: number, overrides: Partial<CommittedEvent> = {}): CommittedEvent => ({
  version,
  type: 'Wanted',
  position: version,
  recordedAt: 0,
  commitHash: `h${version}`,
  ...overrides,
});

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

const checkpointAt = (version: number, extra: Partial<NonNullable<AccountInput['checkpoint']>> = {}) => ({
  version,
  generation: 1,
  generationStart: 0,
  resolvedCount: version,
  resolvedDigest: digestOf(range(1, version)),
  ...extra,
});

function close(input: Partial<AccountInput>, events: CommittedEvent[]) {
  const account = openAccount({
    streamId: 's',
    consumer,
    checkpoint: undefined,
    passed: new Map(),
    doubtful: new Set(),
    now: NOW,
    lagBoundMs: 1_000,
    ...input,
  });
  for (const each of events) account.add(each);
  return account.close(events.length);
}

describe('the books of one consumer over one stream', () => {
  it('demand no effect of what somebody had passed without effects', () => {
    const checkpoint = checkpointAt(3, { passedTo: 2 });
    const { expected } = close(
      { checkpoint },
      range(1, 3).map((v) => event(v)),
    );
    expect(expected).toMatchObject([
      { from: 1, to: 2, min: 0 },
      { from: 3, to: 3, min: 1 },
    ]);
  });

  it('put a fully resolved stream into one box and agree with its digest', () => {
    const { conservation, violations, digestChecked } = close(
      { checkpoint: checkpointAt(3) },
      range(1, 3).map((v) => event(v)),
    );
    expect(conservation).toMatchObject({ appended: 3, resolved: 3, gap: 0, lagging: 0 });
    expect(violations).toEqual([]);
    expect(digestChecked).toBe(true);
  });

  it('call old unresolved events a gap, young ones lagging, and any under a live lease lagging', () => {
    const events = [event(1), event(2), event(3)];
    expect(close({ checkpoint: checkpointAt(1), openGapTo: 3 }, events).conservation).toMatchObject({
      resolved: 1,
      gap: 2,
    });
    const young = events.map((each) => ({ ...each, recordedAt: NOW }));
    expect(close({ checkpoint: checkpointAt(1) }, young).conservation).toMatchObject({ lagging: 2, gap: 0 });
    expect(close({ checkpoint: checkpointAt(1, { leaseUntil: NOW + 1 }) }, events).conservation).toMatchObject({
      lagging: 2,
    });
  });

  it('count a tail of unwanted types as resolved, but not one before a wanted event', () => {
    const events = [event(1), event(2, { type: 'Other' }), event(3), event(4, { type: 'Other' })];
    expect(close({ checkpoint: checkpointAt(1), openGapTo: 3 }, events).conservation).toMatchObject({
      resolved: 2,
      gap: 2,
    });
  });

  it('put the parked event and those behind it into their own boxes', () => {
    const checkpoint = checkpointAt(1, { parkedVersion: 2 });
    expect(
      close(
        { checkpoint },
        range(1, 4).map((v) => event(v)),
      ).conservation,
    ).toMatchObject({ resolved: 1, parked: 1, waiting: 2 });
  });

  it('fold skipped and discarded events with their outcome', () => {
    const passed = new Map([[2, { as: 'skipped', box: 'skipped' }]] as const);
    const digest = digestOf([1, 2, 3], (version) => (version === 2 ? 'skipped' : 'resolved'));
    const { conservation, violations } = close(
      { checkpoint: checkpointAt(3, { resolvedDigest: digest }), passed },
      range(1, 3).map((v) => event(v)),
    );
    expect(conservation).toMatchObject({ resolved: 2, skipped: 1 });
    expect(violations).toEqual([]);
    expect(
      close(
        { checkpoint: checkpointAt(3), passed },
        range(1, 3).map((v) => event(v)),
      ).violations,
    ).toMatchObject([{ kind: 'checkpoint-digest' }]);
  });

  it.each([
    ['a skipped version', [1, 3]],
    ['a doubled version', [1, 2, 2, 3]],
    ['a swapped pair', [2, 1, 3]],
  ])('refuse a digest that was folded over %s', (_name, versions) => {
    const { violations } = close(
      { checkpoint: checkpointAt(3, { resolvedDigest: digestOf(versions) }) },
      range(1, 3).map((v) => event(v)),
    );
    expect(violations).toMatchObject([{ kind: 'checkpoint-digest' }]);
  });

  it('report a checkpoint beyond the head and a wrong count', () => {
    const { violations } = close(
      { checkpoint: { ...checkpointAt(5), resolvedCount: 4 } },
      range(1, 3).map((v) => event(v)),
    );
    expect(violations.map(({ kind }) => kind)).toEqual([
      'checkpoint-beyond-head',
      'checkpoint-count',
      'checkpoint-count',
    ]);
  });

  it('leave events before the start position, and types before they apply, out of what is owed', () => {
    const late = { ...consumer, startPosition: 1, eventTypes: { Wanted: 0, Later: 3 } };
    const events = [event(1), event(2), event(3, { type: 'Later' })];
    const checkpoint = checkpointAt(2, { generationStart: 1, resolvedCount: 1, resolvedDigest: digestOf([2]) });
    expect(close({ consumer: late, checkpoint }, events)).toMatchObject({
      conservation: { appended: 2, resolved: 2, gap: 0 },
      violations: [],
    });
  });

  it('report a gap that no open-gap row records', () => {
    expect(close({ checkpoint: checkpointAt(1) }, [event(1), event(2)]).violations).toMatchObject([
      { kind: 'open-gap-unrecorded' },
    ]);
  });
});
