// What a plan says that it will consume, against what is then consumed, request by request, on a quiet system: three named
// selections, for both kinds of consumers. What `react` writes is the consumer's own and not in it.

import { describe, expect, it } from '@jest/globals';
import { type CountedDynamo, countUnits } from '../../../lib/platform/dynamodb/count-units.ts';
import type { ReplayAnswer } from '../../../lib/recovery/replay/answer.ts';
import { type Bench, createBench } from '../replay/support.ts';

const TOLERANCE = 0.1;

const SELECTIONS = {
  'one customer': { streamPrefix: 'order-1' },
  'payments of the last quarter': { eventTypes: ['Paid'] },
  everything: { everything: true },
} as const;

async function createFilled(effects: 'transactional' | 'idempotent') {
  let meter: CountedDynamo | undefined;
  const bench = await createBench({
    effects,
    wrap: (dynamo) => {
      meter = countUnits(dynamo, (table) => table !== 'Effects');
      return meter.dynamo;
    },
  });
  const kinds = ['Placed', 'Paid', 'Other', 'Placed'];
  for (let stream = 0; stream < 24; stream += 1) {
    const length = 1 + ((stream * 7) % 30);
    await bench.system.append(
      `order-${stream}`,
      Array.from({ length }, (_, index) => kinds[index % 4] as string),
    );
  }
  return { meter: meter as CountedDynamo, bench };
}

describe.each(['transactional', 'idempotent'] as const)('the units of a plan for a %s consumer', (effects) => {
  const cases = (['rewind', 'redeliver', 'resume'] as const).flatMap((mode) =>
    Object.entries(SELECTIONS).map(([name, selection]) => [mode, name, selection] as const),
  );
  it.each(cases)('to %s %s are within a tenth of what is then consumed', async (mode, _name, selection) => {
    const { meter, bench } = await createFilled(effects);
    if (mode === 'resume') await bench.system.settle(() => true);
    else for (let round = 0; round < 3; round += 1) await bench.system.settle();
    const { plan } = await bench.plan({ mode, selection });
    const off = await offOf(bench, meter, plan);
    expect(Math.abs(off.write)).toBeLessThanOrEqual(TOLERANCE);
    expect(Math.abs(off.read)).toBeLessThanOrEqual(TOLERANCE);
  });

  it.each(Object.entries(SELECTIONS))(
    'to resume %s without effects are within a tenth of what is then consumed',
    async (_name, selection) => {
      const { meter, bench } = await createFilled(effects);
      await bench.system.settle(() => true);
      const { plan } = await bench.plan({ mode: 'resume', selection, suppressEffects: true });
      const off = await offOf(bench, meter, plan);
      expect(Math.abs(off.write)).toBeLessThanOrEqual(TOLERANCE);
      expect(Math.abs(off.read)).toBeLessThanOrEqual(TOLERANCE);
      expect(bench.take()).toEqual([]);
    },
  );

  it.each([10, 100, 1_000])('are within a tenth at a rate of %d events per second, too', async (ratePerSecond) => {
    const { meter, bench } = await createFilled(effects);
    await bench.fill(Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`small-${index}`, 1])));
    const { plan } = await bench.plan({ mode: 'rewind', selection: { streamPrefix: 'small-' }, ratePerSecond });
    const off = await offOf(bench, meter, plan);
    expect(Math.abs(off.write)).toBeLessThanOrEqual(TOLERANCE);
    expect(Math.abs(off.read)).toBeLessThanOrEqual(TOLERANCE);
  });

  const lostOf = (streamId: string) => Number(streamId.slice('order-'.length)) % 3 === 0;
  it.each([
    ['everything', () => true, 0],
    ['a third of the streams', lostOf, 0],
    ['the last events of a third of the streams', lostOf, 4],
  ] as const)('to fill %s are within a tenth of what is then consumed', async (_name, isLost, tail) => {
    const { meter, bench } = await createFilled(effects);
    const { system } = bench;
    const streams = Array.from({ length: 24 }, (_, stream) => ({
      id: `order-${stream}`,
      length: 1 + ((stream * 7) % 30),
    }));
    if (tail === 0) await system.settle((entry) => isLost(entry.detail.streamId));
    for (let round = 0; round < 3; round += 1) await system.settle();
    for (const { id } of streams) await system.append(id, Array<string>(tail).fill('Paid'));
    await system.settle((entry) => isLost(entry.detail.streamId));
    for (const { id, length } of streams.filter(({ id }) => isLost(id))) {
      const [from, to] = tail === 0 ? [1, length] : [length + 1, length + tail];
      const gap = { consumer: 'inventory', streamId: id, from, to, reason: 'scan' } as never;
      await system.dynamo.transactWrite({ TransactItems: [bench.deps.openGaps.openWrite(gap, 0)] });
    }
    const { plan } = await bench.plan({ mode: 'fill', selection: {} });
    const off = await offOf(bench, meter, plan);
    expect(Math.abs(off.write)).toBeLessThanOrEqual(TOLERANCE);
    expect(Math.abs(off.read)).toBeLessThanOrEqual(TOLERANCE);
  });
});

/** Shares by which the plan is off, of what its replay consumes. */
async function offOf(bench: Bench, meter: CountedDynamo, plan: ReplayAnswer['plan']) {
  const { id = '', totals } = plan ?? {};
  expect(totals?.events).toBeGreaterThan(5);
  meter.take();
  const { result, replay } = await bench.ask({ action: 'start', planId: id, dryRun: false });
  expect([result, replay?.events.done]).toEqual(['done', totals?.events]);
  const consumed = meter.take();
  const share = (planned = 0, really: number) => Math.round(((planned - really) / really) * 1_000) / 1_000;
  return { read: share(totals?.readUnits, consumed.read), write: share(totals?.writeUnits, consumed.write) };
}
