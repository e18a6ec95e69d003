// What a consumer does with the streams of its batches when nothing goes wrong: order, duplicates, gaps, types, starts.

import { describe, expect, it } from '@jest/globals';
import type { Position } from '../../../../lib/model/ids.ts';
import { expectAllResolved, expectSound } from './checks.ts';
import { OTHER_TYPE, range, System, TYPE } from './system.ts';

const EFFECTS = ['transactional', 'idempotent'] as const;

describe.each(EFFECTS)('a consumer with %s effects', (effects) => {
  const seen = (system: System, stream: string) =>
    effects === 'transactional'
      ? system.applied(stream)
      : system.effects.filter(({ streamId }) => streamId === stream).map(({ version }) => version);

  it('resolves what was delivered, in order, once', async () => {
    const system = new System({ declaration: { effects }, concurrency: 1 });
    await system.append('order-1', [1, 3, 1]);
    await system.deliver('order-1', range(1, 5));
    await system.untilQuiet();
    await expectAllResolved(system, 'order-1', 5);
    expect(seen(system, 'order-1')).toEqual(range(1, 5));
    expect(system.metrics.total('EventsResolved')).toBe(5);
  });

  it('uses the delivered bodies when they follow the checkpoint, and does not read the store then', async () => {
    const system = new System({ declaration: { effects }, concurrency: 1 });
    await system.append('order-1', [2, 1]);
    await system.deliver('order-1', range(1, 3));
    await system.untilQuiet();
    await expectAllResolved(system, 'order-1', 3);
    expect(system.metrics.total('StoreReads')).toBe(0);
  });

  it('reads from the store what was not delivered: head, middle and body-less events', async () => {
    const system = new System({ declaration: { effects }, concurrency: 1 });
    await system.append('order-1', [1, 1, 1, 1, 1, 1]);
    await system.deliver('order-1', [2, 5]);
    await system.deliver('order-1', [6], { bodies: false });
    await system.untilQuiet();
    await expectAllResolved(system, 'order-1', 6);
    expect(seen(system, 'order-1')).toEqual(range(1, 6));
  });

  it('is indifferent to order and number of deliveries', async () => {
    const system = new System({ declaration: { effects }, concurrency: 4, batchSize: 3, jitterMs: 20 });
    await system.append('order-1', [1, 1, 1, 1, 1, 1, 1, 1]);
    await system.deliver('order-1', [8, 1, 7, 2, 2, 8, 3, 6, 4, 5, 1, 1]);
    await system.untilQuiet();
    await expectAllResolved(system, 'order-1', 8);
    expect(seen(system, 'order-1')).toEqual(range(1, 8));
  });

  it('puts nothing into the dead-letter queue when 50 wake-ups of one stream meet 10 functions', async () => {
    const system = new System({
      declaration: { effects },
      concurrency: 10,
      batchSize: 1,
      jitterMs: 50,
      maxReceives: 3,
    });
    await system.append(
      'hot',
      range(1, 50).map(() => 1),
    );
    await system.deliver('hot', range(1, 50));
    await system.untilQuiet();
    await expectAllResolved(system, 'hot', 50);
    expect(seen(system, 'hot')).toEqual(range(1, 50));
    expect(system.metrics.total('LeasesHeldByOthers')).toBeGreaterThan(0);
  });

  it('works on the streams of a batch side by side, a few at a time', async () => {
    let running = 0;
    let most = 0;
    const system = new System({
      declaration: { effects },
      concurrency: 1,
      settings: { parallelStreams: 3 },
      react: async ({ time }) => {
        running += 1;
        most = Math.max(most, running);
        await time.world.timers.sleep(100);
        running -= 1;
        return undefined;
      },
    });
    for (const n of range(1, 9)) {
      await system.append(`order-${n}`, [1]);
      await system.deliver(`order-${n}`, [1]);
    }
    await system.untilQuiet();
    for (const n of range(1, 9)) await expectAllResolved(system, `order-${n}`, 1);
    expect(most).toBe(3);
  });

  it('counts events of other types as resolved without a react', async () => {
    const system = new System({ declaration: { effects }, concurrency: 1 });
    await system.append('order-1', [1, 4, 2, 1], (version) => (version % 2 === 0 ? TYPE : OTHER_TYPE));
    await system.deliver('order-1', [2, 4, 6, 8]);
    await system.untilQuiet();
    await expectAllResolved(system, 'order-1', 8);
    expect(seen(system, 'order-1')).toEqual([2, 4, 6, 8]);
  });

  it('begins a stream where the consumer starts', async () => {
    const system = new System({
      declaration: { effects, startFrom: 'now' },
      concurrency: 1,
      registration: { startFrom: 'now', startPosition: 3 as Position, eventTypes: { [TYPE]: 3 } as never },
      versionAtPosition: (position) => position,
    });
    await system.append('order-1', [1, 1, 1, 1, 1]);
    await system.deliver('order-1', [2, 5]);
    await system.untilQuiet();
    await expectSound(system, 'order-1');
    expect(await system.checkpoint('order-1')).toMatchObject({ version: 5, generationStart: 3, resolvedCount: 2 });
    expect(seen(system, 'order-1')).toEqual([4, 5]);
  });

  it('leaves the history of a type that was added later to its backfill', async () => {
    const system = new System({
      declaration: { effects, eventTypes: [TYPE, OTHER_TYPE] },
      concurrency: 1,
      registration: { eventTypes: { [TYPE]: 0, [OTHER_TYPE]: 3 } as never },
      versionAtPosition: (position) => position,
    });
    await system.append('order-1', [1, 1, 1, 1, 1], (version) => (version === 1 ? TYPE : OTHER_TYPE));
    await system.deliver('order-1', [3]);
    await system.deliver('order-1', [5], { bodies: false });
    await system.untilQuiet();
    await expectAllResolved(system, 'order-1', 5);
    expect(seen(system, 'order-1')).toEqual([1, 4, 5]);
  });

  it('goes on in a new invocation when time is short, with as many hops as it takes', async () => {
    const system = new System({
      declaration: { effects },
      concurrency: 1,
      settings: { maxHops: 3 },
      react: async ({ time }) => {
        await time.world.timers.sleep(1_000);
        return undefined;
      },
    });
    await system.append('long', [20, 20, 10]);
    await system.deliver('long', [50]);
    await system.untilQuiet();
    await expectAllResolved(system, 'long', 50);
    expect(seen(system, 'long')).toEqual(range(1, 50));
    expect(system.metrics.total('Continuations')).toBeGreaterThan(4);
    expect(system.metrics.total('ReactFailures')).toBe(0);
  });

  it('lets every line carry consumer, stream, version and correlation id', async () => {
    const system = new System({ declaration: { effects }, concurrency: 1 });
    await system.append('order-1', [2]);
    await system.deliver('order-1', [1, 2]);
    await system.untilQuiet();
    expect(system.logger.lines.length).toBeGreaterThan(0);
    for (const { facts } of system.logger.lines) {
      expect(facts).toMatchObject({ consumer: 'inventory', streamId: 'order-1', version: expect.any(Number) });
      expect(facts.correlationId).toBe(`order-1/${facts.version}`);
    }
  });
});

