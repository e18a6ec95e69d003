// Tables on a DynamoDB Local for a benchmark, in a database of their own, with the DynamoDB streams that the deployed
// ones have.

import { randomBytes } from 'node:crypto';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { createDynamoClient } from '../../platform/dynamodb/client.ts';
import type { TableSchema } from '../../platform/dynamodb/table-schema.ts';

/** A busy machine stands still for seconds: that is a slow round, and no reason to end without figures. */
const REQUEST_TIMEOUT_MS = 30_000;

/** A client whose database nobody else uses: DynamoDB Local keeps one for each access key id, or shares one. */
export const createBenchClient = (endpoint: string): DynamoDBClient =>
  createDynamoClient({
    endpoint,
    region: 'us-east-1',
    requestHandler: new NodeHttpHandler({ requestTimeout: REQUEST_TIMEOUT_MS, throwOnRequestTimeout: true }),
    credentials: { accessKeyId: `bench${randomBytes(8).toString('hex')}`, secretAccessKey: 'secret' },
  });

/** Creates the tables under names of this run and returns them by the schema's name. */
export async function createBenchTables(
  client: DynamoDBClient,
  schemas: readonly TableSchema[],
): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  const run = randomBytes(4).toString('hex');
  for (const schema of schemas) {
    const TableName = `${schema.name}-${run}`;
    const keys = schema.sortKey ? [schema.partitionKey, schema.sortKey] : [schema.partitionKey];
    await createOnce(client, {
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map(({ name, type }) => ({ AttributeName: name, AttributeType: type })),
      KeySchema: keys.map(({ name }, index) => ({ AttributeName: name, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
      ...(schema.stream && { StreamSpecification: { StreamEnabled: true, StreamViewType: schema.stream } }),
    });
    if (schema.stream) {
      // The first record of a stream must not come late, or every write stays slow (docs/emulators.md).
      const sample = { S: { S: 'priming' }, N: { N: '0' }, B: { B: new Uint8Array([0]) } };
      const Key = Object.fromEntries(keys.map(({ name, type }) => [name, sample[type]]));
      await client.send(new PutItemCommand({ TableName, Item: Key }));
      await client.send(new DeleteItemCommand({ TableName, Key }));
    }
    names.set(schema.name, TableName);
  }
  return names;
}

/** The name is this run's own: when the table is there already, the answer to an earlier try was lost. */
async function createOnce(client: DynamoDBClient, input: CreateTableCommandInput): Promise<void> {
  try {
    await client.send(new CreateTableCommand(input));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
}
