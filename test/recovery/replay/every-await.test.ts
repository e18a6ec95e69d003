// A replay dies at each of its database requests, before and after it was carried out, and at each message. What later
// invocations make of it must be what an undisturbed replay makes: each event once for this replay, in order.

import { describe, expect, it } from '@jest/globals';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { composeReplay } from '../../../lib/recovery/replay/compose.ts';
import { createDeath, mortal } from '../../support/death.ts';
import { TABLES } from '../../support/small-system.ts';
import { ats, type Bench, createBench } from './support.ts';

const EVENTS = ['order-1@1', 'order-1@2', 'order-1@3', 'order-2@1', 'order-2@2'];

/** Only the replay's own requests: the consumers behind the queue are not what dies here. */
async function createMortal(effects: 'transactional' | 'idempotent') {
  const death = createDeath();
  const bench = await createBench({ effects });
  await bench.fill({ 'order-1': 3, 'order-2': 2 });
  bench.take();
  const deps = withDynamo(bench, mortal(bench.system.dynamo, death));
  const send = bench.deps.wakeUps.send;
  deps.wakeUps = { send: (url, messages) => death.around(() => send(url, messages)) };
  return { bench, death, deps };
}

function withDynamo({ deps }: Bench, dynamo: Dynamo) {
  const { deployment, wakeUps, logger, metrics, world } = deps;
  return composeReplay({ dynamo, ...TABLES, deployment, wakeUps, logger, metrics, world });
}

describe.each([
  ['rewind', 'idempotent'],
  ['rewind', 'transactional'],
  ['redeliver', 'idempotent'],
  ['redeliver', 'transactional'],
] as const)('a %s to %s consumers that dies', (mode, effects) => {
  it.each(['before', 'after'] as const)('%s any request ends as if nothing had happened twice', async (when) => {
    let deaths = 0;
    for (let nth = 1; nth < 80; nth++) {
      const { bench, death, deps } = await createMortal(effects);
      const { plan } = await bench.plan({ mode });
      death.arm(nth, when);
      const start = { action: 'start', planId: plan?.id, dryRun: false };
      const end = await bench.ask(start, undefined, deps).catch((error: unknown) => error);
      if (death.disarm()) {
        expect(end).toMatchObject({ result: 'done' });
        break;
      }
      deaths += 1;
      // Leases of the dead run out. The caller, who got no answer, asks once more.
      bench.system.clock.advance(70_000);
      await bench.ask(start);
      await bench.finish();
      const status = await bench.ask({ action: 'status', replayId: plan?.id });
      expect(status).toMatchObject({ result: 'done', replay: { rows: { done: 2, failed: 0 }, events: { done: 5 } } });
      if (effects === 'transactional') {
        // Once live, once for the replay, however often react was called.
        expect(await bench.committed()).toEqual(Object.fromEntries(EVENTS.map((at) => [at, 2])));
      } else {
        const again = ats(bench.take());
        expect(again.toSorted()).toEqual(EVENTS);
        for (const stream of ['order-1', 'order-2']) {
          const own = again.filter((at) => at.startsWith(stream));
          expect(own).toEqual(own.toSorted());
        }
      }
      await bench.expectProved();
    }
    expect(deaths).toBeGreaterThan(15);
  });
});

describe('the schedule that begins a backfill and dies', () => {
  it.each(['before', 'after'] as const)('%s any request ends with the history delivered once', async (when) => {
    let deaths = 0;
    for (let nth = 1; nth < 80; nth++) {
      const { bench, death, deps } = await createMortal('idempotent');
      await bench.fill({ 'other-1': ['Other', 'Other'], 'order-1': ['Other'] });
      bench.take();
      await bench.add('inventory', { eventTypes: ['Placed', 'Paid', 'Other'] });
      death.arm(nth, when);
      const end = await bench.ask({ action: 'continue' }, undefined, deps).catch((error: unknown) => error);
      if (death.disarm()) {
        expect(end).toMatchObject({ replays: [{ status: 'done' }] });
        break;
      }
      deaths += 1;
      // What was claimed and not begun is claimed again after a while.
      bench.system.clock.advance(16 * 60_000);
      await bench.finish();
      expect(ats(bench.take()).toSorted()).toEqual(['order-1@4', 'other-1@1', 'other-1@2']);
      expect(await bench.system.registry.get('inventory' as never)).not.toHaveProperty('backfill');
      await bench.expectProved();
    }
    expect(deaths).toBeGreaterThan(15);
  });
});

describe('two workers at once', () => {
  it.each(['rewind', 'redeliver'] as const)('do a %s once', async (mode) => {
    const bench = await createBench();
    await bench.fill(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`order-${index}`, 2])));
    bench.take();
    const { plan } = await bench.plan({ mode });
    const start = { action: 'start', planId: plan?.id, dryRun: false };
    const answers = await Promise.all([bench.ask(start), bench.ask(start), bench.ask({ action: 'continue' })]);
    expect(answers.some(({ result }) => result === 'done')).toBe(true);
    await bench.finish();
    expect(bench.take()).toHaveLength(60);
    expect(await bench.ask({ action: 'status', replayId: plan?.id })).toMatchObject({
      replay: { status: 'done', rows: { all: 30, done: 30 } },
    });
    await bench.expectProved();
  });

  it('of which one sleeps past its lease end with what the awake one did', async () => {
    const bench = await createBench();
    await bench.fill({ 'order-1': 2, 'order-2': 2 });
    bench.take();
    bench.onPause(async () => undefined);
    const { plan } = await bench.plan();
    // Everything is given, and nothing has an end yet.
    await bench.ask({ action: 'start', planId: plan?.id, dryRun: false }, 6_500);
    let slept = false;
    bench.onPause(async () => {
      if (slept) return bench.system.settle();
      slept = true;
      // The first worker sleeps; meanwhile its lease ends and another one does everything.
      bench.system.clock.advance(100_000);
      await bench.ask({ action: 'continue' });
    });
    const answer = await bench.ask({ action: 'continue' });
    expect(answer.replays).toMatchObject([
      { status: 'done', rows: { given: 2, done: 2, failed: 0 }, events: { done: 4 } },
    ]);
    expect(bench.take()).toHaveLength(4);
    await bench.expectProved();
  });
});