describe('a consumer that groups commits', () => {
  it('commits the writes of several events together', async () => {
    let transactions = 0;
    const system = new System({
      declaration: { groupCommits: true },
      concurrency: 1,
      react: ({ event }) => [{ Put: { TableName: 'Effects', Item: { pk: `own-${event.metadata.version}` } } }],
      wrapDynamo: (dynamo) => ({
        ...dynamo,
        transactWrite: (input) => {
          transactions += 1;
          // The standard effect is one item per stream: leave it out, so that the writes of two events do not meet.
          const TransactItems = input.TransactItems?.filter((item) => item.Update?.TableName !== 'Effects');
          return dynamo.transactWrite({ ...input, TransactItems });
        },
      }),
    });
    await system.append('order-1', [30]);
    await system.deliver('order-1', [30], { bodies: false });
    await system.untilQuiet();
    await expectAllResolved(system, 'order-1', 30);
    expect(system.dynamo.items('Effects')).toHaveLength(30);
    expect(transactions).toBe(2);
  });

  it('splits a group that DynamoDB refuses because two events write one item', async () => {
    const system = new System({ declaration: { groupCommits: true }, concurrency: 1 });
    await system.append('order-1', [6]);
    await system.deliver('order-1', [6]);
    await system.untilQuiet();
    await expectAllResolved(system, 'order-1', 6);
    expect(system.applied('order-1')).toEqual(range(1, 6));
    expect(system.metrics.total('GroupsSplit')).toBeGreaterThan(0);
  });
});
