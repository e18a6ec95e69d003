// The two engines behind the `Dynamo` port, for contract suites. A contract is `test/contracts/<port>.contract.ts`, exporting
// `(engine: Engine) => void`; `<port>.test.ts` runs it on `memoryEngine`, `<port>.dynamodb.test.ts` on `localEngine`.

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createDynamo } from '../../lib/platform/dynamodb/client.ts';
import { createMemoryDynamo, type MemoryStreamRecord } from '../../lib/platform/dynamodb/memory/index.ts';
import { scanAll } from '../../lib/platform/dynamodb/pages.ts';
import type { Dynamo } from '../../lib/platform/dynamodb/port.ts';
import type { TableSchema } from '../../lib/platform/dynamodb/table-schema.ts';
import { createLocalTables, returnLocalClient, takeLocalClient } from './dynamodb-local.ts';
import { readLocalStream } from './local-stream.ts';
import { createTestWorld, type TestWorld } from './world.ts';

/** Fresh tables that no other test sees. Their names are the schemas' names. */
export interface EngineTables {
  dynamo: Dynamo;
  /** Clock, timers, random numbers and ids for the code under test: virtual and seeded on both engines. */
  world: TestWorld;
  clock: TestWorld['clock'];
  /** Everything that a table holds, in no order. */
  items(table: string): Promise<Record<string, unknown>[]>;
  /** The DynamoDB stream's records after the first `skip`, as a Lambda function receives them. */
  streamRecords(table: string, skip?: number): Promise<MemoryStreamRecord[]>;
  /** Call it in `afterEach`, awaited: removes the tables, so that the next test can have the database. */
  close(): Promise<void>;
}

export interface Engine {
  name: 'memory' | 'DynamoDB Local';
  createTables(schemas: readonly TableSchema[]): Promise<EngineTables>;
}

export const memoryEngine: Engine = {
  name: 'memory',
  async createTables(schemas) {
    const world = createTestWorld();
    const dynamo = createMemoryDynamo({ clock: world.clock, tables: schemas });
    return {
      dynamo,
      world,
      clock: world.clock,
      items: async (table) => dynamo.items(table),
      streamRecords: async (table, skip = 0) => dynamo.streamRecords(table, skip),
      close: async () => {},
    };
  },
};

/** DynamoDB Local behind a client of the test's own, for code that is given a client. The test gives it back. */
export const localEngineOn = (client: DynamoDBClient): Engine => ({
  name: 'DynamoDB Local',
  async createTables(schemas) {
    const world = createTestWorld();
    await createLocalTables(client, schemas);
    const dynamo = createDynamo(client);
    return {
      dynamo,
      world,
      clock: world.clock,
      items: async (table) => {
        const items: Record<string, unknown>[] = [];
        for await (const item of scanAll(dynamo, { TableName: table, ConsistentRead: true })) items.push(item);
        return items;
      },
      streamRecords: (table, skip = 0) => readLocalStream(client, table, skip),
      close: () => returnLocalClient(client, schemas),
    };
  },
});

export const localEngine: Engine = {
  name: 'DynamoDB Local',
  createTables: (schemas) => localEngineOn(takeLocalClient()).createTables(schemas),
};
