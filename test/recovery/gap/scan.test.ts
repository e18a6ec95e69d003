import { beforeEach, describe, expect, it } from '@jest/globals';
import { createRegistry } from '../../../lib/flow/registry/registry.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { createServerClock } from '../../../lib/platform/server-clock.ts';
import { DEFAULT_BOUNDS } from '../../../lib/recovery/gap/decide-stream.ts';
import { fillBatch } from '../../../lib/recovery/gap/fill-batch.ts';
import { createOpenGaps } from '../../../lib/recovery/gap/open-gaps.ts';
import { createPlanFill } from '../../../lib/recovery/gap/plan-fill.ts';
import type { ConsumerScan, GapsFound, ScanResult } from '../../../lib/recovery/gap/port.ts';
import { type ScanDeps, type ScanInput, scanGaps } from '../../../lib/recovery/gap/scan.ts';
import { createScanStates } from '../../../lib/recovery/gap/scan-state.ts';
import { createLeases } from '../../../lib/recovery/lease/leases.ts';
import { createPlans } from '../../../lib/recovery/plan/plans.ts';
import { createSmallSystem, type SmallSystem, TABLES } from '../../support/small-system.ts';

const MINUTE = 60_000;
let system: SmallSystem;
let deps: ScanDeps;
let queueMessages = 0;
let logLagMs: number | undefined = 0;
let announced: GapsFound[] = [];

beforeEach(async () => {
  system = await createSmallSystem();
  queueMessages = 0;
  logLagMs = 0;
  announced = [];
  const table = { dynamo: system.dynamo, table: TABLES.recoveryTable };
  deps = {
    registry: system.registry,
    log: system.log,
    checkpoints: system.checkpoints,
    openGaps: createOpenGaps({ ...table, world: system.world }),
    states: createScanStates(table),
    leases: createLeases(table),
    wakeUps: system.wakeUps,
    planFill: createPlanFill({
      dynamo: system.dynamo,
      ...TABLES,
      deployment: 'here',
      registry: system.registry,
      log: system.log,
      checkpoints: system.checkpoints,
      plans: createPlans({ ...table, world: system.world }),
      world: system.world,
    }),
    queues: { messages: async () => queueMessages },
    logLag: { measure: async () => logLagMs },
    announcements: { gapsFound: async (detail) => void announced.push(detail) },
    world: system.world,
    logger: system.logger,
    metrics: system.metrics,
  };
  await system.addConsumer({ name: 'inventory', eventTypes: ['Placed'], effects: 'idempotent' });
});

const INPUT: ScanInput = {
  bounds: DEFAULT_BOUNDS,
  logLagBoundMs: MINUTE,
  maxStreams: 10_000,
  maxWakeUps: 1_000,
  leaseMs: MINUTE,
};

/** Tells of every answer, as the SDK does by the `Date` header. */
function answering(dynamo: Dynamo, onAnswer: () => void): Dynamo {
  const told =
    <Input, Output>(send: (input: Input) => Promise<Output>) =>
    (input: Input): Promise<Output> =>
      send(input).finally(onAnswer);
  return { ...dynamo, query: told(dynamo.query), get: told(dynamo.get), update: told(dynamo.update) };
}

async function scan(options: Partial<ScanInput> = {}): Promise<ScanResult> {
  const outcome = await scanGaps(deps, { ...INPUT, ...options });
  if (outcome.kind !== 'scanned') throw new Error(outcome.kind);
  return outcome.result;
}
const of = (result: ScanResult, name = 'inventory'): ConsumerScan =>
  result.consumers.find(({ consumer }) => consumer === name) as ConsumerScan;
const loseAll = () => true;

