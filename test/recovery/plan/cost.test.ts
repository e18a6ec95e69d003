// What a plan says that it will consume, against what is then consumed, request by request, on a quiet system: three named
// selections, for both kinds of consumers. What `react` writes is the consumer's own and not in it.

import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { createBench } from '../replay/support.ts';

const TOLERANCE = 0.1;

/** Every request in units, as the engine reports them; refused conditional writes are charged, too. */
function createMeter() {
  const units = { read: 0, write: 0 };
  const total = { ReturnConsumedCapacity: 'TOTAL' } as const;
  const sum = (consumed: ConsumedCapacity | ConsumedCapacity[] | undefined): number =>
    [consumed ?? []]
      .flat()
      .filter(({ TableName }) => TableName !== 'Effects')
      .reduce((all, { CapacityUnits = 0 }) => all + CapacityUnits, 0);
  const counted =
    <Input extends object, Output extends { ConsumedCapacity?: ConsumedCapacity | ConsumedCapacity[] }>(
      kind: 'read' | 'write',
      call: (input: Input) => Promise<Output>,
    ) =>
    async (input: Input): Promise<Output> => {
      try {
        const answer = await call({ ...input, ...total });
        units[kind] += sum(answer.ConsumedCapacity);
        return answer;
      } catch (error) {
        if (kind === 'write') units.write += 1;
        throw error;
      }
    };
  const wrap = (dynamo: Dynamo): Dynamo => ({
    get: counted('read', dynamo.get as never),
    query: counted('read', dynamo.query as never),
    scan: counted('read', dynamo.scan as never),
    batchGet: counted('read', dynamo.batchGet as never),
    put: counted('write', dynamo.put as never),
    update: counted('write', dynamo.update as never),
    delete: counted('write', dynamo.delete as never),
    batchWrite: counted('write', dynamo.batchWrite as never),
    transactWrite: counted('write', dynamo.transactWrite as never),
  });
  return { wrap, units };
}

const SELECTIONS = {
  'one customer': { streamPrefix: 'order-1' },
  'payments of the last quarter': { eventTypes: ['Paid'] },
  everything: { everything: true },
} as const;

async function createFilled(effects: 'transactional' | 'idempotent') {
  const meter = createMeter();
  const bench = await createBench({ effects, wrap: meter.wrap });
  const kinds = ['Placed', 'Paid', 'Other', 'Placed'];
  for (let stream = 0; stream < 24; stream += 1) {
    const length = 1 + ((stream * 7) % 30);
    await bench.system.append(
      `order-${stream}`,
      Array.from({ length }, (_, index) => kinds[index % 4] as string),
    );
  }
  return { meter, bench };
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
    const before = { ...meter.units };
    const { result, replay } = await bench.ask({ action: 'start', planId: plan?.id, dryRun: false });
    expect([result, replay?.events.done]).toEqual(['done', planned?.events]);
    const consumed = { read: meter.units.read - before.read, write: meter.units.write - before.write };
    const off = {
      read: Math.round((((planned?.readUnits ?? 0) - consumed.read) / consumed.read) * 1_000) / 1_000,
      write: Math.round((((planned?.writeUnits ?? 0) - consumed.write) / consumed.write) * 1_000) / 1_000,
    };
    expect(Math.abs(off.write)).toBeLessThanOrEqual(TOLERANCE);
    expect(Math.abs(off.read)).toBeLessThanOrEqual(TOLERANCE);
  });
});
