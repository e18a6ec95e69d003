// What a human has to see before agreeing, and what is left to humans afterwards: nothing of it is cut off or closed in silence.

import { describe, expect, it } from '@jest/globals';
import { isEventRecoveryError } from '../../../lib/model/errors.ts';
import { type Bench, createBench } from './support.ts';

const codeOf = (error: unknown): unknown => (isEventRecoveryError(error) ? error.code : error);
const event = (id: string) => ({ id, type: 'Placed', data: { id } });
const finding = (bench: Bench, streamId: string) =>
  bench.system.dynamo.put({
    TableName: 'Recovery',
    Item: { pk: 'finding', sk: streamId, kind: 'truncated-stream', streamId, status: 'open' },
  });

describe('a plan', () => {
  it('lists every change of a stream to whoever asks for that stream', async () => {
    const bench = await createBench();
    await bench.fill({ a: 70, b: 2 });
    await bench.archive();
    for (let version = 1; version <= 60; version += 1) await bench.damage('a', version);
    await bench.damage('b', 1);
    const plan = await bench.plan({ streams: ['a', 'b'] });
    expect(plan).toMatchObject({ truncated: true, totals: { overwrites: 61 } });
    expect(plan.listed[0]).toMatchObject({ streamId: 'a', changesInAll: 60 });
    expect(plan.listed[0]?.changes).toHaveLength(50);
    const whole = await bench.ask({ action: 'status', planId: plan.planId, stream: 'a' });
    expect(whole).toMatchObject({ truncated: false, totals: { overwrites: 61 } });
    expect(whole.listed.map(({ changes }) => changes.map(({ version }) => version))).toEqual([
      Array.from({ length: 60 }, (_, index) => index + 1),
    ]);
  });

  it('says that more streams are damaged than it takes', async () => {
    const bench = await createBench();
    await bench.fill({ a: 2 });
    await bench.archive();
    await bench.remove('a', 2);
    for (let n = 0; n < 200; n += 1) await finding(bench, `nobody-${n}`);
    expect(await bench.plan()).not.toHaveProperty('moreDamaged');
    await finding(bench, 'a');
    await finding(bench, 'z');
    const plan = await bench.plan();
    expect(plan).toMatchObject({ moreDamaged: true, totals: { streams: 1 } });
    expect(plan.refused).toHaveLength(199);
  });

  it('says which consumers are ahead of a stream that it can repair, and of one that it cannot', async () => {
    const bench = await createBench();
    await bench.fill({ a: 4, b: 4 });
    await bench.archive({ type: 'FULL_EXPORT', atMs: 1 });
    const { checkpoints } = bench.deps;
    bench.deps.checkpoints = {
      get: async (key) => {
        const found = await checkpoints.get(key);
        return found && { ...found, version: (found.version + 1) as typeof found.version };
      },
    };
    await bench.remove('a', 4);
    const plan = await bench.plan({ streams: ['a', 'b'] });
    expect(plan.listed.map(({ streamId, checkpointsBeyond }) => [streamId, checkpointsBeyond])).toEqual([
      ['a', [{ consumer: 'billing', version: 5 }]],
      ['b', [{ consumer: 'billing', version: 5 }]],
    ]);
    expect(await bench.apply(plan.planId)).toMatchObject({ totals: { notFound: 1, checkpointsBeyond: 2 } });
    const open = (await bench.openIncidents()).map(({ kind, streamId, version }) => [kind, streamId, version]);
    expect(open.sort()).toEqual([
      ['checkpoint-beyond-head', 'a', 5],
      ['checkpoint-beyond-head', 'b', 5],
    ]);
  });

  it('takes no checkpoint for ahead that lies within what the restore puts back', async () => {
    const bench = await createBench();
    await bench.fill({ a: 4 });
    await bench.archive();
    await bench.remove('a', 3, 4);
    const plan = await bench.plan({ streams: ['a'] });
    expect(plan.totals).toMatchObject({ checkpointsBeyond: 0 });
    expect(await bench.apply(plan.planId)).toMatchObject({ totals: { done: 1, checkpointsBeyond: 0 } });
    expect(await bench.openIncidents()).toEqual([]);
  });
});