describe('a fill of more than one stream', () => {
  const plans = () => createPlans({ dynamo: system.dynamo, table: TABLES.recoveryTable, world: system.world });
  const loseSome = async () => {
    await system.append('order-1', ['Placed', 'Other', 'Placed']);
    await system.append('order-2', ['Placed']);
    await system.settle(loseAll);
    system.clock.advance(2 * MINUTE);
  };

  it('is a stored plan with exactly what is woken up for, applied before the first wake-up is sent', async () => {
    await loseSome();
    const statuses: unknown[] = [];
    const send = deps.wakeUps.send;
    deps.wakeUps = {
      send: async (url, messages) => {
        const [plan] = (await system.items('Recovery')).filter(({ pk }) => pk === 'plan');
        statuses.push(plan?.status);
        return send(url, messages);
      },
    };
    const { planId, wakeUps } = of(await scan());
    expect([wakeUps, statuses]).toEqual([2, ['applied']]);
    const plan = await plans().get(planId as string);
    expect(plan).toMatchObject({
      mode: 'fill',
      consumer: 'inventory',
      totals: { streams: 2, events: 3, expectedRepeats: 0, wakeUps: 2 },
      requestedBy: 'gap scan',
    });
    expect(await plans().chunk(planId as string, 0)).toMatchObject([
      { streamId: 'order-1', from: 1, to: 3, events: 2 },
      { streamId: 'order-2', from: 1, to: 1, events: 1 },
    ]);
    expect((await deps.states.results(1))[0]?.consumers[0]?.planId).toBe(planId);
  });

  it('waits while its plan cannot be made and says so; other consumers and single gaps go on, the next scan plans again', async () => {
    await system.addConsumer({ name: 'invoices', eventTypes: ['Paid'], effects: 'idempotent' });
    await loseSome();
    await system.append('order-3', ['Paid']);
    await system.settle(loseAll);
    system.clock.advance(2 * MINUTE);
    const { planFill } = deps;
    deps.planFill = async () => Promise.reject(new Error('throttled'));
    const refused = await scan();
    expect(of(refused)).toMatchObject({ state: 'gaps', gaps: 2, wakeUps: 0, notPlanned: 'Error: throttled' });
    expect(of(refused)).not.toHaveProperty('planId');
    expect([system.queued('inventory').length, system.queued('invoices').length]).toEqual([0, 1]);
    expect(system.metrics.total('FillsNotPlanned')).toBe(1);
    expect((await deps.states.results(1))[0]?.consumers).toContainEqual(of(refused));

    deps.planFill = planFill;
    expect(of(await scan())).toMatchObject({ gaps: 2, wakeUps: 2, planId: expect.any(String) });
    expect(system.queued('inventory')).toHaveLength(2);
  });

  it('is planned although requests for the plan fail at first', async () => {
    await loseSome();
    const put = system.dynamo.put;
    let failures = 0;
    system.dynamo.put = async (input) => {
      if (String(input.Item?.pk).startsWith('plan') && failures < 2) {
        failures += 1;
        throw new Error('connection lost');
      }
      return put(input);
    };
    expect(of(await scan())).toMatchObject({ wakeUps: 2, planId: expect.any(String) });
    expect(failures).toBe(2);
  });

  it('of one batch of a recovery waits, too, and says why', async () => {
    await loseSome();
    await scan({ dryRun: true });
    deps.planFill = async () => Promise.reject(new Error('throttled'));
    const batch = { consumer: 'inventory', from: 'order-1', to: 'order-2' };
    const answer = await fillBatch(deps, batch, INPUT.bounds);
    expect(answer).toMatchObject({ kind: 'filled', gaps: 2, wakeUps: 0, notPlanned: 'Error: throttled' });
    expect(system.queued('inventory')).toEqual([]);
  });

  it('is not what one gap is, and not what a dry run does', async () => {
    await system.append('order-1', ['Placed']);
    await system.settle(loseAll);
    system.clock.advance(2 * MINUTE);
    expect(of(await scan())).not.toHaveProperty('planId');
    await loseSome();
    expect(of(await scan({ dryRun: true }))).not.toHaveProperty('planId');
    expect((await system.items('Recovery')).filter(({ pk }) => pk === 'plan')).toEqual([]);
  });
});

