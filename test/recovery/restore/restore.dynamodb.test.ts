// The restore on DynamoDB itself: its conditions on every attribute that was seen, binary ones included, and its transactions.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hashCommit } from '../../../lib/flow/event-store/hash.ts';
import { directoryKey } from '../../../lib/flow/log/keys.ts';
import { localEngine } from '../../support/engines.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
let before: string[];

beforeEach(async () => {
  bench = await createBench({ engine: localEngine });
  await bench.fill({ 'order-1': 5, 'order-2': 3 });
  const text = 'again and again '.repeat(400);
  await bench.system.eventStore.append('order-2', [{ id: 'long', type: 'Placed', data: { text } }], 3);
  await bench.system.settle();
  before = await bench.everything();
  await bench.archive();
});
afterEach(() => bench.system.close());

describe('a restore on DynamoDB', () => {
  it('puts back what was altered and what is missing, compressed commits too, and touches nothing else', async () => {
    const compressed = await bench.item('order-2', 4);
    expect(compressed.encoding).toBe('br');
    const bytes = Buffer.from(compressed.events as Uint8Array);
    bytes[5] = (bytes[5] as number) ^ 1;
    await bench.change('order-2', 4, { events: bytes });
    await bench.change('order-1', 2, { hash: null, more: { of: ['what', 1, true] } });
    await bench.remove('order-1', 4, 5);
    const done = await bench.apply((await bench.plan({ streams: ['order-1', 'order-2'] })).planId);
    expect(done).toMatchObject({ result: 'done', totals: { done: 2, written: 4, stale: 0, notFound: 0 } });
    expect(await bench.everything()).toEqual(before);
  });

  it('removes on the condition of what was seen, and appends acknowledged events again', async () => {
    await bench.remove('order-1', 3, 4, 5);
    const { hash: previousHash } = await bench.item('order-1', 2);
    const events = JSON.stringify(['x', 'y', 'z', 'u'].map((id) => ({ id, type: 'Placed', data: {} })));
    const facts = {
      streamId: 'order-1',
      version: 3,
      count: 4,
      recordedAt: bench.system.clock.now(),
      encoding: 'json',
      format: 1,
    };
    const fork = { ...facts, previousHash, events };
    await bench.system.dynamo.put({ TableName: 'Events', Item: { ...fork, hash: hashCommit(fork as never) } });
    await bench.system.dynamo.put({
      TableName: 'Events',
      Item: { streamId: 'order-1', version: 6.5, note: 'garbage' },
    });
    const done = await bench.apply((await bench.plan({ streams: ['order-1'] })).planId);
    expect(done).toMatchObject({ result: 'done', totals: { forks: 1, conflicting: 0, stale: 0 } });
    expect((await bench.idsOf('order-1')).slice(5)).toEqual(['x', 'y', 'z', 'u']);
    const now = await bench.everything();
    expect(before.filter((item) => !now.includes(item))).toEqual([]);
    expect(now).toHaveLength(before.length + 1);
  });

  it.each(['lost', 'wrong'])('puts a directory item right that is %s, with the commits of its stream', async (how) => {
    const log = await bench.system.items('Log');
    const Key = { ...directoryKey('order-1') };
    const { Item } = await bench.system.dynamo.get({ TableName: 'Log', Key });
    if (how === 'lost') await bench.system.dynamo.delete({ TableName: 'Log', Key });
    else
      await bench.system.dynamo.put({ TableName: 'Log', Item: { ...Item, version: 'x', position: null, more: [1] } });
    await bench.remove('order-1', 4);
    bench.system.clock.advance(3_600_000);
    const plan = await bench.plan({ streams: ['order-1'] });
    expect(plan.totals).toMatchObject({ directories: 1, inserts: 1 });
    expect(await bench.apply(plan.planId)).toMatchObject({ result: 'done', totals: { done: 1, written: 2 } });
    expect(await bench.everything()).toEqual(before);
    expect(await bench.system.items('Log')).toEqual(log);
  });

  it('overwrites nothing that changed after the plan', async () => {
    await bench.change('order-1', 2, { count: 7 });
    const { planId } = await bench.plan({ streams: ['order-1'] });
    await bench.change('order-1', 2, { count: 8 });
    const damaged = await bench.everything();
    expect(await bench.apply(planId)).toMatchObject({ totals: { stale: 1, written: 0 } });
    expect(await bench.everything()).toEqual(damaged);
  });
});
