// What a plan says that it will consume, against what is then consumed, request by request, on a quiet system: three named
// selections, for both kinds of consumers. What `react` writes is the consumer's own and not in it.

import { describe, expect, it } from '@jest/globals';
import { type CountedDynamo, countUnits } from '../../../lib/platform/dynamodb/count-units.ts';
import { createBench } from '../replay/support.ts';

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
    const planned = plan?.totals;
    expect(planned?.events).toBeGreaterThan(5);
    meter.take();
    const { result, replay } = await bench.ask({ action: 'start', planId: plan?.id, dryRun: false });
    expect([result, replay?.events.done]).toEqual(['done', planned?.events]);
    const consumed = meter.take();
    const off = {
      read: Math.round((((planned?.readUnits ?? 0) - consumed.read) / consumed.read) * 1_000) / 1_000,
      write: Math.round((((planned?.writeUnits ?? 0) - consumed.write) / consumed.write) * 1_000) / 1_000,
    };
    expect(Math.abs(off.write)).toBeLessThanOrEqual(TOLERANCE);
    expect(Math.abs(off.read)).toBeLessThanOrEqual(TOLERANCE);
  });
});
