// A replay's whole life on DynamoDB Local: every expression that its stores write is one that DynamoDB takes.

import { afterEach, expect, it } from '@jest/globals';
import { localEngine } from '../../support/engines.ts';
import { ats, type Bench, createBench } from './support.ts';

let bench: Bench;
afterEach(() => bench.system.close());

it('plans, starts, pauses, resumes, cancels and completes a backfill', async () => {
  bench = await createBench({ engine: localEngine, effects: 'transactional' });
  bench.deps.heldMax = 3;
  await bench.fill({ 'order-1': ['Placed', 'Other', 'Paid'], 'order-2': 2, 'order-3': 1, 'order-4': 1, 'order-5': 1 });

  expect(await bench.go({ selection: { streamPrefix: 'order-1' } })).toMatchObject({ result: 'done' });
  expect(await bench.system.checkpoint('inventory', 'order-1')).toMatchObject({ version: 3, generation: 2 });
  expect(await bench.go({ mode: 'redeliver', selection: { eventTypes: ['Paid'] } })).toMatchObject({ result: 'done' });
  expect(await bench.committed()).toMatchObject({ 'order-1@1': 2, 'order-1@3': 3, 'order-2@1': 1 });

  bench.onPause(async () => undefined);
  const start = {
    action: 'start',
    mode: 'rewind',
    consumer: 'inventory',
    selection: { everything: true },
    dryRun: false,
  };
  const { replay } = await bench.ask({ ...start, ratePerSecond: 3 }, 6_000);
  const replayId = replay?.id;
  expect(await bench.ask({ action: 'pause', replayId })).toMatchObject({ result: 'paused' });
  await expect(bench.go()).rejects.toMatchObject({ code: 'REPLAY_RUNNING' });
  expect(await bench.ask({ action: 'resume', replayId }, 6_000)).toMatchObject({ result: 'running' });
  expect(await bench.ask({ action: 'cancel', replayId })).toMatchObject({ result: 'cancelled' });
  bench.onPause(() => bench.system.settle());
  for (let round = 0; round < 2; round += 1) await bench.system.settle();
  await bench.expectProved();

  bench.take();
  await bench.add('inventory', { eventTypes: ['Placed', 'Paid', 'Other'] });
  await bench.finish();
  expect(ats(bench.take())).toEqual(['order-1@2']);
  expect(await bench.system.registry.get('inventory' as never)).not.toHaveProperty('backfill');
  await bench.expectProved();
});
