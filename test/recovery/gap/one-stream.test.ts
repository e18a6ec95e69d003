import { beforeEach, describe, expect, it } from '@jest/globals';
import { detectGaps, type OneStreamDeps, recoverConsumer } from '../../../lib/recovery/gap/one-stream.ts';
import { createOpenGaps } from '../../../lib/recovery/gap/open-gaps.ts';
import { createSmallSystem, type SmallSystem, TABLES } from '../../support/small-system.ts';

const INVENTORY = 'inventory' as never;
const ORDER = 'order-1' as never;
let system: SmallSystem;
let deps: OneStreamDeps;
let queueMessages = 0;

beforeEach(async () => {
  queueMessages = 0;
  system = await createSmallSystem();
  deps = {
    registry: system.registry,
    log: system.log,
    checkpoints: system.checkpoints,
    openGaps: createOpenGaps({ dynamo: system.dynamo, table: TABLES.recoveryTable, world: system.world }),
    queues: { messages: async () => queueMessages },
    wakeUps: system.wakeUps,
    world: system.world,
  };
  await system.addConsumer({ name: 'inventory', eventTypes: ['Placed'], effects: 'idempotent' });
});

describe('one stream of one consumer', () => {
  it('has a tail gap, and is complete again after its recovery', async () => {
    await system.append('order-1', ['Placed', 'Placed']);
    await system.settle();
    await system.append('order-1', ['Other', 'Placed', 'Other', 'Placed']);
    await system.settle(() => true);
    system.clock.advance(120_000);
    expect(await detectGaps(deps, INVENTORY, ORDER)).toEqual([{ start: 4, end: 6, count: 3 }]);
    expect(await recoverConsumer(deps, INVENTORY, ORDER)).toEqual({
      consumerId: 'inventory',
      streamId: 'order-1',
      fromPosition: 2,
      toPosition: 6,
      missedEvents: 2,
      status: 'ready_for_replay',
    });
    expect(await deps.openGaps.get(INVENTORY, ORDER)).toMatchObject({ from: 4, to: 6, tries: 1 });
    await system.settle();
    expect(await detectGaps(deps, INVENTORY, ORDER)).toEqual([]);
    expect(await recoverConsumer(deps, INVENTORY, ORDER)).toMatchObject({ missedEvents: 0, status: 'up_to_date' });
  });

  it('has a head gap when nothing was ever delivered', async () => {
    await system.append('order-1', ['Placed']);
    await system.settle(() => true);
    system.clock.advance(120_000);
    expect(await detectGaps(deps, INVENTORY, ORDER)).toEqual([{ start: 1, end: 1, count: 1 }]);
  });

  it('has no gap while its events are young, or its queue is busy', async () => {
    await system.append('order-1', ['Placed']);
    await system.relay();
    expect(await detectGaps(deps, INVENTORY, ORDER)).toEqual([]);
    system.clock.advance(120_000);
    queueMessages = 1;
    expect(await detectGaps(deps, INVENTORY, ORDER)).toEqual([]);
  });

  it('has no gap when a relay that was down for hours has sequenced its events just now', async () => {
    await system.append('order-1', ['Placed', 'Placed']);
    system.clock.advance(5 * 3_600_000);
    await system.relay();
    expect(await detectGaps(deps, INVENTORY, ORDER)).toEqual([]);
    system.clock.advance(120_000);
    expect(await detectGaps(deps, INVENTORY, ORDER)).toEqual([{ start: 1, end: 2, count: 2 }]);
  });

  it('is not woken up while it is parked', async () => {
    await system.addConsumer({ name: 'billing', eventTypes: ['Placed'], effects: 'idempotent', maxAttempts: 1 }, () => {
      throw new Error('poison');
    });
    await system.append('order-1', ['Placed', 'Placed']);
    await system.settle();
    system.clock.advance(120_000);
    expect(await detectGaps(deps, 'billing' as never, ORDER)).toEqual([]);
    expect(await recoverConsumer(deps, 'billing' as never, ORDER)).toMatchObject({ status: 'parked', missedEvents: 2 });
    expect(system.queued('billing')).toEqual([]);
  });

  it('owes nothing from before a consumer that starts now', async () => {
    await system.append('order-1', ['Placed', 'Placed']);
    await system.settle();
    await system.addConsumer({ name: 'late', eventTypes: ['Placed'], effects: 'idempotent', startFrom: 'now' });
    system.clock.advance(120_000);
    expect(await detectGaps(deps, 'late' as never, ORDER)).toEqual([]);
    await system.append('order-1', ['Placed']);
    await system.settle(() => true);
    system.clock.advance(120_000);
    expect(await detectGaps(deps, 'late' as never, ORDER)).toEqual([{ start: 3, end: 3, count: 1 }]);
  });

  it('is refused for a consumer that nobody knows', async () => {
    await expect(detectGaps(deps, 'nobody' as never, ORDER)).rejects.toMatchObject({ code: 'UNKNOWN_CONSUMER' });
  });
});
