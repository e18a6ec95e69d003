// A DynamoDB Local that keeps its data is killed and started again: tables, items and streams are as they were, also for
// whoever was in the middle of reading a stream.

import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type DynamoDbEngine, startDynamoDb } from '../../../lib/local/engines/dynamodb.ts';
import { createStreamsClient } from '../../../lib/local/mappings/streams-client.ts';

let engine: DynamoDbEngine | undefined;
let client: DynamoDBClient | undefined;
afterEach(() => {
  client?.destroy();
  engine?.stop();
});

async function open(keepData: boolean): Promise<{ engine: DynamoDbEngine; client: DynamoDBClient }> {
  engine = await startDynamoDb({ keepData });
  client = new DynamoDBClient({
    endpoint: engine.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  return { engine, client };
}

const put = (db: DynamoDBClient, n: number) =>
  db.send(new PutItemCommand({ TableName: 'Table', Item: { pk: { S: `item-${n}` }, n: { N: String(n) } } }));

async function createTable(db: DynamoDBClient): Promise<string> {
  await db.send(
    new CreateTableCommand({
      TableName: 'Table',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    }),
  );
  const { Table } = await db.send(new DescribeTableCommand({ TableName: 'Table' }));
  return Table?.LatestStreamArn ?? '';
}

describe('a database that keeps its data', () => {
  it('has its items and its stream after a restart, and an iterator of before goes on where it stood', async () => {
    const { engine, client } = await open(true);
    const arn = await createTable(client);
    for (const n of [1, 2, 3]) await put(client, n);
    const streams = createStreamsClient(engine.url);
    const [shard] = await streams.shards(arn);
    const start = await streams.iterator(arn, shard?.ShardId ?? '', { ShardIteratorType: 'TRIM_HORIZON' });
    const before = await streams.records(start, 2);

    engine.pause();
    await engine.restart(100);

    const { Item } = await client.send(new GetItemCommand({ TableName: 'Table', Key: { pk: { S: 'item-2' } } }));
    expect(Item?.n?.N).toBe('2');
    await put(client, 4);
    expect((await streams.shards(arn)).map(({ ShardId }) => ShardId)).toEqual([shard?.ShardId]);
    const after = await streams.records(before.next ?? '', 10);
    const keys = [...before.records, ...after.records].map(({ dynamodb }) => dynamodb?.Keys);
    expect(keys).toEqual([1, 2, 3, 4].map((n) => ({ pk: { S: `item-${n}` } })));
  });

  it('leaves nothing behind when it ends', async () => {
    const { engine } = await open(true);
    const folder = engine.dataFolder ?? '';
    expect(existsSync(folder)).toBe(true);
    engine.stop();
    while (existsSync(folder)) await sleep(20);
  });
});

describe('a database in memory', () => {
  it('refuses a restart, and goes on with its data', async () => {
    const { engine, client } = await open(false);
    await createTable(client);
    await put(client, 1);
    await expect(engine.restart()).rejects.toMatchObject({ code: 'LOCAL_DATABASE_IN_MEMORY' });
    const { Item } = await client.send(new GetItemCommand({ TableName: 'Table', Key: { pk: { S: 'item-1' } } }));
    expect(Item?.n?.N).toBe('1');
  });
});
