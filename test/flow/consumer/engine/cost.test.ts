// What the bookkeeping costs, in write units by AWS's arithmetic: the goal is at most 3 per stream and batch for transactional
// consumers, and at most 2 plus 2 per event for idempotent ones.

import { describe, expect, it } from '@jest/globals';
import type { Dynamo } from '../../../../lib/platform/dynamodb/port.ts';
import { expectAllResolved } from './checks.ts';
import { range, System, type SystemOptions } from './system.ts';

interface Units {
  [table: string]: number;
}

/** Asks every request for its units and adds them up by table. */
function counting(units: Units): (dynamo: Dynamo) => Dynamo {
  const add = (consumed: { TableName?: string; CapacityUnits?: number } | undefined) => {
    const { TableName = '', CapacityUnits = 0 } = consumed ?? {};
    units[TableName] = (units[TableName] ?? 0) + CapacityUnits;
  };
  return (dynamo) => ({
    ...dynamo,
    update: async (input) => {
      try {
        const answer = await dynamo.update({ ...input, ReturnConsumedCapacity: 'TOTAL' });
        add(answer.ConsumedCapacity);
        return answer;
      } catch (error) {
        // A refused conditional write costs as much as a granted one (items below 1 KB).
        add({ TableName: input.TableName, CapacityUnits: 1 });
        throw error;
      }
    },
    transactWrite: async (input) => {
      const answer = await dynamo.transactWrite({ ...input, ReturnConsumedCapacity: 'TOTAL' });
      for (const one of answer.ConsumedCapacity ?? []) add(one);
      return answer;
    },
  });
}

async function unitsOf(
  options: SystemOptions,
  play: (system: System, units: Units) => Promise<void>,
): Promise<{ system: System; units: Units }> {
  const units: Units = {};
  const system = new System({ concurrency: 1, wrapDynamo: counting(units), ...options });
  await play(system, units);
  return { system, units };
}

const STREAM = `customer-${'7'.repeat(200)}`;

describe('write units', () => {
  it('of a transactional consumer: 3 for a stream of a batch with one event, whatever the length of its id', async () => {
    const { system, units } = await unitsOf({}, async (one) => {
      await one.append(STREAM, [1]);
      await one.deliver(STREAM, [1]);
      await one.untilQuiet();
    });
    await expectAllResolved(system, STREAM, 1);
    expect(units.Checkpoints).toBe(3);
  });

  it('of a transactional consumer that groups commits: 3 for a stream of a batch with ten events', async () => {
    const { system, units } = await unitsOf({ declaration: { groupCommits: true } }, async (one) => {
      await one.append('s', [10]);
      const engine = one.engine(one.startProcess(), {
        react: (event) => [{ Put: { TableName: 'Effects', Item: { pk: event.id } } }],
      });
      const message = { messageId: 'm', receiveCount: 1, body: await one.delivery('s', 10) };
      await one.time.run(engine.handleBatch([message], { remainingMs: () => 10_000, requestId: 'r' }));
    });
    await expectAllResolved(system, 's', 10);
    expect(units.Checkpoints).toBe(3);
  });

  it('of a transactional consumer without groups: 1 + 2 per event, because each is a transaction of its own', async () => {
    const { units } = await unitsOf({}, async (one) => {
      await one.append('s', [10]);
      await one.deliver('s', range(1, 10));
      await one.untilQuiet();
    });
    expect(units.Checkpoints).toBe(21);
  });

  it('of an idempotent consumer: 2 for a stream of a batch and 2 per event', async () => {
    const { system, units } = await unitsOf({ declaration: { effects: 'idempotent' } }, async (one) => {
      await one.append(STREAM, [10]);
      await one.deliver(STREAM, range(1, 10));
      await one.untilQuiet();
    });
    await expectAllResolved(system, STREAM, 10);
    expect(units).toMatchObject({ Checkpoints: 2, Idempotency: 20 });
  });

  it('of a duplicate: 1, and no lease', async () => {
    const { units } = await unitsOf({}, async (one, sofar) => {
      await one.append('s', [2]);
      await one.deliver('s', [2]);
      await one.untilQuiet();
      sofar.Checkpoints = 0;
      await one.deliver('s', [2]);
      await one.untilQuiet();
    });
    expect(units.Checkpoints).toBe(1);
  });

  it('of events that the consumer does not want: none each', async () => {
    const { system, units } = await unitsOf({}, async (one) => {
      await one.append('s', [40, 40, 1], () => 'SomethingElse');
      one.wakeUp('s', 81, 'stream-moved');
      await one.untilQuiet();
    });
    await expectAllResolved(system, 's', 81);
    expect(units.Checkpoints).toBe(2);
  });
});
