// Replays as the engine applies them: rewinds under live leases, dead letters of the rewound range, suppressed effects,
// redeliveries of selected events.

import { describe, expect, it } from '@jest/globals';
import { streamId, type Version } from '../../../../lib/model/ids.ts';
import { expectAllResolved, expectSound } from './checks.ts';
import { range, System, type SystemOptions } from './system.ts';

async function rewind(system: System, stream: string, to: number, requestId = 'r1', suppressEffects?: boolean) {
  const key = { consumer: system.consumer, streamId: streamId(stream) };
  const request = {
    to: to as Version,
    requestId,
    requestedAt: system.time.now(),
    ...(suppressEffects && { suppressEffects }),
  };
  const answer = await system.checkpoints.requestRewind(key, request);
  system.wakeUp(stream, 1, 'rewind');
  return answer.kind;
}

async function resolved(count: number, options: SystemOptions = {}): Promise<System> {
  const system = new System({ concurrency: 1, ...options });
  await system.append('s', [count]);
  await system.deliver('s', [count]);
  await system.untilQuiet();
  return system;
}

const replays = (system: System) => system.effects.map(({ version, replay }) => [version, replay?.id]);

describe('a rewind', () => {
  it('delivers the range again as a new generation, and what comes later as live', async () => {
    const system = await resolved(4, { declaration: { effects: 'idempotent' } });
    system.effects.length = 0;
    await system.append('s', [2]);
    expect(await rewind(system, 's', 2)).toBe('requested');
    await system.deliver('s', [6]);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 6);
    expect(await system.checkpoint('s')).toMatchObject({ generation: 2, generationStart: 2, resolvedCount: 4 });
    expect(await system.checkpoint('s')).not.toHaveProperty('replay');
    expect(replays(system)).toEqual([
      [3, 'r1'],
      [4, 'r1'],
      [5, undefined],
      [6, undefined],
    ]);
    expect(system.effects[0]?.replay).toEqual({ mode: 'rewind', id: 'r1' });
  });

  it('is applied once, however often it is asked for', async () => {
    const system = await resolved(3);
    await rewind(system, 's', 0);
    expect(await rewind(system, 's', 0)).toBe('already-requested');
    await system.untilQuiet();
    expect(await rewind(system, 's', 0)).toBe('already-requested');
    await system.untilQuiet();
    await expectAllResolved(system, 's', 3);
    expect(system.applied('s', 'r1')).toEqual([1, 2, 3]);
  });

  it('asked for while a holder is at work is applied by that holder before it releases', async () => {
    let asked = false;
    const system: System = await resolved(2, {
      react: async ({ event }) => {
        if (event.metadata.version !== 4 || asked) return undefined;
        asked = true;
        expect(await rewind(system, 's', 1)).toBe('requested');
        return undefined;
      },
    });
    await system.append('s', [2]);
    await system.deliver('s', [4]);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 4);
    expect(await system.checkpoint('s')).toMatchObject({ generation: 2, generationStart: 1 });
    expect(system.applied('s')).toEqual([1, 2, 3, 4]);
    expect(system.applied('s', 'r1')).toEqual([2, 3, 4]);
  });

  it('asked for while an event is given up is applied instead of parking', async () => {
    let isPoisonous = true;
    const system: System = await resolved(2, {
      declaration: { maxAttempts: 1 },
      react: async ({ event }) => {
        if (event.metadata.version !== 3 || !isPoisonous) return undefined;
        isPoisonous = false;
        await rewind(system, 's', 1);
        throw new Error('poison');
      },
    });
    await system.append('s', [1]);
    await system.deliver('s', [3]);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 3);
    expect(system.metrics.total('DeadLetters')).toBe(0);
    expect(await system.checkpoint('s')).toMatchObject({ generation: 2 });
  });

  it('un-parks the stream and closes its dead letter', async () => {
    let isFixed = false;
    const system = await resolved(5, {
      declaration: { maxAttempts: 1 },
      react: ({ event }) => {
        if (event.metadata.version === 3 && !isFixed) throw new Error('poison');
        return undefined;
      },
    });
    isFixed = true;
    await rewind(system, 's', 0);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 5);
    expect(await system.deadLetters.get('inventory#1#3#s')).toMatchObject({ status: 'superseded' });
    expect(system.applied('s', 'r1')).toEqual([1, 2]);
    expect(system.applied('s')).toEqual([1, 2, 3, 4, 5]);
    expect(await system.checkpoint('s')).not.toHaveProperty('lastDeadLetter');
  });

  it('closes many dead letters of the range in bounded steps, and keeps those before it', async () => {
    let isFixed = false;
    const system = await resolved(130, {
      declaration: { onPoison: 'skip', maxAttempts: 1 },
      timeoutMs: 60_000,
      react: () => {
        if (!isFixed) throw new Error('poison');
        return undefined;
      },
    });
    isFixed = true;
    await rewind(system, 's', 4);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 130);
    const statuses = new Map<string, number>();
    for await (const { status } of system.deadLetters.list({ consumer: 'inventory' })) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect(Object.fromEntries(statuses)).toEqual({ skipped: 4, superseded: 126 });
    expect((await system.checkpoint('s'))?.lastDeadLetter).toEqual({ generation: 1, version: 4 });
  });

  it('a second one, further back, closes what the first one left open', async () => {
    let isFixed = false;
    const system = await resolved(4, {
      declaration: { onPoison: 'skip', maxAttempts: 1 },
      react: () => {
        if (!isFixed) throw new Error('poison');
        return undefined;
      },
    });
    isFixed = true;
    await rewind(system, 's', 2, 'r1');
    await system.untilQuiet();
    await rewind(system, 's', 0, 'r2');
    await system.untilQuiet();
    await expectAllResolved(system, 's', 4);
    expect(await system.checkpoint('s')).toMatchObject({ generation: 3, lastRewindId: 'r2' });
    for (const version of range(1, 4)) {
      expect(await system.deadLetters.get(`inventory#1#${version}#s`)).toMatchObject({ status: 'superseded' });
    }
  });

  it('with suppressed effects calls no react in the range, and every one after it', async () => {
    const system = await resolved(4, { declaration: { effects: 'idempotent' } });
    system.effects.length = 0;
    await system.append('s', [1]);
    await rewind(system, 's', 1, 'r1', true);
    await system.deliver('s', [5]);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 5);
    expect(replays(system)).toEqual([[5, undefined]]);
    expect(system.metrics.total('EventsSuppressed')).toBe(3);
  });

  it('asked for again in the middle of a replay still knows what was never delivered before', async () => {
    const system: System = await resolved(6, {
      declaration: { effects: 'idempotent' },
      settings: { chunkEvents: 1 },
      react: async ({ event, context, time }) => {
        // So slow that the replay takes several invocations: the second request is applied before the first one is through.
        if (context.replay) await time.world.timers.sleep(2_000);
        if (event.metadata.version === 3 && context.replay?.id === 'r1') await rewind(system, 's', 0, 'r2');
        return undefined;
      },
    });
    system.effects.length = 0;
    await system.append('s', [1]);
    await rewind(system, 's', 0, 'r1');
    await system.deliver('s', [7]);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 7);
    const live = system.effects.filter(({ replay }) => replay === undefined).map(({ version }) => version);
    expect(live).toEqual([7]);
    const second = system.effects.filter(({ replay }) => replay?.id === 'r2').map(({ version }) => version);
    expect(second).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe.each(['transactional', 'idempotent'] as const)('a redelivery to a %s consumer', (effects) => {
  const again = (system: System, id: string) =>
    effects === 'transactional'
      ? system.applied('s', id)
      : system.effects.filter(({ replay }) => replay?.id === id).map(({ version }) => version);

  it('delivers the selected events once per replay id, in order, and moves nothing', async () => {
    const system = await resolved(80, { declaration: { effects } });
    const before = await system.checkpoint('s');
    for (const id of ['one', 'two', 'one', 'one']) system.redeliver('s', [2, 3, 79], id);
    await system.untilQuiet();
    expect(again(system, 'one')).toEqual([2, 3, 79]);
    expect(again(system, 'two')).toEqual([2, 3, 79]);
    const { version, generation, resolvedDigest, wanted } = before ?? {};
    expect(await system.checkpoint('s')).toMatchObject({ version, generation, resolvedDigest, wanted });
    expect(await system.checkpoint('s')).toMatchObject({ redelivered: { through: 79, failed: 0 } });
    expect(await system.checkpoint('s')).not.toHaveProperty('lease');
    await expectAllResolved(system, 's', 80);
  });

  it('reports what is not resolved yet, and does the rest', async () => {
    const system = await resolved(3, { declaration: { effects } });
    await system.append('s', [2]);
    system.redeliver('s', [3, 4, 9], 'one');
    system.redeliver('unknown', [1], 'one');
    await system.untilQuiet();
    expect(again(system, 'one')).toEqual([3]);
    expect(system.metrics.total('RedeliveriesDropped')).toBe(3);
    const dropped = system.logger.lines.filter(({ message }) => message === 'not redelivered: beyond the checkpoint');
    expect(dropped.map(({ facts }) => [facts.streamId, facts.version]).sort()).toEqual([
      ['s', 4],
      ['s', 9],
      ['unknown', 1],
    ]);
    expect(await system.checkpoint('unknown')).toBeUndefined();
    expect(await system.checkpoint('s')).toMatchObject({ version: 3, wanted: 3 });
    expect(await system.checkpoint('s')).toMatchObject({ redelivered: { id: 'one', through: 9, failed: 2 } });
  });

  it('that fails is tried again, then leaves a row and goes on with the rest', async () => {
    const system = await resolved(4, {
      declaration: { effects },
      react: ({ event, context }) => {
        if (context.replay && event.metadata.version === 2) throw new Error('no');
        return undefined;
      },
    });
    system.redeliver('s', [1, 2, 4], 'one');
    await system.untilQuiet();
    expect(again(system, 'one')).toEqual([1, 4]);
    expect(system.metrics.total('ReactFailures')).toBe(3);
    const row = await system.deadLetters.get('inventory#1#2#s');
    expect(row).toMatchObject({ status: 'skipped', attempts: 3, error: { message: 'no' } });
    expect(row).not.toHaveProperty('passedAs');
    await expectAllResolved(system, 's', 4);
    const trace = { redelivered: { id: 'one', through: 4, failed: 1 } };
    expect(await system.checkpoint('s')).toMatchObject(trace);
    // The same message again fails again, and is no second failure.
    system.redeliver('s', [1, 2, 4], 'one');
    await system.untilQuiet();
    expect(await system.checkpoint('s')).toMatchObject(trace);
  });

  it('of a skipped event closes its dead letter; the digest keeps that it was skipped', async () => {
    let isFixed = false;
    const system = await resolved(3, {
      declaration: { effects, onPoison: 'skip', maxAttempts: 1 },
      react: ({ event }) => {
        if (event.metadata.version === 2 && !isFixed) throw new Error('no');
        return undefined;
      },
    });
    isFixed = true;
    system.redeliver('s', [2], 'one');
    await system.untilQuiet();
    expect(again(system, 'one')).toEqual([2]);
    const row = await system.deadLetters.get('inventory#1#2#s');
    expect(row).toMatchObject({ status: 'resolved', passedAs: 'skipped' });
    await expectAllResolved(system, 's', 3);
  });

  const MOMENTS = ['before the react', 'in the react', 'before it fails', 'at the very commit'] as const;
  it.each(MOMENTS)('of a dead letter that is discarded %s leaves it discarded', async (when) => {
    let isFixed = false;
    let isReplayed = false;
    const discard = async (): Promise<void> => {
      const write = system.deadLetters.statusWrite('inventory#1#2#s', ['skipped', 'redriving'], 'discarded', 1);
      await system.dynamo.transactWrite({ TransactItems: [write] });
    };
    const system: System = await resolved(3, {
      declaration: { effects, onPoison: 'skip', maxAttempts: 1 },
      wrapDynamo: (dynamo) => ({
        ...dynamo,
        async transactWrite(input) {
          if (isReplayed && when === 'at the very commit') await discard();
          isReplayed = false;
          return dynamo.transactWrite(input);
        },
      }),
      react: async ({ event, context }) => {
        if (event.metadata.version === 2 && !isFixed) throw new Error('no');
        isReplayed = context.replay !== undefined;
        if (isReplayed && (when === 'in the react' || when === 'before it fails')) await discard();
        if (isReplayed && when === 'before it fails') throw new Error('still no');
        return undefined;
      },
    });
    isFixed = true;
    if (when === 'before the react') await discard();
    system.redeliver('s', [2], 'one', false, { whileOpen: true, correlationId: 'c-1' });
    await system.untilQuiet();
    // An effect outside DynamoDB that has happened cannot be taken back.
    const isTooLate = effects === 'idempotent' && (when === 'in the react' || when === 'at the very commit');
    expect(again(system, 'one')).toEqual(isTooLate ? [2] : []);
    const row = await system.deadLetters.get('inventory#1#2#s');
    expect(row).toMatchObject({ status: 'discarded', passedAs: 'skipped' });
    await expectAllResolved(system, 's', 3);
  });

  it('that an operator asks for and that fails leaves a discarded dead letter discarded', async () => {
    const system = await resolved(2, {
      declaration: { effects, onPoison: 'skip', maxAttempts: 1 },
      react: ({ event }) => {
        if (event.metadata.version === 2) throw new Error('no');
        return undefined;
      },
    });
    const id = 'inventory#1#2#s';
    const discard = system.deadLetters.statusWrite(id, ['skipped'], 'discarded', 1, { discardReason: 'of no use' });
    await system.dynamo.transactWrite({ TransactItems: [discard] });
    system.redeliver('s', [2], 'one');
    await system.untilQuiet();
    expect(await system.deadLetters.get(id)).toMatchObject({ status: 'discarded', discardReason: 'of no use' });
    await expectAllResolved(system, 's', 2);
  });

  it('to a parked stream does not move it', async () => {
    const system = await resolved(4, {
      declaration: { effects, maxAttempts: 1 },
      react: ({ event }) => {
        if (event.metadata.version === 3) throw new Error('no');
        return undefined;
      },
    });
    system.redeliver('s', [1, 2], 'one');
    await system.untilQuiet();
    expect(again(system, 'one')).toEqual([1, 2]);
    await expectSound(system, 's');
    expect(await system.checkpoint('s')).toMatchObject({ version: 2, parked: { version: 3 } });
    expect(await system.checkpoint('s')).not.toHaveProperty('lease');
  });

  it('with suppressed effects reacts to nothing', async () => {
    const system = await resolved(2, { declaration: { effects } });
    system.redeliver('s', [1, 2], 'one', true);
    await system.untilQuiet();
    expect(again(system, 'one')).toEqual([]);
  });

  it('beside live traffic at every moment leaves both complete', async () => {
    for (let seed = 1; seed <= 15; seed += 1) {
      const system = new System({ declaration: { effects }, seed, concurrency: 4, batchSize: 1, jitterMs: 30 });
      await system.append('s', [1, 1, 1, 1]);
      await system.deliver('s', [2]);
      await system.untilQuiet();
      await system.deliver('s', [3, 4]);
      system.redeliver('s', [1, 2], 'one');
      system.redeliver('s', [1, 2], 'two');
      await system.untilQuiet();
      await expectAllResolved(system, 's', 4);
      expect([again(system, 'one'), again(system, 'two')]).toEqual([
        [1, 2],
        [1, 2],
      ]);
    }
  });
});

describe('a redelivery that ends its function', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    'is the only one of ten that is not delivered again (number %d)',
    async (n) => {
      const system = new System({
        declaration: { effects: 'idempotent' },
        concurrency: 1,
        maxReceives: 3,
        react: async ({ event, context, process }) => {
          if (event.streamId !== `s${n}` || context.replay === undefined) return undefined;
          process.kill();
          return new Promise(() => undefined);
        },
      });
      const streams = range(1, 10).map((one) => `s${one}`);
      for (const stream of streams) {
        await system.append(stream, [1]);
        await system.deliver(stream, [1]);
      }
      await system.untilQuiet();
      for (const stream of streams) system.redeliver(stream, [1], 'one');
      await system.untilQuiet();
      const again = system.effects.filter(({ replay }) => replay !== undefined).map(({ streamId }) => streamId);
      expect(again.sort()).toEqual(streams.filter((stream) => stream !== `s${n}`).sort());
      expect(system.queue.dead.map(({ body }) => body.streamId)).toContain(`s${n}`);
    },
  );
});
