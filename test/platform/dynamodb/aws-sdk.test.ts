// What the AWS SDK hands back, by aws-sdk-client-mock: throttles, timeouts, lost answers, unprocessed keys and items, every
// cancellation reason; each through the functions that stores use.

import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  ProvisionedThroughputExceededException,
  ThrottlingException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { batchGetAll, batchWriteAll } from '../../../lib/platform/dynamodb/batches.ts';
import { createDynamo } from '../../../lib/platform/dynamodb/client.ts';
import { cancellation } from '../../../lib/platform/dynamodb/failures.ts';
import { queryAll } from '../../../lib/platform/dynamodb/pages.ts';
import { withRetries } from '../../../lib/platform/dynamodb/with-retries.ts';
import { retry } from '../../../lib/platform/retry.ts';
import { createTestWorld } from '../../support/world.ts';

const sdk = mockClient(DynamoDBDocumentClient);
const dynamo = createDynamo(new DynamoDBClient({ region: 'eu-central-1' }));
const plain = { message: 'x', $metadata: {} };
const timeout = Object.assign(new Error('socket timed out'), { name: 'TimeoutError' });
const TableName = 'T';
const Item = { pk: 'a' };

beforeEach(() => {
  sdk.reset();
});
afterAll(() => sdk.restore());

const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({ ...plain, CancellationReasons: codes.map((Code) => ({ Code })) });

