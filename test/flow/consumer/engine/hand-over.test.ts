// What one holder leaves to the next: nothing that it resolved, nobody who asked meanwhile, and no blame without time.

import { describe, expect, it } from '@jest/globals';
import { expectAllResolved, expectSound } from './checks.ts';
import { range, System, TYPE } from './system.ts';

describe('a holder', () => {
  it('does not release the lease behind somebody who asked for more meanwhile', async () => {
    const system = new System();
    await system.append('s', [1, 1]);
    const message = async (version: number) => ({
      messageId: `m${version}`,
      receiveCount: 1,
      body: await system.delivery('s', version),
    });
    const [first, second] = [await message(1), await message(2)];
    const endsAt = system.time.now() + 10_000;
    const invocation = { remainingMs: () => endsAt - system.time.now(), requestId: 'r' };
    const loser = system.engine(system.startProcess());
    const holder = system.engine(system.startProcess(), {
      react: async ({ metadata }) => {
        if (metadata.version === 1)
          expect(await loser.handleBatch([second], invocation)).toEqual({ failedMessageIds: [] });
        return [];
      },
    });
    expect(await system.time.run(holder.handleBatch([first], invocation))).toEqual({ failedMessageIds: [] });
    // At once, and not when the back-up comes.
    expect(await system.checkpoint('s')).toMatchObject({ version: 2 });
    expect(await system.checkpoint('s')).not.toHaveProperty('lease');
    expect(system.metrics.total('AskedForMore')).toBe(1);
  });

  it('stores what it resolved before it hands the stream over', async () => {
    let reacts = 0;
    const system = new System({
      declaration: { groupCommits: true },
      concurrency: 1,
      // Nothing but the end of the time makes it store.
      settings: { chunkMs: 3_600_000, chunkEvents: 1_000 },
      react: async ({ time }) => {
        reacts += 1;
        await time.world.timers.sleep(1_000);
        return undefined;
      },
    });
    await system.append('s', [30]);
    await system.deliver('s', [30]);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 30);
    expect(reacts).toBe(30);
    expect(system.applied('s')).toEqual(range(1, 30));
  });

  it('begins no event under suspicion when half of its time is gone: the next one begins with it', async () => {
    const reacted: string[] = [];
    const system = new System({
      react: async ({ event, time, process }) => {
        reacted.push(event.streamId);
        if (event.streamId === 'slow') await time.world.timers.sleep(6_000);
        else if (reacted.length === 1) process.kill();
        return undefined;
      },
    });
    await system.append('suspect', [1]);
    await system.append('slow', [1]);
    const delivered = async (stream: string) => ({
      messageId: stream,
      receiveCount: 1,
      body: await system.delivery(stream, 1),
    });
    const [suspect, slow] = [await delivered('suspect'), await delivered('slow')];
    const invocation = () => {
      const endsAt = system.time.now() + 10_000;
      return { remainingMs: () => endsAt - system.time.now(), requestId: 'r' };
    };
    // The first holder dies in its react; its lease runs out.
    const dying = system.startProcess();
    void system.engine(dying).handleBatch([suspect], invocation());
    await system.time.run(dying.dead);
    await system.time.run(system.time.world.timers.sleep(60_000));
    const second = system.engine(system.startProcess());
    expect(await system.time.run(second.handleBatch([suspect, slow], invocation()))).toEqual({ failedMessageIds: [] });
    expect(reacted).toEqual(['suspect', 'slow']);
    expect(system.queue.sent.at(-1)).toMatchObject({ reason: 'continue', streamId: 'suspect', hops: 2 });
    expect(await system.checkpoint('suspect')).toMatchObject({ attempting: { version: 1, count: 0 } });
  });
});

describe('writes that are refused behind events without any', () => {
  it('park the stream right behind them', async () => {
    const refused = {
      ConditionCheck: {
        TableName: 'Effects',
        Key: { pk: 'stock' },
        ConditionExpression: 'attribute_exists(#pk)',
        ExpressionAttributeNames: { '#pk': 'pk' },
      },
    };
    const system = new System({ declaration: { maxAttempts: 2 }, concurrency: 1, react: () => [refused] });
    await system.append('s', [4], (version) => (version < 3 ? 'SomethingElse' : TYPE));
    await system.deliver('s', [4]);
    await system.untilQuiet();
    await expectSound(system, 's');
    expect(await system.checkpoint('s')).toMatchObject({ version: 2, parked: { version: 3 } });
  });
});

describe('a second try', () => {
  it('reads the event from the store, because the message may be what was wrong', async () => {
    const system = new System({
      react: ({ event }) => {
        if ((event.data as { n: number }).n !== event.metadata.version) throw new Error('wrong body');
        return undefined;
      },
    });
    await system.append('s', [1]);
    const body = await system.delivery('s', 1);
    const { event } = body.delivered as NonNullable<typeof body.delivered>;
    const wrong = { ...body, delivered: { ...body.delivered, event: { ...event, data: { n: 99 } } } } as typeof body;
    for (const messageId of ['m1', 'm2']) {
      const endsAt = system.time.now() + 10_000;
      const invocation = { remainingMs: () => endsAt - system.time.now(), requestId: 'r' };
      const message = { messageId, receiveCount: 1, body: wrong };
      await system.time.run(system.engine(system.startProcess()).handleBatch([message], invocation));
      await system.time.run(system.time.world.timers.sleep(2_000));
    }
    await expectAllResolved(system, 's', 1);
    expect(system.metrics.total('ReactFailures')).toBe(1);
  });

  it('carries the correlation id of the event that failed, not of the newest one', async () => {
    const system = new System({
      concurrency: 1,
      react: ({ event, context }) => {
        if (event.metadata.version === 1 && context.attempt === 1) throw new Error('not now');
        return undefined;
      },
    });
    await system.append('s', [1, 1]);
    await system.deliver('s', [1, 2]);
    await system.untilQuiet();
    expect(system.queue.sent).toContainEqual(expect.objectContaining({ reason: 'retry', correlationId: 's/1' }));
    await expectAllResolved(system, 's', 2);
  });
});
