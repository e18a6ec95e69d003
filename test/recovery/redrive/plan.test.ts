// The plan of a redrive: what it says is what is then done and consumed, and it is bound to the dead letters that it saw.

import { describe, expect, it } from '@jest/globals';
import { type CountedDynamo, countUnits } from '../../../lib/platform/dynamodb/count-units.ts';
import { createBench } from './support.ts';

const TOLERANCE = 0.1;

/** Streams fail one after the other, a second apart: 20 orders, then 10 payments. */
const SELECTIONS: Record<string, { select: (startedAt: number) => Record<string, unknown>; letters: number }> = {
  'what failed since a time': {
    select: (startedAt) => ({ consumer: 'billing', failedFrom: startedAt + 13_000 }),
    letters: 17,
  },
  'everything of a consumer': { select: () => ({ consumer: 'billing' }), letters: 30 },
  'a type': { select: () => ({ eventType: 'Paid' }), letters: 10 },
};

type Options = NonNullable<Parameters<typeof createBench>[0]>;

async function createFailed(options: Options) {
  let meter: CountedDynamo | undefined;
  const bench = await createBench({
    ...options,
    wrap: (dynamo) => {
      meter = countUnits(dynamo);
      return meter.dynamo;
    },
  });
  const startedAt = bench.system.clock.now();
  const nameOf = (index: number) => `${index < 20 ? 'order' : 'payment'}-${index}`;
  const streams = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [nameOf(index), 1 + (index % 7)]));
  const failing = Object.entries(streams).map(([id, length]) => `${id}@${Math.ceil(length / 2)}`);
  await bench.fill(streams, ...failing);
  bench.poison.clear();
  return { bench, meter: meter as CountedDynamo, startedAt };
}

const KINDS = (['park', 'skip'] as const).flatMap((onPoison) =>
  (['transactional', 'idempotent'] as const).map((effects) => [onPoison, effects] as const),
);

describe.each(KINDS)('the plan of a redrive of a consumer that %ss, %s', (onPoison, effects) => {
  it.each(Object.entries(SELECTIONS))(
    'of %s says what is then done, and consumed',
    async (_name, { select, letters }) => {
      const { bench, meter, startedAt } = await createFailed({ onPoison, effects });
      const selection = select(startedAt);
      const before = bench.effectsDone.length;
      const { plan, next } = await bench.ask({ action: 'redrive', selection, ratePerSecond: 100 });
      const totals = plan?.totals;
      expect(totals).toMatchObject({ streams: letters, wakeUps: letters, expectedRepeats: 0, etaSeconds: 1 });
      expect(plan?.blastRadius.join()).toContain('"billing"');
      meter.take();
      const answer = await bench.ask(JSON.parse(next as string));
      expect(answer).toMatchObject({ result: 'done', runs: [{ id: plan?.id, done: letters }] });
      await bench.system.settle();
      const consumed = meter.take();
      expect(bench.effectsDone.length - before).toBe(totals?.events);
      const off = (planned = 0, really: number) => Math.round(((planned - really) / really) * 1_000) / 1_000;
      const offs = { read: off(totals?.readUnits, consumed.read), write: off(totals?.writeUnits, consumed.write) };
      const isWithin = Math.max(Math.abs(offs.read), Math.abs(offs.write)) <= TOLERANCE;
      expect({ ...offs, isWithin }).toMatchObject({ isWithin: true });
    },
  );
});

describe('a plan of a redrive', () => {
  it('is applied once: the same start again answers with its run', async () => {
    const { bench } = await createFailed({});
    const { next } = await bench.ask({ action: 'redrive', selection: { consumer: 'billing' } });
    const first = await bench.ask(JSON.parse(next as string));
    const effects = bench.effectsDone.length;
    expect(await bench.ask(JSON.parse(next as string))).toMatchObject({ result: 'done', runs: first.runs });
    await bench.system.settle();
    expect(bench.effectsDone).toHaveLength(effects);
  });

  it('started twice at once is one run', async () => {
    const { bench } = await createFailed({});
    const { next } = await bench.ask({ action: 'redrive', selection: { consumer: 'billing' } });
    const before = bench.effectsDone.length;
    await Promise.all([bench.ask(JSON.parse(next as string)), bench.ask(JSON.parse(next as string))]);
    await bench.finish();
    expect(bench.effectsDone.length - before).toBe(new Set(bench.effectsDone.slice(before)).size);
    expect(await bench.letters('resolved')).toHaveLength(30);
    await bench.expectProved({ parked: 0, waiting: 0 });
  });

  it('takes nothing that failed after it was looked at, not even when that happens before the first is given', async () => {
    const { bench } = await createFailed({});
    const create = bench.deps.runs.create;
    bench.deps.runs.create = async (run, alongside) => {
      bench.system.clock.advance(5_000);
      await bench.fill({ 'order-late': 1 }, 'order-late@1');
      bench.poison.clear();
      return create(run, alongside);
    };
    expect(await bench.go()).toMatchObject({ result: 'done', runs: [{ done: 30 }] });
    expect(await bench.letters('parked')).toMatchObject([{ streamId: 'order-late' }]);
  });

  it('of another operation, of another deployment, or of nobody is refused', async () => {
    const { bench } = await createFailed({});
    await expect(bench.ask({ action: 'start', planId: 'none', dryRun: false })).rejects.toMatchObject({
      code: 'UNKNOWN_PLAN',
    });
    const { plan } = await bench.ask({ action: 'redrive', selection: { consumer: 'billing' } });
    bench.deps.deployment = 'elsewhere';
    await expect(bench.ask({ action: 'start', planId: plan?.id, dryRun: false })).rejects.toMatchObject({
      code: 'PLAN_OF_ANOTHER_DEPLOYMENT',
    });
    expect(await bench.letters('parked')).toHaveLength(30);
  });

  it('of a discard counts what waits behind, not the events that are passed over', async () => {
    const { bench } = await createFailed({});
    const before = bench.effectsDone.length;
    const { plan, next } = await bench.ask({ action: 'discard', selection: { consumer: 'billing' }, reason: 'a test' });
    await bench.ask(JSON.parse(next as string));
    await bench.finish();
    expect(bench.effectsDone.length - before).toBe(plan?.totals.events);
    expect(await bench.letters('discarded')).toHaveLength(30);
  });

  it('lists what waits without planning anything', async () => {
    const { bench } = await createFailed({});
    const before = await bench.system.items('Recovery');
    const answer = await bench.ask({ action: 'list', selection: { consumer: 'billing' } });
    expect(answer).toMatchObject({ result: 'listed', count: 30, streams: 30 });
    expect(await bench.system.items('Recovery')).toEqual(before);
  });
});
