import { beforeEach, describe, expect, it } from '@jest/globals';
import { checkPlan } from '../../../lib/recovery/plan/check-plan.ts';
import type { PlanMode, Selection } from '../../../lib/recovery/plan/port.ts';
import { createPlanner } from './support.ts';

type Planner = Awaited<ReturnType<typeof createPlanner>>;
let planner: Planner;
let system: Planner['system'];
let plan: Planner['plan'];
const loseAll = () => true;

beforeEach(async () => {
  planner = await createPlanner();
  ({ system, plan } = planner);
  await system.addConsumer({ name: 'inventory', eventTypes: ['Placed', 'Paid'], effects: 'idempotent' });
});

const rowsOf = ({ planned }: Awaited<ReturnType<Planner['plan']>>) =>
  planned.map(({ streamId, from, to, events, repeats }) => [streamId, from, to, events, repeats]);

describe('a plan to resume', () => {
  it('has each stream that is behind, from its checkpoint to its last wanted event, and repeats nothing', async () => {
    await system.append('order-1', ['Placed', 'Paid']);
    await system.append('order-2', ['Placed']);
    await system.settle();
    await system.append('order-1', ['Other', 'Placed', 'Paid', 'Other']);
    await system.append('order-3', ['Placed']);
    await system.append('other-1', ['Other']);
    await system.settle(loseAll);
    const made = await plan({ mode: 'resume' });
    expect(rowsOf(made)).toEqual([
      ['order-1', 4, 5, 2, 0],
      ['order-3', 1, 1, 1, 0],
    ]);
    expect(made.totals).toMatchObject({ streams: 2, events: 3, expectedRepeats: 0, wakeUps: 2, parked: 0 });
  });

  it('leaves out what waits behind a dead letter, and says so', async () => {
    await system.addConsumer({ name: 'billing', eventTypes: ['Placed'], effects: 'idempotent', maxAttempts: 1 }, () => {
      throw new Error('poison');
    });
    await system.append('order-1', ['Placed', 'Placed']);
    await system.settle();
    const made = await plan({ mode: 'resume', consumer: 'billing' });
    expect(rowsOf(made)).toEqual([]);
    expect(made.totals).toMatchObject({ streams: 0, parked: 1 });
    expect(made.blastRadius.join('\n')).toContain('1 selected stream behind a dead letter');
  });
});

describe('a plan to rewind', () => {
  it('repeats from the first selected event of each stream up to its checkpoint, also what was not selected', async () => {
    await system.append('order-1', ['Placed', 'Paid', 'Placed', 'Placed']);
    await system.append('order-2', ['Placed', 'Placed']);
    await system.settle();
    const made = await plan({ mode: 'rewind', selection: { eventTypes: ['Paid'] } });
    expect(rowsOf(made)).toEqual([['order-1', 2, 4, 3, 3]]);
    expect(made.totals).toMatchObject({ streams: 1, events: 3, expectedRepeats: 3 });
  });

  it('repeats no reaction when the effects are suppressed', async () => {
    await system.append('order-1', ['Placed', 'Placed']);
    await system.settle();
    const options = { ratePerSecond: 100, maxFailureRate: 0.1, suppressEffects: true };
    expect((await plan({ mode: 'rewind', options })).totals).toMatchObject({ events: 2, expectedRepeats: 0 });
  });

  it('has nothing to do with what was never resolved', async () => {
    await system.append('order-1', ['Placed']);
    await system.settle(loseAll);
    expect(rowsOf(await plan({ mode: 'rewind' }))).toEqual([]);
  });
});

describe('a plan to redeliver', () => {
  it('has the selected events alone, and only those that are resolved', async () => {
    await system.append('order-1', ['Placed', 'Paid', 'Other', 'Paid']);
    await system.settle();
    await system.append('order-1', ['Paid']);
    await system.settle(loseAll);
    const made = await plan({ mode: 'redeliver', selection: { eventTypes: ['Paid'] } });
    expect(made.planned).toMatchObject([
      {
        streamId: 'order-1',
        events: 2,
        versions: [
          [2, 2],
          [4, 4],
        ],
      },
    ]);
  });

  it('divides a long stream into messages of 100 versions, in order', async () => {
    await system.append('order-1', Array<string>(250).fill('Placed'));
    await system.settle();
    const made = await plan({ mode: 'redeliver' });
    expect(rowsOf(made)).toEqual([
      ['order-1', 1, 100, 100, 100],
      ['order-1', 101, 200, 100, 100],
      ['order-1', 201, 250, 50, 50],
    ]);
    expect(made.totals).toMatchObject({ streams: 1, wakeUps: 3, events: 250 });
  });
});

