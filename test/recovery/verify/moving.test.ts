// A system that works while it is verified: between any two reads of the verifier something happens. That gives no false
// violation, and what is really wrong is found all the same.

import { describe, expect, it } from '@jest/globals';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import type { Verdict } from '../../../lib/recovery/verify/types.ts';
import { verify } from '../../../lib/recovery/verify/verify.ts';
import { createSmallSystem, type SmallSystem, TABLES } from '../../support/small-system.ts';
import { addInventory, order, STOCK } from './inventory.ts';

const tables = {
  events: TABLES.eventsTable,
  log: TABLES.logTable,
  checkpoints: TABLES.checkpointsTable,
  deadLetters: TABLES.deadLettersTable,
  recovery: TABLES.recoveryTable,
};

/** What may happen at any moment; each leaves the system in order. */
const HAPPENINGS: [what: string, happen: (system: SmallSystem) => Promise<unknown>][] = [
  [
    'orders arrive',
    async (system) => {
      await order(system, 'order-1', ['OrderPlaced']);
      await order(system, 'order-3', ['OrderPlaced']);
      await system.settle();
    },
  ],
  [
    'a commit is sequenced, and nobody has reacted yet',
    async (system) => {
      await order(system, 'order-1', ['OrderPlaced']);
      await system.relay();
    },
  ],
  [
    'a stream is parked',
    async (system) => {
      await order(system, 'order-1', [null, 'OrderPlaced']);
      await system.settle();
    },
  ],
  [
    'events are skipped',
    async (system) => {
      await order(system, 'order-2', [null, 'OrderPlaced']);
      await system.settle();
    },
  ],
];

async function createSystem(onPoison: 'park' | 'skip'): Promise<SmallSystem> {
  const system = await createSmallSystem({ ownTables: [STOCK] });
  await addInventory(system, { onPoison });
  await order(system, 'order-1', ['OrderPlaced', 'OrderPlaced']);
  await order(system, 'order-2', ['OrderPlaced', 'Other']);
  await system.settle();
  return system;
}

/** The verifier's engine: calls `before` ahead of each of its requests. */
function interrupted(dynamo: Dynamo, before: () => Promise<void>): Dynamo {
  return new Proxy(dynamo, {
    get: (target, name) => {
      const operation = Reflect.get(target, name);
      if (typeof operation !== 'function') return operation;
      return async (...input: unknown[]) => {
        await before();
        return operation.apply(target, input);
      };
    },
  });
}

async function verifyWhile(system: SmallSystem, before: (request: number) => Promise<void>) {
  let requests = 0;
  // Requests are made at the same time; what happens before them happens one after the other.
  let last: Promise<unknown> = Promise.resolve();
  const dynamo = interrupted(system.dynamo, () => {
    requests += 1;
    const mine = requests;
    const turn = last.then(() => before(mine));
    last = turn;
    return turn;
  });
  const verdict = await verify({ dynamo, tables, questions: system.questions }, { now: system.clock.now() });
  return { verdict, requests };
}

const effectsOf = ({ consumers }: Verdict) => consumers.find(({ consumer }) => consumer === 'inventory')?.effects;

describe('a verification of a system that moves', () => {
  it.each(HAPPENINGS)('says nothing false when %s between any two of its requests', async (_what, happen) => {
    const { requests } = await verifyWhile(await createSystem('skip'), async () => undefined);
    for (const onPoison of ['park', 'skip'] as const) {
      for (let at = 1; at <= requests; at += 1) {
        const system = await createSystem(onPoison);
        const { verdict } = await verifyWhile(system, async (request) => {
          if (request === at) await happen(system);
        });
        expect({ at, onPoison, violations: verdict.violations }).toEqual({ at, onPoison, violations: [] });
        expect(verdict.ok).toBe(true);
      }
    }
  });

  it('says nothing false of a stream that never stands still, and says that it did not', async () => {
    const system = await createSystem('park');
    const { verdict } = await verifyWhile(system, async () => {
      await order(system, 'order-1', ['OrderPlaced']);
      await system.settle();
    });
    expect(verdict).toMatchObject({ ok: true, violations: [] });
    expect(effectsOf(verdict)).toMatchObject({ status: 'verified', unsettled: 1 });
  });

  it('finds what is wrong with a stream that never stands still', async () => {
    const system = await createSystem('park');
    const movement = (await system.items(STOCK.name)).find(
      ({ pk, version }) => pk === 'movement#order-1' && version === 1,
    );
    await system.dynamo.delete({ TableName: STOCK.name, Key: { pk: movement?.pk, sk: movement?.sk } });
    const { verdict } = await verifyWhile(system, async () => {
      await order(system, 'order-1', ['OrderPlaced']);
      await system.settle();
    });
    expect(verdict.ok).toBe(false);
    expect(verdict.violations).toContainEqual(
      expect.objectContaining({ kind: 'effect', streamId: 'order-1', version: 1 }),
    );
  });

  it('finds a changed byte and a wrong digest of a stream that never stands still', async () => {
    const system = await createSystem('park');
    const key = { pk: 'inventory#order-1', sk: 'checkpoint' };
    const { Item } = await system.dynamo.get({ TableName: tables.checkpoints, Key: key });
    await system.dynamo.put({ TableName: tables.checkpoints, Item: { ...Item, resolvedDigest: 'f'.repeat(64) } });
    const { verdict } = await verifyWhile(system, async () => {
      await order(system, 'order-1', ['OrderPlaced']);
      await system.settle();
    });
    expect(verdict.violations).toContainEqual(expect.objectContaining({ kind: 'checkpoint-digest' }));
  });

  it('looks once more at a stream that moved in the second look, before its checkpoint was read or after it', async () => {
    const early = await createSystem('skip');
    let scans = 0;
    // The rows of dead letters are read, then another event is skipped, then the checkpoint is read.
    const dynamo: Dynamo = {
      ...early.dynamo,
      scan: async (request) => {
        const rows = await early.dynamo.scan(request);
        if (request.TableName !== tables.deadLetters || ++scans > 2) return rows;
        await order(early, 'order-2', [null, 'OrderPlaced']);
        await early.settle();
        return rows;
      },
    };
    const { questions } = early;
    expect((await verify({ dynamo, tables, questions }, { now: early.clock.now() })).violations).toEqual([]);
    expect(scans).toBe(3);

    const late = await createSystem('park');
    let asked = 0;
    const ask: typeof late.questions.ask = async (name, request) => {
      asked += request.whole ? 0 : 1;
      if (asked <= 2 && !request.whole) {
        await order(late, 'order-1', ['OrderPlaced']);
        await late.settle();
      }
      return late.questions.ask(name, request);
    };
    const input = { now: late.clock.now() };
    expect((await verify({ dynamo: late.dynamo, tables, questions: { ask } }, input)).violations).toEqual([]);
    expect(asked).toBe(3);
  });
});