describe('what a restore leaves to humans', () => {
  async function conflict() {
    const bench = await createBench();
    await bench.fill({ a: 6 });
    await bench.archive();
    await bench.remove('a', 5, 6);
    await bench.appendAt('a', 5, [event('a-6'), event('fresh')]);
    await bench.apply((await bench.plan({ streams: ['a'] })).planId);
    return bench;
  }
  const left = async (bench: Bench) =>
    (await bench.ask({ action: 'incidents' })) as unknown as {
      open: { kind: string; streamId: string; detail: string }[];
    };
  const settle = (bench: Bench, stream: string): Promise<unknown> =>
    bench.ask({ action: 'settle', stream, requestedBy: 'anna', reason: 'appended again under a new id' });

  it('is listed, and closed by whoever has dealt with it, with the reason in the audit', async () => {
    const bench = await conflict();
    await bench.system.eventStore.append('a', [event('fresh')], 'any');
    await bench.deps.incidents.record({
      kind: 'missing-commit',
      streamId: 'a',
      version: 1,
      detail: '',
      foundBy: 'relay',
      foundAt: 1,
    });
    const { open } = await left(bench);
    expect(open).toMatchObject([{ kind: 'events-set-aside', detail: expect.stringContaining('quarantine/') }]);
    expect(await settle(bench, 'a')).toEqual({ result: 'settled', closed: 1, open: [] });
    expect(await left(bench)).toMatchObject({ open: [] });
    // Damage is not a human's to close.
    expect((await bench.openIncidents()).map(({ kind }) => kind)).toEqual(['missing-commit']);
    expect((await bench.audits()).find(({ action }) => action === 'restore-settle')).toMatchObject({
      requestedBy: 'anna',
      reason: 'appended again under a new id',
      outcome: { closed: 1, open: 0 },
    });
  });

  it('is not closed while acknowledged events wait to be appended again, nor for a stream that nobody knows', async () => {
    const bench = await createBench();
    await bench.fill({ a: 6 });
    await bench.archive();
    await bench.remove('a', 5, 6);
    await bench.appendAt('a', 5, [event('fresh')]);
    const { read } = bench.deps.objects;
    const isMissing = (key: string) => key.startsWith('quarantine');
    bench.deps.objects = { ...bench.deps.objects, read: async (key) => (isMissing(key) ? undefined : read(key)) };
    await bench.apply((await bench.plan({ streams: ['a'] })).planId);
    expect(await settle(bench, 'a').then(() => 'no error', codeOf)).toBe('EVENTS_NOT_APPENDED');
    expect((await left(bench)).open).toHaveLength(1);
    expect(await settle(bench, 'nobody').then(() => 'no error', codeOf)).toBe('UNKNOWN_STREAM');
  });

  it('stays open for a consumer that is still ahead, and closes when it is not any more', async () => {
    const bench = await createBench();
    await bench.fill({ a: 4 });
    await bench.archive();
    const { checkpoints } = bench.deps;
    let ahead = 1;
    bench.deps.checkpoints = {
      get: async (key) => {
        const found = await checkpoints.get(key);
        return found && { ...found, version: (found.version + ahead) as typeof found.version };
      },
    };
    await bench.damage('a', 2);
    await bench.apply((await bench.plan({ streams: ['a'] })).planId);
    expect(await settle(bench, 'a')).toMatchObject({
      closed: 0,
      open: [{ kind: 'checkpoint-beyond-head', version: 5 }],
    });
    ahead = 0;
    expect(await settle(bench, 'a')).toMatchObject({ closed: 1, open: [] });
  });
});