describe('a plan to fill', () => {
  it("has the consumer's open gaps with the events that are owed", async () => {
    await system.append('order-1', ['Placed', 'Other', 'Paid']);
    await system.append('order-2', ['Placed']);
    await system.settle(loseAll);
    for (const [streamId, to] of [
      ['order-1', 3],
      ['order-2', 1],
    ] as const) {
      const gap = { consumer: 'inventory', streamId, from: 1, to } as never;
      await planner.openGaps.seen(gap, 0);
    }
    expect(rowsOf(await plan({ mode: 'fill' }))).toEqual([
      ['order-1', 1, 3, 2, 0],
      ['order-2', 1, 1, 1, 0],
    ]);
  });
});

describe('a selection', () => {
  const SELECTIONS: [string, Selection, string[]][] = [
    ['one stream', { streamId: 'order-2' }, ['order-2']],
    ['a stream prefix', { streamPrefix: 'order-' }, ['order-1', 'order-2']],
    ['event types', { eventTypes: ['Paid'] }, ['order-2']],
    ['a range of positions', { fromPosition: 2, toPosition: 3 }, ['order-2']],
    ['the end of the log', { fromPosition: 4 }, ['zebra-1']],
    ['a range of times', { fromTimeMs: 2_000, toTimeMs: 3_000 }, ['order-2']],
    ['everything', { everything: true }, ['order-1', 'order-2', 'zebra-1']],
    ['several at once', { streamPrefix: 'order-', eventTypes: ['Placed'], fromTimeMs: 2_000 }, ['order-2']],
  ];

  it.each(SELECTIONS)('means by %s exactly that, in every mode', async (_what, selection, streams) => {
    const start = system.clock.now();
    for (const [afterMs, streamId, types] of [
      [1_000, 'order-1', ['Placed']],
      [2_000, 'order-2', ['Placed']],
      [3_000, 'order-2', ['Paid']],
      [4_000, 'zebra-1', ['Placed']],
    ] as const) {
      system.clock.set(start + afterMs);
      await system.append(streamId, types);
      await system.relay();
    }
    const { fromTimeMs, toTimeMs, ...rest } = selection;
    const times = {
      ...(fromTimeMs !== undefined && { fromTimeMs: start + fromTimeMs }),
      ...(toTimeMs !== undefined && { toTimeMs: start + toTimeMs }),
    };
    const resume = await plan({ mode: 'resume', selection: { ...rest, ...times } });
    expect(resume.planned.map(({ streamId }) => streamId)).toEqual(streams);
    system.deliver();
    await system.settle();
    for (const mode of ['rewind', 'redeliver'] as PlanMode[]) {
      const made = await plan({ mode, selection: { ...rest, ...times } });
      expect(made.planned.map(({ streamId }) => streamId)).toEqual(streams);
    }
  });
});

describe('bad input', () => {
  const cases: [string, Parameters<Planner['plan']>[0], string][] = [
    ['an unknown consumer', { mode: 'resume', consumer: 'nobody' }, 'UNKNOWN_CONSUMER'],
    ['a bad name', { mode: 'resume', consumer: 'No Body' }, 'INVALID_CONSUMER_NAME'],
    ['an empty selection', { mode: 'resume', selection: {} }, 'EMPTY_SELECTION'],
    [
      'everything and something',
      { mode: 'resume', selection: { everything: true, streamId: 'order-1' } },
      'CONTRADICTORY_SELECTION',
    ],
    [
      'a stream and a prefix',
      { mode: 'resume', selection: { streamId: 'a', streamPrefix: 'a' } },
      'CONTRADICTORY_SELECTION',
    ],
    ['inverted positions', { mode: 'rewind', selection: { fromPosition: 2, toPosition: 1 } }, 'INVERTED_RANGE'],
    ['inverted times', { mode: 'rewind', selection: { fromTimeMs: 2, toTimeMs: 1 } }, 'INVERTED_RANGE'],
    ['a beginning past the head', { mode: 'rewind', selection: { fromPosition: 3 } }, 'RANGE_PAST_HEAD'],
    ['an end past the head', { mode: 'rewind', selection: { fromPosition: 1, toPosition: 3 } }, 'RANGE_PAST_HEAD'],
    ['a beginning in the future', { mode: 'rewind', selection: { fromTimeMs: 9e15 } }, 'RANGE_PAST_HEAD'],
    ['a reserved stream', { mode: 'rewind', selection: { streamId: '$all' } }, 'INVALID_STREAM_ID'],
    ['a fill with a selection', { mode: 'fill', selection: { everything: true } }, 'CONTRADICTORY_SELECTION'],
    ['a backfill that nobody waits for', { mode: 'backfill' }, 'NO_BACKFILL_WAITS'],
    [
      'effects that are not repeated',
      { mode: 'redeliver', options: { ratePerSecond: 1, maxFailureRate: 0, suppressEffects: true } },
      'NOTHING_TO_SUPPRESS',
    ],
  ];

  it.each(cases)('is refused with its code, and nothing is written: %s', async (_what, request, code) => {
    await system.append('order-1', ['Placed', 'Placed']);
    await system.settle();
    await expect(plan(request)).rejects.toMatchObject({ code });
    expect(await system.items('Recovery')).toEqual([]);
  });

  it('is a consumer that is retired', async () => {
    await system.registry.retire('inventory' as never, 'test', 0);
    await expect(plan({ mode: 'resume' })).rejects.toMatchObject({ code: 'CONSUMER_NOT_DEPLOYED' });
  });
});

