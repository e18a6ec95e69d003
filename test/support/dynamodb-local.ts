// Tables on the DynamoDB Local that jest's global setup started. A test file has a database of its own (an access key id is
// one), and one more for each set of tables that a test holds at the same time. Databases are used again, because one keeps
// four threads and 8 ms of CPU a second for ever: 800 of them kept a core busy and everybody waiting.

import { randomBytes } from 'node:crypto';
import {
  type AttributeDefinition,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DynamoDBClient,
  type KeySchemaElement,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { KeyAttribute, TableSchema } from '../../lib/platform/dynamodb/table-schema.ts';

/** A client with a database of its own. Credentials of DynamoDB Local have letters and digits only. */
export function createLocalClient(): DynamoDBClient {
  const endpoint = process.env.DYNAMODB_ENDPOINT;
  if (!endpoint) throw new Error('DYNAMODB_ENDPOINT is not set: name the file *.dynamodb.test.ts');
  return new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: `test${randomBytes(8).toString('hex')}`, secretAccessKey: 'secret' },
    maxAttempts: 3,
  });
}

const free: DynamoDBClient[] = [];

/** A client whose database holds no table. Give it back with `returnLocalClient`. */
export const takeLocalClient = (): DynamoDBClient => free.pop() ?? createLocalClient();

/** Deletes the tables; the database is then free for the next test of this file. */
export async function returnLocalClient(client: DynamoDBClient, schemas: readonly TableSchema[]): Promise<void> {
  for (const { name } of schemas) await client.send(new DeleteTableCommand({ TableName: name }));
  free.push(client);
}

export async function createLocalTables(client: DynamoDBClient, schemas: readonly TableSchema[]): Promise<void> {
  for (const schema of schemas) {
    await client.send(new CreateTableCommand(toCreateTable(schema)));
    // A streamed table whose first record comes late is slow for ever: write one at once (docs/emulators.md).
    if (schema.stream) await prime(client, schema);
  }
}

/** Records that priming leaves at the beginning of a DynamoDB stream. */
export const PRIMING_RECORDS = 2;

async function prime(client: DynamoDBClient, schema: TableSchema): Promise<void> {
  const sample = { S: { S: 'priming' }, N: { N: '0' }, B: { B: new Uint8Array([0]) } };
  const Key = Object.fromEntries(keysOf(schema).map(({ name, type }) => [name, sample[type]]));
  await client.send(new PutItemCommand({ TableName: schema.name, Item: Key }));
  await client.send(new DeleteItemCommand({ TableName: schema.name, Key }));
}

const keysOf = ({ partitionKey, sortKey }: Pick<TableSchema, 'partitionKey' | 'sortKey'>): KeyAttribute[] =>
  sortKey ? [partitionKey, sortKey] : [partitionKey];

const keySchema = (schema: Pick<TableSchema, 'partitionKey' | 'sortKey'>): KeySchemaElement[] =>
  keysOf(schema).map(({ name }, i) => ({ AttributeName: name, KeyType: i === 0 ? 'HASH' : 'RANGE' }));

/** TTL is left off: DynamoDB Local would delete what is old by the machine's clock, and tests have clocks of their own. */
export function toCreateTable(schema: TableSchema): CreateTableCommand['input'] {
  const attributes = new Map<string, AttributeDefinition>();
  for (const source of [schema, ...(schema.indexes ?? [])]) {
    for (const { name, type } of keysOf(source)) attributes.set(name, { AttributeName: name, AttributeType: type });
  }
  return {
    TableName: schema.name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [...attributes.values()],
    KeySchema: keySchema(schema),
    ...(schema.indexes?.length && {
      GlobalSecondaryIndexes: schema.indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: keySchema(index),
        Projection: { ProjectionType: index.projection ?? 'ALL' },
      })),
    }),
    ...(schema.stream && { StreamSpecification: { StreamEnabled: true, StreamViewType: schema.stream } }),
  };
}