describe('with retries', () => {
  it.each([
    ['a throttled table', new ProvisionedThroughputExceededException(plain)],
    ['a throttled account', new ThrottlingException(plain)],
    ['a conflict with a transaction', new TransactionConflictException(plain)],
  ])('a put gets past %s', async (_, error) => {
    const world = createTestWorld();
    sdk.on(PutCommand).rejectsOnce(error).rejectsOnce(error).resolves({});
    await withRetries(dynamo, world).put({ TableName, Item });
    expect(sdk.commandCalls(PutCommand)).toHaveLength(3);
    expect(world.sleeps).toHaveLength(2);
  });

  it.each([
    ['TransactionConflict', 2],
    ['ThrottlingError', 2],
    ['ProvisionedThroughputExceeded', 2],
    ['ConditionalCheckFailed', 1],
    ['ValidationError', 1],
    ['ItemCollectionSizeLimitExceeded', 1],
    ['DuplicateItem', 1],
    ['AccessDenied', 1],
  ])('a transaction cancelled by %s is sent %i times', async (code, times) => {
    sdk.on(TransactWriteCommand).rejectsOnce(cancelled('None', code)).resolves({});
    const sent = withRetries(dynamo, createTestWorld()).transactWrite({
      TransactItems: [{ Put: { TableName, Item } }],
    });
    if (times === 1) await expect(sent).rejects.toMatchObject({ name: 'TransactionCanceledException' });
    else await sent;
    expect(sdk.commandCalls(TransactWriteCommand)).toHaveLength(times);
  });

  it('what may have happened is not repeated blindly', async () => {
    sdk.on(PutCommand).rejects(timeout);
    await expect(withRetries(dynamo, createTestWorld()).put({ TableName, Item })).rejects.toBe(timeout);
    expect(sdk.commandCalls(PutCommand)).toHaveLength(1);
  });

  it('a throttle that does not end is given up after five tries and less than a second', async () => {
    const world = createTestWorld();
    const error = new ThrottlingException(plain);
    sdk.on(GetCommand).rejects(error);
    await expect(withRetries(dynamo, world).get({ TableName, Key: Item })).rejects.toBe(error);
    expect(sdk.commandCalls(GetCommand)).toHaveLength(5);
    expect(world.sleeps.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(750);
  });

  it('a throttle that the SDK has waited for already is passed on at once', async () => {
    const error = new ThrottlingException({ ...plain, $metadata: { attempts: 3 } });
    sdk.on(GetCommand).rejects(error);
    await expect(withRetries(dynamo, createTestWorld()).get({ TableName, Key: Item })).rejects.toBe(error);
    expect(sdk.commandCalls(GetCommand)).toHaveLength(1);
  });

  it('every kind of request is covered', async () => {
    const error = new ThrottlingException(plain);
    sdk.onAnyCommand().rejectsOnce(error).resolves({});
    const covered = withRetries(dynamo, createTestWorld());
    const calls: [string, () => Promise<unknown>][] = [
      ['get', () => covered.get({ TableName, Key: Item })],
      ['put', () => covered.put({ TableName, Item })],
      ['update', () => covered.update({ TableName, Key: Item })],
      ['delete', () => covered.delete({ TableName, Key: Item })],
      ['query', () => covered.query({ TableName })],
      ['scan', () => covered.scan({ TableName })],
      ['batchGet', () => covered.batchGet({ RequestItems: {} })],
      ['batchWrite', () => covered.batchWrite({ RequestItems: {} })],
      ['transactWrite', () => covered.transactWrite({ TransactItems: [] })],
    ];
    expect(calls.map(([name]) => name).sort()).toEqual(Object.keys(dynamo).sort());
    for (const [, call] of calls) {
      sdk.reset();
      sdk.onAnyCommand().rejectsOnce(error).resolves({});
      await call();
      expect(sdk.calls()).toHaveLength(2);
    }
  });
});

describe('a lost answer', () => {
  it('of a conditional write is found out by its own condition', async () => {
    const world = createTestWorld();
    const winner = new ConditionalCheckFailedException({ ...plain, Item: { pk: { S: 'a' }, by: { S: 'me' } } });
    sdk.on(PutCommand).rejectsOnce(timeout).rejectsOnce(winner);
    const put = () =>
      dynamo.put({
        TableName,
        Item,
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
    await expect(retry(put, { attempts: 3, baseDelayMs: 10, maxDelayMs: 10, ...world })).rejects.toBe(winner);
    expect(sdk.commandCalls(PutCommand)).toHaveLength(2);
  });
});

describe('unprocessed', () => {
  it('keys are asked for again with the same options, after a pause', async () => {
    const world = createTestWorld();
    sdk
      .on(BatchGetCommand)
      .resolvesOnce({
        Responses: { [TableName]: [{ pk: 'a' }] },
        UnprocessedKeys: { [TableName]: { Keys: [{ pk: 'b' }], ConsistentRead: true } },
      })
      .resolvesOnce({ Responses: { [TableName]: [{ pk: 'b' }] } });
    const found = await batchGetAll(dynamo, TableName, [{ pk: 'a' }, { pk: 'b' }], { ...world, ConsistentRead: true });
    expect(found).toEqual([{ pk: 'a' }, { pk: 'b' }]);
    const sent = sdk.commandCalls(BatchGetCommand).map(({ args: [{ input }] }) => input.RequestItems?.[TableName]);
    expect(sent).toEqual([
      { Keys: [{ pk: 'a' }, { pk: 'b' }], ConsistentRead: true },
      { Keys: [{ pk: 'b' }], ConsistentRead: true },
    ]);
    expect(world.sleeps).toHaveLength(1);
  });

  it('items are written again until none is left', async () => {
    const writes = [{ PutRequest: { Item: { pk: 'a' } } }, { DeleteRequest: { Key: { pk: 'b' } } }];
    sdk
      .on(BatchWriteCommand)
      .resolvesOnce({ UnprocessedItems: { [TableName]: writes } })
      .resolvesOnce({ UnprocessedItems: { [TableName]: writes.slice(1) } })
      .resolvesOnce({ UnprocessedItems: {} });
    await batchWriteAll(dynamo, TableName, writes, createTestWorld());
    const sent = sdk
      .commandCalls(BatchWriteCommand)
      .map(({ args: [{ input }] }) => input.RequestItems?.[TableName]?.length);
    expect(sent).toEqual([2, 2, 1]);
  });

  it('keys that never come end in a retryable error', async () => {
    sdk.on(BatchGetCommand).callsFake(({ RequestItems }) => ({ Responses: {}, UnprocessedKeys: RequestItems }));
    await expect(batchGetAll(dynamo, TableName, [{ pk: 'a' }], createTestWorld())).rejects.toMatchObject({
      code: 'BATCH_UNFINISHED',
      retryable: true,
    });
    expect(sdk.commandCalls(BatchGetCommand)).toHaveLength(8);
  });

  it('101 keys are two requests, 26 writes are two requests', async () => {
    sdk.on(BatchGetCommand).resolves({}).on(BatchWriteCommand).resolves({});
    const keys = Array.from({ length: 101 }, (_, i) => ({ pk: `p${i}` }));
    await batchGetAll(dynamo, TableName, keys, createTestWorld());
    await batchWriteAll(
      dynamo,
      TableName,
      keys.slice(0, 26).map((Item) => ({ PutRequest: { Item } })),
      createTestWorld(),
    );
    const reads = sdk
      .commandCalls(BatchGetCommand)
      .map(({ args: [{ input }] }) => input.RequestItems?.[TableName]?.Keys?.length);
    const writes = sdk
      .commandCalls(BatchWriteCommand)
      .map(({ args: [{ input }] }) => input.RequestItems?.[TableName]?.length);
    expect([reads, writes]).toEqual([
      [100, 1],
      [25, 1],
    ]);
  });
});

describe('an answer in pages', () => {
  it('ends only without LastEvaluatedKey, not at an empty page', async () => {
    sdk
      .on(QueryCommand)
      .resolvesOnce({ Items: [], LastEvaluatedKey: { pk: 'a' } })
      .resolvesOnce({ LastEvaluatedKey: { pk: 'b' } })
      .resolvesOnce({ Items: [{ pk: 'c' }] });
    const found: unknown[] = [];
    for await (const item of queryAll(dynamo, { TableName })) found.push(item);
    expect(found).toEqual([{ pk: 'c' }]);
    expect(sdk.commandCalls(QueryCommand).map(({ args: [{ input }] }) => input.ExclusiveStartKey)).toEqual([
      undefined,
      { pk: 'a' },
      { pk: 'b' },
    ]);
  });
});

describe('a cancelled transaction', () => {
  it('keeps the place of every reason', async () => {
    sdk.on(TransactWriteCommand).rejects(cancelled('None', 'ConditionalCheckFailed', 'TransactionConflict'));
    const error = await dynamo.transactWrite({ TransactItems: [] }).catch((caught) => caught);
    expect(cancellation(error)).toMatchObject({
      kind: 'refused',
      writes: [
        { index: 1, kind: 'refused' },
        { index: 2, kind: 'retryable' },
      ],
    });
  });
});