describe('a plan is bound to what it was made from', () => {
  const check = async (made: Awaited<ReturnType<Planner['plan']>>) => checkPlan(planner.deps, made);

  beforeEach(async () => {
    await system.append('order-1', ['Placed']);
    await system.append('order-2', ['Placed']);
    await system.settle();
  });

  it('holds while nothing changed, also when other streams move', async () => {
    const made = await plan({ mode: 'rewind', selection: { streamId: 'order-1' } });
    await system.append('order-2', ['Placed']);
    await system.settle();
    await expect(check(made)).resolves.toBeUndefined();
  });

  it('is stale when the checkpoint of one of its streams moved', async () => {
    const made = await plan({ mode: 'rewind' });
    await system.append('order-2', ['Placed']);
    await system.settle();
    await expect(check(made)).rejects.toMatchObject({
      code: 'PLAN_STALE',
      message: expect.stringContaining('stream "order-2" was at version 1 of generation 1, and is at 2 of 1'),
    });
  });

  it('is stale when the registry describes the consumer otherwise', async () => {
    const made = await plan({ mode: 'rewind' });
    await system.addConsumer({ name: 'inventory', eventTypes: ['Placed'], effects: 'idempotent' });
    await expect(check(made)).rejects.toMatchObject({ code: 'PLAN_STALE' });
  });

  it('keeps a redelivery while the stream only grows, and ends it with a rewind', async () => {
    const made = await plan({ mode: 'redeliver' });
    await system.append('order-1', ['Placed']);
    await system.settle();
    await expect(check(made)).resolves.toBeUndefined();
    const key = { consumer: 'inventory', streamId: 'order-1' } as never;
    await system.checkpoints.requestRewind(key, { to: 0, requestId: 'r', requestedAt: 0 } as never);
    await system.wakeUps.send(system.queueUrlOf('inventory'), [
      {
        message: {
          format: 1,
          kind: 'wake-up',
          consumer: 'inventory',
          streamId: 'order-1',
          version: 2,
          hops: 0,
          reason: 'rewind',
        },
      },
    ]);
    await system.settle();
    await expect(check(made)).rejects.toMatchObject({ code: 'PLAN_STALE' });
  });

  it('is refused in another deployment', async () => {
    const made = await plan({ mode: 'rewind' });
    await expect(checkPlan({ ...planner.deps, deployment: 'there' }, made)).rejects.toMatchObject({
      code: 'PLAN_OF_ANOTHER_DEPLOYMENT',
    });
  });
});

describe('memory', () => {
  it('is bounded: a plan of many streams is the same however few are held at once', async () => {
    for (let stream = 0; stream < 30; stream += 1) await system.append(`order-${stream}`, ['Placed', 'Paid']);
    for (let round = 0; round < 5; round += 1) await system.settle();
    const all = await plan({ mode: 'rewind' });
    planner.deps.heldMax = 4;
    const few = await plan({ mode: 'rewind' });
    expect(few.planned).toEqual(all.planned);
    expect(few.madeFrom.fingerprint).toBe(all.madeFrom.fingerprint);
    expect(all.planned).toHaveLength(30);
  });
});
