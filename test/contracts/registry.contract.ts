// What every registry must do, whatever engine is under it. Runs on the memory engine and on DynamoDB Local.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Registration, Registry } from '../../lib/flow/registry/port.ts';
import { createRegistry } from '../../lib/flow/registry/registry.ts';
import type { ConsumerDeclaration } from '../../lib/model/consumer.ts';
import { consumerName, type Position } from '../../lib/model/ids.ts';
import type { Dynamo } from '../../lib/platform/dynamodb/port.ts';
import { CHECKPOINTS_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import type { Engine, EngineTables } from '../support/engines.ts';

const checkpointsTable = CHECKPOINTS_TABLE.name;
const inventory = consumerName('inventory');
const at = (position: number) => position as Position;

const registration = (
  declaration: Partial<ConsumerDeclaration> = {},
  change: Partial<Registration> = {},
): Registration => ({
  declaration: {
    name: 'inventory',
    eventTypes: ['OrderPlaced', 'constructor'],
    effects: 'transactional',
    ...declaration,
  },
  queueUrl: 'https://sqs/inventory',
  functionName: 'inventory-fn',
  owner: 'shop/Inventory',
  ...change,
});

export function registryContract(engine: Engine): void {
  let tables: EngineTables;
  let registry: Registry;
  const over = (dynamo: Dynamo) => createRegistry({ dynamo, checkpointsTable });

  beforeEach(async () => {
    tables = await engine.createTables([CHECKPOINTS_TABLE]);
    registry = over(tables.dynamo);
  });
  afterEach(() => tables.close());

  describe('an empty registry', () => {
    it('knows nobody', async () => {
      expect(await registry.get(inventory)).toBeUndefined();
      expect(await registry.list()).toEqual([]);
    });

    it('lets an unknown consumer be retired and completed, and stays empty', async () => {
      await registry.retire(inventory, 'shop/Inventory', 1_000);
      await registry.completeBackfill(inventory, 5, 1_000);
      expect(await tables.items(checkpointsTable)).toEqual([]);
    });
  });

  describe('registering', () => {
    it('gives back what is read afterwards', async () => {
      const registered = await registry.register(registration(), at(500), 1_000);
      expect(registered).toEqual({
        name: 'inventory',
        eventTypes: { OrderPlaced: 0, constructor: 0 },
        effects: 'transactional',
        onPoison: 'park',
        startFrom: 'beginning',
        startPosition: 0,
        status: 'active',
        drill: false,
        verifiesEffects: false,
        queueUrl: 'https://sqs/inventory',
        functionName: 'inventory-fn',
        owner: 'shop/Inventory',
        registeredAt: 1_000,
        updatedAt: 1_000,
        format: 1,
      });
      expect(await registry.get(inventory)).toEqual(registered);
      expect(await registry.list()).toEqual([registered]);
    });

    it('stores one item under the registry’s key, with its format', async () => {
      await registry.register(registration(), at(500), 1_000);
      expect(await tables.items(checkpointsTable)).toMatchObject([{ pk: 'registry', sk: 'inventory', format: 1 }]);
    });

    it('again changes nothing, not even the item', async () => {
      const first = await registry.register(registration(), at(500), 1_000);
      const before = await tables.items(checkpointsTable);
      expect(await registry.register(registration(), at(900), 2_000)).toEqual(first);
      expect(await tables.items(checkpointsTable)).toEqual(before);
    });

    it('keeps an added type’s position and its waiting backfill', async () => {
      await registry.register(registration(), at(500), 1_000);
      const added = registration({ eventTypes: ['OrderPlaced', 'constructor', 'toString'] });
      const registered = await registry.register(added, at(900), 2_000);
      expect(registered.eventTypes).toEqual({ OrderPlaced: 0, constructor: 0, toString: 900 });
      expect(registered.backfill).toEqual({
        eventTypes: ['toString'],
        untilPosition: 900,
        requestedAt: 2_000,
        requestedAtByType: { toString: 2_000 },
      });
      expect(await registry.get(inventory)).toEqual(registered);
    });

    it('gives types that can be looked up safely', async () => {
      await registry.register(registration(), at(500), 1_000);
      const types = (await registry.get(inventory))?.eventTypes as Record<string, unknown>;
      expect([types.constructor, types.toString, types.hasOwnProperty]).toEqual([0, undefined, undefined]);
    });

    it.each<[string, Registration, string]>([
      ['a bad declaration', registration({ eventTypes: [] }), 'NO_EVENT_TYPES'],
      ['a bad name', registration({ name: 'No' }), 'INVALID_CONSUMER_NAME'],
      ['no owner', registration({}, { owner: '' }), 'INVALID_REGISTRATION'],
      ['an endless queue URL', registration({}, { queueUrl: 'x'.repeat(2_049) }), 'INVALID_REGISTRATION'],
    ])('refuses %s and writes nothing', async (_what, bad, code) => {
      await expect(registry.register(bad, at(500), 1_000)).rejects.toMatchObject({ code, retryable: false });
      expect(await tables.items(checkpointsTable)).toEqual([]);
    });
  });

  describe('two owners of one name', () => {
    beforeEach(() => registry.register(registration(), at(500), 1_000));

    it('are refused while the first is active, and nothing changes', async () => {
      const before = await tables.items(checkpointsTable);
      const other = registration({}, { owner: 'other/Inventory' });
      await expect(registry.register(other, at(900), 2_000)).rejects.toMatchObject({
        code: 'CONSUMER_NAME_TAKEN',
        got: 'inventory',
        allowed: expect.stringContaining('shop/Inventory'),
      });
      await expect(registry.retire(inventory, 'other/Inventory', 2_000)).rejects.toMatchObject({
        code: 'CONSUMER_NAME_TAKEN',
      });
      expect(await tables.items(checkpointsTable)).toEqual(before);
    });

    it('may follow one another, once the first has retired', async () => {
      await registry.retire(inventory, 'shop/Inventory', 2_000);
      expect(await registry.get(inventory)).toMatchObject({ status: 'retired', updatedAt: 2_000 });
      const back = await registry.register(registration({}, { owner: 'other/Inventory' }), at(900), 3_000);
      expect(back).toMatchObject({
        status: 'active',
        owner: 'other/Inventory',
        startPosition: 0,
        registeredAt: 1_000,
        eventTypes: { OrderPlaced: 0 },
      });
      expect(back.backfill).toBeUndefined();
    });

    it('that register at the same moment: one wins, the other is told so', async () => {
      const fresh = (owner: string) => registry.register(registration({ name: 'mailer' }, { owner }), at(5), 1_000);
      const results = await Promise.allSettled(['a', 'b', 'c'].map(fresh));
      const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
      expect(refused).toEqual(['CONSUMER_NAME_TAKEN', 'CONSUMER_NAME_TAKEN']);
    });
  });

  describe('changes at the same moment', () => {
    it('of one owner are all kept', async () => {
      await registry.register(registration(), at(500), 1_000);
      const types = ['OrderPlaced', 'constructor', 'OrderRefunded'];
      await registry.register(registration({ eventTypes: types }), at(900), 2_000);
      await Promise.all([
        registry.completeBackfill(inventory, 2_000, 3_000),
        registry.register(registration({ eventTypes: types, onPoison: 'skip' }), at(950), 3_000),
      ]);
      const registered = await registry.get(inventory);
      expect(registered).toMatchObject({ onPoison: 'skip', eventTypes: { OrderRefunded: 0 } });
      expect(registered?.backfill).toBeUndefined();
    });

    it('that never come to an end are given up, retryably', async () => {
      await registry.register(registration(), at(500), 1_000);
      let revision = 100;
      const busy = over({
        ...tables.dynamo,
        get: async (input) => {
          const answer = await tables.dynamo.get(input);
          revision += 1;
          await tables.dynamo.put({ TableName: checkpointsTable, Item: { ...answer.Item, revision } });
          return answer;
        },
      });
      await expect(busy.retire(inventory, 'shop/Inventory', 2_000)).rejects.toMatchObject({
        code: 'REGISTRY_CONTENDED',
        retryable: true,
      });
      expect(await registry.get(inventory)).toMatchObject({ status: 'active' });
    });

    it('are recognised as one’s own when only the answer was lost', async () => {
      let lost = 0;
      const lossy = over({
        ...tables.dynamo,
        put: async (input) => {
          await tables.dynamo.put(input);
          if (lost++ === 0) return tables.dynamo.put(input);
          return {};
        },
      });
      const registered = await lossy.register(registration(), at(500), 1_000);
      expect(lost).toBe(1);
      expect(await registry.get(inventory)).toEqual(registered);
    });
  });

  describe('completing a backfill', () => {
    it('makes the added types apply from the beginning, once', async () => {
      await registry.register(registration(), at(500), 1_000);
      await registry.register(registration({ eventTypes: ['OrderPlaced', 'OrderRefunded'] }), at(900), 2_000);
      await registry.completeBackfill(inventory, 2_000, 3_000);
      const done = await registry.get(inventory);
      expect(done).toMatchObject({ eventTypes: { OrderPlaced: 0, OrderRefunded: 0 }, updatedAt: 3_000 });
      expect(done?.backfill).toBeUndefined();
      await registry.completeBackfill(inventory, 2_000, 4_000);
      expect(await registry.get(inventory)).toEqual(done);
    });
  });

  describe('reading', () => {
    it('lists active and retired consumers, and nothing else of the table', async () => {
      await registry.register(registration(), at(500), 1_000);
      await registry.register(registration({ name: 'mailer' }), at(500), 1_000);
      await registry.retire(inventory, 'shop/Inventory', 2_000);
      await tables.dynamo.put({
        TableName: checkpointsTable,
        Item: { pk: 'mailer#order-1', sk: 'checkpoint', version: 5, format: 1 },
      });
      expect((await registry.list()).map(({ name, status }) => `${name}: ${status}`)).toEqual([
        'inventory: retired',
        'mailer: active',
      ]);
    });

    it('goes on over pages', async () => {
      for (let i = 0; i < 5; i++) await registry.register(registration({ name: `consumer-${i}` }), at(0), 1_000);
      const paged = over({ ...tables.dynamo, query: (input) => tables.dynamo.query({ ...input, Limit: 2 }) });
      expect((await paged.list()).map(({ name }) => name)).toEqual([0, 1, 2, 3, 4].map((i) => `consumer-${i}`));
    });

    it('fails retryably on an entry that newer code wrote, and does not overwrite it', async () => {
      await registry.register(registration(), at(500), 1_000);
      const [item] = await tables.items(checkpointsTable);
      await tables.dynamo.put({ TableName: checkpointsTable, Item: { ...item, format: 2, shards: ['x'] } });
      const newer = { code: 'NEWER_FORMAT', retryable: true };
      await expect(registry.get(inventory)).rejects.toMatchObject(newer);
      await expect(registry.list()).rejects.toMatchObject(newer);
      await expect(registry.register(registration(), at(900), 2_000)).rejects.toMatchObject(newer);
      expect(await tables.items(checkpointsTable)).toMatchObject([{ format: 2, shards: ['x'] }]);
    });
  });
}
