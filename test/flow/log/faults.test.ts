// The log's one write under what DynamoDB does to it: lost responses, conflicts, throttling, outages.

import { describe, expect, it } from '@jest/globals';
import { createLog } from '../../../lib/flow/log/log.ts';
import { transactionCancelled } from '../../../lib/platform/dynamodb/memory/errors.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { LOG_TABLE } from '../../../lib/platform/dynamodb/schemas.ts';
import { memoryEngine } from '../../support/engines.ts';
import { createTestWorld } from '../../support/world.ts';
import { entry, id, nothing, position, put } from './support.ts';

type Fault = (real: () => Promise<unknown>) => Promise<unknown>;

/** A log whose next transactions meet these faults, one each; then it works. */
async function logWithFaults(faults: Fault[]) {
  const tables = await memoryEngine.createTables([LOG_TABLE]);
  const calls = { transactWrite: 0 };
  const dynamo: Dynamo = {
    ...tables.dynamo,
    transactWrite: (input) => {
      calls.transactWrite += 1;
      const fault = faults.shift();
      const real = () => tables.dynamo.transactWrite(input);
      return (fault === undefined ? real() : fault(real)) as ReturnType<Dynamo['transactWrite']>;
    },
  };
  const log = createLog({ dynamo, logTable: LOG_TABLE.name, world: tables.world });
  const rival = createLog({ dynamo: tables.dynamo, logTable: LOG_TABLE.name, world: createTestWorld({ seed: 2 }) });
  return { log, rival, calls, world: tables.world };
}

const timeout = () => Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
const responseLost: Fault = async (real) => {
  await real();
  throw timeout();
};
const refusedWith =
  (...codes: string[]): Fault =>
  async () => {
    throw transactionCancelled(codes.map((Code) => ({ Code })));
  };
const one = { head: position(0), entries: [entry('a', 1)], expected: nothing, sequencedAt: 1 };

describe('sequencing under faults', () => {
  it('knows its own page again when the response of the transaction is lost', async () => {
    const { log, calls } = await logWithFaults([responseLost]);
    expect(await log.sequence(one)).toMatchObject({ kind: 'sequenced', page: { firstPosition: 1 } });
    expect(calls.transactWrite).toBe(2);
    expect(await log.head()).toBe(1);
  });

  it('knows its own page again when the cancellation does not carry it', async () => {
    const { log } = await logWithFaults([responseLost, refusedWith('None', 'ConditionalCheckFailed')]);
    expect(await log.sequence(one)).toMatchObject({ kind: 'sequenced' });
  });

  it('knows its own page again although others have gone on since', async () => {
    const { log, rival } = await logWithFaults([
      async (real) => {
        await real();
        await put(rival, [entry('b', 1)]);
        throw timeout();
      },
    ]);
    expect(await log.sequence(one)).toMatchObject({ kind: 'sequenced', page: { lastPosition: 1 } });
    expect(await log.head()).toBe(2);
  });

  it('does not take the page of a rival for its own', async () => {
    const { log, rival } = await logWithFaults([]);
    const winner = await put(rival, [entry('b', 1)]);
    expect(await log.sequence(one)).toEqual({ kind: 'lost-race', winner });
    expect(await log.directory([id('a')])).toEqual(new Map());
  });

  it('shows the page that won also when the cancellation does not carry it', async () => {
    const { log, rival } = await logWithFaults([refusedWith('None', 'ConditionalCheckFailed')]);
    const winner = await put(rival, [entry('b', 1)]);
    expect(await log.sequence(one)).toEqual({ kind: 'lost-race', winner });
  });

  it.each([['TransactionConflict'], ['ThrottlingError'], ['ProvisionedThroughputExceeded']])(
    'tries again after %s, with pauses',
    async (code) => {
      const { log, calls, world } = await logWithFaults([refusedWith(code, 'None'), refusedWith('None', code)]);
      expect(await log.sequence(one)).toMatchObject({ kind: 'sequenced' });
      expect(calls.transactWrite).toBe(3);
      expect(world.sleeps).toHaveLength(2);
    },
  );

  it('takes conflicts without end for a lost race, so that the caller looks again', async () => {
    const { log, calls } = await logWithFaults(Array.from({ length: 9 }, () => refusedWith('TransactionConflict')));
    expect(await log.sequence(one)).toEqual({ kind: 'lost-race' });
    expect(calls.transactWrite).toBe(5);
  });

  it('gives up after a bounded number of throttled tries', async () => {
    const { log, calls } = await logWithFaults(Array.from({ length: 9 }, () => refusedWith('ThrottlingError')));
    await expect(log.sequence(one)).rejects.toMatchObject({ name: 'TransactionCanceledException' });
    expect(calls.transactWrite).toBe(5);
  });

  it.each([['ValidationError'], ['ItemCollectionSizeLimitExceeded'], ['SomethingNew']])(
    'does not try again after %s',
    async (code) => {
      const { log, calls } = await logWithFaults([refusedWith(code)]);
      await expect(log.sequence(one)).rejects.toMatchObject({ name: 'TransactionCanceledException' });
      expect(calls.transactWrite).toBe(1);
    },
  );

  it('writes each stream and the page in one transaction of at most 100 writes', async () => {
    const tables = await memoryEngine.createTables([LOG_TABLE]);
    const sizes: number[] = [];
    const dynamo: Dynamo = {
      ...tables.dynamo,
      transactWrite: (input) => {
        sizes.push(input.TransactItems?.length ?? 0);
        return tables.dynamo.transactWrite(input);
      },
    };
    const log = createLog({ dynamo, logTable: LOG_TABLE.name, world: tables.world });
    await put(log, [entry('a', 1), entry('b', 1), entry('a', 2)]);
    await put(
      log,
      Array.from({ length: 99 }, (_, index) => entry(`stream-${index}`, 1)),
    );
    expect(sizes).toEqual([3, 100]);
  });
});