describe('the gap scan', () => {
  it('on a machine whose clock is five minutes ahead takes no lease that another scan still holds', async () => {
    const other = await deps.leases.acquire('scan', 'another', system.clock.now(), 3 * MINUTE);
    expect(other.kind).toBe('acquired');
    const machine = { now: () => system.clock.now() + 5 * MINUTE };
    const serverClock = createServerClock(machine);
    const dynamo = answering(system.dynamo, () =>
      serverClock.observe(system.clock.now(), machine.now(), machine.now()),
    );
    const cold: ScanDeps = {
      ...deps,
      registry: createRegistry({ dynamo, checkpointsTable: TABLES.checkpointsTable }),
      leases: createLeases({ dynamo, table: TABLES.recoveryTable }),
      world: { ...system.world, clock: serverClock },
    };
    const outcome = await scanGaps(cold, INPUT);
    expect(outcome).toMatchObject({ kind: 'another-scan-runs' });
  });

  it('says complete when everything is resolved, and looks at nothing twice', async () => {
    await system.append('order-1', ['Placed', 'Other', 'Placed']);
    await system.settle();
    system.clock.advance(2 * MINUTE);
    expect(of(await scan())).toMatchObject({ state: 'complete', resolved: 1, gaps: 0 });
    expect(await scan()).toMatchObject({ pages: 0, checkpoints: 0, scannedTo: 3 });
  });

  it.each([
    ['head', (version: number) => version === 1, 1],
    ['middle', (version: number) => version === 2, 2],
    ['tail', (version: number) => version >= 3, 3],
  ])('finds a %s gap, wakes the consumer, and the next scan proves it closed', async (_where, isLost, from) => {
    await system.append('order-1', ['Placed', 'Placed', 'Placed']);
    // A lost head or middle is healed by the next wake-up of the stream: so that it stays a gap, what follows is lost too.
    await system.settle((entry) => entry.detail.version >= from || isLost(entry.detail.version));
    system.clock.advance(2 * MINUTE);
    const first = of(await scan());
    expect(first).toMatchObject({
      state: 'gaps',
      gaps: 1,
      wakeUps: 1,
      listed: [{ streamId: 'order-1', from, to: 3, count: 4 - from }],
    });
    await system.settle();
    expect(await system.checkpoint('inventory', 'order-1')).toMatchObject({ version: 3 });
    expect(of(await scan())).toMatchObject({ state: 'complete', resolved: 1, gaps: 0 });
    expect(await deps.openGaps.get('inventory' as never, 'order-1' as never)).toBeUndefined();
  });

  it('calls events in flight lagging and not a gap: young ones, a busy queue, a live lease', async () => {
    await system.append('order-1', ['Placed']);
    await system.relay();
    expect(of(await scan())).toMatchObject({ gaps: 0 });
    system.clock.advance(2 * MINUTE);
    queueMessages = 3;
    expect(of(await scan())).toMatchObject({ state: 'lagging', lagging: 1, gaps: 0, wakeUps: 0 });
    system.clock.advance(20 * MINUTE);
    expect(of(await scan())).toMatchObject({ state: 'gaps', gaps: 1 });
  });

  it('calls what a relay that was down for hours has sequenced just now lagging, and not a gap', async () => {
    await system.append('order-1', ['Placed', 'Placed']);
    system.clock.advance(5 * 60 * MINUTE);
    await system.relay();
    expect(of(await scan())).toMatchObject({ gaps: 0 });
    system.clock.advance(2 * MINUTE);
    expect(of(await scan())).toMatchObject({ state: 'gaps', gaps: 1 });
  });

  it('does not want what a consumer does not want, and resolves a tail of other types', async () => {
    await system.append('order-1', ['Placed', 'Other', 'Other']);
    await system.append('other-1', ['Other']);
    await system.settle();
    system.clock.advance(2 * MINUTE);
    expect(of(await scan())).toMatchObject({ state: 'complete', resolved: 1, lagging: 0, gaps: 0 });
  });

  it('answers parked for a stream behind a dead letter, and wakes nobody', async () => {
    await system.addConsumer({ name: 'billing', eventTypes: ['Placed'], effects: 'idempotent', maxAttempts: 1 }, () => {
      throw new Error('poison');
    });
    await system.append('order-1', ['Placed', 'Placed']);
    await system.settle();
    system.clock.advance(2 * MINUTE);
    expect(of(await scan(), 'billing')).toMatchObject({ parked: 1, gaps: 0, wakeUps: 0 });
  });

  it('records what a parked stream was never asked for, because the un-park knows only what it was asked for', async () => {
    await system.addConsumer({ name: 'billing', eventTypes: ['Placed'], effects: 'idempotent', maxAttempts: 1 }, () => {
      throw new Error('poison');
    });
    await system.append('order-1', ['Placed', 'Placed']);
    await system.settle();
    await system.append('order-1', ['Placed']);
    await system.settle(loseAll);
    system.clock.advance(2 * MINUTE);
    expect(of(await scan(), 'billing')).toMatchObject({ parked: 1, gaps: 0, wakeUps: 0 });
    expect(await deps.openGaps.get('billing' as never, 'order-1' as never)).toMatchObject({ from: 1, to: 3 });
  });

  it('forgets nothing when the repair fails: the row is seen again by every scan until the gap is closed', async () => {
    await system.append('order-1', ['Placed']);
    await system.settle(loseAll);
    system.clock.advance(2 * MINUTE);
    for (const tries of [1, 2, 3]) {
      expect(of(await scan())).toMatchObject({ gaps: 1 });
      system.purge('inventory');
      expect(await deps.openGaps.get('inventory' as never, 'order-1' as never)).toMatchObject({ tries });
    }
  });

  it('goes on where it stopped when the budget of streams ends a scan', async () => {
    for (let stream = 0; stream < 6; stream++) {
      await system.append(`order-${stream}`, ['Placed']);
      await system.settle(loseAll);
    }
    system.clock.advance(2 * MINUTE);
    const first = await scan({ maxStreams: 4 });
    expect(first).toMatchObject({ reachedHead: false, scannedTo: 4 });
    const second = await scan({ maxStreams: 4 });
    expect([of(first).gaps, second.reachedHead, of(second).gaps]).toEqual([4, true, 6]);
  });

  it('is unknown, not complete, while the log itself is behind or nobody can say', async () => {
    logLagMs = 10 * MINUTE;
    expect(of(await scan()).state).toBe('unknown');
    logLagMs = undefined;
    expect(of(await scan()).state).toBe('unknown');
  });

  it('never overlaps another scan', async () => {
    const other = await deps.leases.acquire('scan', 'another', system.clock.now(), 5 * MINUTE);
    expect(other.kind).toBe('acquired');
    await expect(scan()).rejects.toThrow('another-scan-runs');
    system.clock.advance(6 * MINUTE);
    expect(of(await scan()).state).toBe('complete');
  });

  it('sees a rewound stream although nothing moved, by its open-gap row', async () => {
    await system.append('order-1', ['Placed', 'Placed']);
    await system.settle();
    system.clock.advance(2 * MINUTE);
    await scan();
    const gap = { consumer: 'inventory', streamId: 'order-1', from: 1, to: 2, reason: 'rewind' } as never;
    await system.checkpoints.requestRewind(
      { consumer: 'inventory', streamId: 'order-1' } as never,
      { to: 0, requestId: 'r1', requestedAt: 0 } as never,
    );
    await system.dynamo.transactWrite({ TransactItems: [deps.openGaps.openWrite(gap, system.clock.now())] });
    system.clock.advance(2 * MINUTE);
    expect(of(await scan())).toMatchObject({ gaps: 1, wakeUps: 1 });
    await system.settle();
    expect(await system.checkpoint('inventory', 'order-1')).toMatchObject({ version: 2, generation: 2 });
  });

  it('leaves drill streams to drill consumers', async () => {
    await system.addConsumer({ name: 'rehearsal', eventTypes: ['Placed'], effects: 'idempotent', drill: true });
    await system.append('drill-1', ['Placed']);
    await system.settle(loseAll);
    system.clock.advance(2 * MINUTE);
    const result = await scan({ dryRun: true });
    expect([of(result).gaps, of(result, 'rehearsal').gaps]).toEqual([0, 1]);
  });

  it('tells the recovery about gaps, with the evidence, and does not fail when it cannot', async () => {
    await system.append('order-1', ['Placed', 'Placed']);
    await system.settle(loseAll);
    system.clock.advance(2 * MINUTE);
    await scan({ dryRun: true });
    expect(announced).toEqual([]);
    await scan();
    expect(announced).toMatchObject([{ consumer: 'inventory', scannedTo: 2, gaps: 1, gapEvents: 2 }]);
    deps.announcements.gapsFound = () => Promise.reject(new Error('no bus'));
    expect(of(await scan())).toMatchObject({ state: 'gaps', wakeUps: 1 });
    expect(system.metrics.total('GapAnnouncementsFailed')).toBe(1);
  });

  it('tells when it met the oldest and the youngest gap first, whatever the age of their events', async () => {
    await system.append('order-1', ['Placed']);
    await system.settle(loseAll);
    system.clock.advance(20 * MINUTE);
    const first = system.clock.now();
    await scan();
    expect(announced.at(-1)).toMatchObject({ foundFrom: first, foundTo: first });
    await system.append('order-2', ['Placed']);
    await system.settle(() => true);
    system.clock.advance(2 * MINUTE);
    await system.append('order-1', ['Placed']);
    await system.settle(() => true);
    system.clock.advance(2 * MINUTE);
    const second = system.clock.now();
    await scan();
    // A gap that grows is the one that was met before.
    expect(announced.at(-1)).toMatchObject({ gaps: 2, foundFrom: first, foundTo: second });
  });

  it("begins a gap at the first owed event of a consumer that starts now, not at the stream's beginning", async () => {
    await system.append('order-1', ['Placed', 'Placed', 'Placed']);
    await system.settle();
    await system.addConsumer({ name: 'late', eventTypes: ['Placed'], effects: 'idempotent', startFrom: 'now' });
    await system.append('order-1', ['Other', 'Placed']);
    await system.settle((_entry, consumer) => consumer === 'late');
    system.clock.advance(2 * MINUTE);
    const result = await scan();
    expect(of(result, 'late')).toMatchObject({ gaps: 1, listed: [{ from: 5, to: 5, count: 1 }] });
    await system.settle();
    expect(of(await scan(), 'late')).toMatchObject({ state: 'complete', resolved: 1 });
  });

  it('owes nothing of a type that was added later, and says that its backfill is planned', async () => {
    await system.append('order-1', ['Other', 'Other']);
    await system.settle();
    await system.addConsumer({ name: 'inventory', eventTypes: ['Placed', 'Other'], effects: 'idempotent' });
    system.clock.advance(2 * MINUTE);
    const before = of(await scan());
    expect(before).toMatchObject({ state: 'complete', gaps: 0, backfill: { eventTypes: ['Other'], untilPosition: 2 } });
    await system.append('order-1', ['Other']);
    await system.settle(loseAll);
    system.clock.advance(2 * MINUTE);
    expect(of(await scan())).toMatchObject({ gaps: 1, listed: [{ from: 3, to: 3 }] });
  });

  it('takes types named like members of every object for what they are', async () => {
    await system.append('order-1', ['constructor', 'toString', '__proto__']);
    await system.settle(loseAll);
    system.clock.advance(2 * MINUTE);
    expect(of(await scan())).toMatchObject({ state: 'complete', gaps: 0, lagging: 0 });
  });

  it('is not kept from the others by a new consumer that begins far behind', async () => {
    for (let stream = 0; stream < 6; stream++) await system.append(`order-${stream}`, ['Placed']);
    for (let stream = 0; stream < 6; stream++) await system.settle();
    system.clock.advance(2 * MINUTE);
    await scan();
    await system.addConsumer({ name: 'newcomer', eventTypes: ['Placed'], effects: 'idempotent' });
    await system.append('order-9', ['Placed']);
    await system.settle(loseAll);
    system.clock.advance(2 * MINUTE);
    const result = await scan({ maxStreams: 1 });
    expect(of(result)).toMatchObject({ state: 'gaps', gaps: 1, scannedTo: 7 });
    expect(of(result, 'newcomer').scannedTo).toBeLessThan(7);
  });

  it('gives wake-ups to the least tried gaps first, so that those that never move starve nobody', async () => {
    for (const stream of ['order-1', 'order-2', 'order-3']) await system.append(stream, ['Placed']);
    await system.settle(loseAll);
    system.clock.advance(2 * MINUTE);
    const woken: string[] = [];
    for (let round = 0; round < 3; round++) {
      await scan({ maxWakeUps: 1 });
      woken.push(...system.queued('inventory').map(({ streamId }) => streamId));
      system.purge('inventory');
    }
    expect(woken.sort()).toEqual(['order-1', 'order-2', 'order-3']);
  });

  it('leaves rows for the next scan when its time is over, and does not say complete then', async () => {
    await system.append('order-1', ['Placed']);
    await system.settle(loseAll);
    system.clock.advance(2 * MINUTE);
    await scan();
    expect(of(await scan({ timeMs: 0 }))).toMatchObject({ state: 'unknown', notLookedAt: 1, gaps: 0 });
    expect(of(await scan())).toMatchObject({ state: 'gaps', notLookedAt: 0, gaps: 1 });
  });
});
