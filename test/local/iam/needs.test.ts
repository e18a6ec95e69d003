import { describe, expect, it } from '@jest/globals';
import type { GatewayCall } from '../../../lib/local/gateway/gateway.ts';
import { needsOf } from '../../../lib/local/iam/needs.ts';

const tables = {
  partitionKey: (name: string) => (name === 'checkpoints' ? 'pk' : undefined),
  queueTags: (): Readonly<Record<string, string>> => ({}),
};
const arn = (service: string, resource: string): string => `arn:aws:${service}:us-east-1:000000000000:${resource}`;
const table = arn('dynamodb', 'table/checkpoints');

function needs(service: string, operation: string, body: unknown, path = '/') {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const call = {
    service,
    operation,
    path,
    method: 'POST',
    query: new URLSearchParams(),
    headers: {},
    body: Buffer.from(text),
    bodyText: () => text,
  };
  return needsOf(call as GatewayCall, tables).map(({ action, resource, context }) => {
    const { 'aws:securetransport': _, ...keys } = context ?? {};
    return { action, resource, keys };
  });
}

describe('what a request needs', () => {
  it('a write needs its own action on the table and tells its leading key', () => {
    const item = { TableName: 'checkpoints', Item: { pk: { S: 'inventory#1' } } };
    expect(needs('dynamodb', 'PutItem', item)).toEqual([
      { action: 'dynamodb:PutItem', resource: table, keys: { 'dynamodb:leadingkeys': ['inventory#1'] } },
    ]);
  });

  it('a transaction needs the action of every write in it', () => {
    const TransactItems = [
      { Put: { TableName: 'checkpoints', Item: { pk: { S: 'a' } } } },
      { Update: { TableName: 'checkpoints', Key: { pk: { S: 'b' } } } },
      { ConditionCheck: { TableName: 'checkpoints', Key: { pk: { S: 'c' } } } },
      { Delete: { TableName: 'checkpoints', Key: { pk: { S: 'd' } } } },
    ];
    const found = needs('dynamodb', 'TransactWriteItems', { TransactItems });
    expect(found.map((need) => need.action)).toEqual(
      ['PutItem', 'UpdateItem', 'ConditionCheckItem', 'DeleteItem'].map((name) => `dynamodb:${name}`),
    );
    expect(found[1]?.keys).toEqual({
      'dynamodb:leadingkeys': ['b'],
      'dynamodb:enclosingoperation': ['TransactWriteItems'],
    });
  });

  it('reads about a rule need the rule, by whichever name the operation calls it', () => {
    const rule = { resource: arn('events', 'rule/bus/r'), keys: {} };
    expect(needs('eventbridge', 'DescribeRule', { Name: 'r', EventBusName: 'bus' })).toEqual([
      { action: 'events:DescribeRule', ...rule },
    ]);
    expect(needs('eventbridge', 'ListTargetsByRule', { Rule: 'r', EventBusName: 'bus' })).toEqual([
      { action: 'events:ListTargetsByRule', ...rule },
    ]);
  });

  it('a restore needs its source, and to read and write its target', () => {
    const found = needs('dynamodb', 'RestoreTableToPointInTime', {
      SourceTableName: 'checkpoints',
      TargetTableName: 'side',
    });
    expect(found[0]).toMatchObject({ action: 'dynamodb:RestoreTableToPointInTime', resource: table });
    const target = found.slice(1);
    expect(target.every(({ resource }) => resource === arn('dynamodb', 'table/side'))).toBe(true);
    expect(target.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['dynamodb:BatchWriteItem', 'dynamodb:PutItem', 'dynamodb:Scan']),
    );
  });

  it('an export needs its table and to write below its prefix; looking at it needs the export', () => {
    const order = { TableArn: table, S3Bucket: 'b', S3Prefix: 'archive' };
    expect(
      needs('dynamodb', 'ExportTableToPointInTime', order).map(({ action, resource }) => [action, resource]),
    ).toEqual([
      ['dynamodb:ExportTableToPointInTime', table],
      ['s3:AbortMultipartUpload', 'arn:aws:s3:::b/archive/AWSDynamoDB/'],
      ['s3:PutObject', 'arn:aws:s3:::b/archive/AWSDynamoDB/'],
      ['s3:PutObjectAcl', 'arn:aws:s3:::b/archive/AWSDynamoDB/'],
    ]);
    expect(needs('dynamodb', 'DescribeExport', { ExportArn: `${table}/export/1` })).toMatchObject([
      { action: 'dynamodb:DescribeExport', resource: `${table}/export/1` },
    ]);
  });

  it('a query tells the key that it asks for, and an index is a resource of its own', () => {
    const query = {
      TableName: 'checkpoints',
      KeyConditionExpression: '#k = :k AND begins_with(sk, :s)',
      ExpressionAttributeNames: { '#k': 'pk' },
      ExpressionAttributeValues: { ':k': { S: 'inventory#1' }, ':s': { S: 'x' } },
    };
    expect(needs('dynamodb', 'Query', query)[0]?.keys).toEqual({ 'dynamodb:leadingkeys': ['inventory#1'] });
    expect(needs('dynamodb', 'Query', { ...query, IndexName: 'byType' })[0]?.resource).toBe(`${table}/index/byType`);
  });

  it('a batch needs the action of the batch, with all its keys', () => {
    const RequestItems = { checkpoints: { Keys: [{ pk: { S: 'a' } }, { pk: { S: 'b' } }] } };
    expect(needs('dynamodb', 'BatchGetItem', { RequestItems })).toEqual([
      { action: 'dynamodb:BatchGetItem', resource: table, keys: { 'dynamodb:leadingkeys': ['a', 'b'] } },
    ]);
    const writes = {
      checkpoints: [{ PutRequest: { Item: { pk: { S: 'a' } } } }, { DeleteRequest: { Key: { pk: { S: 'b' } } } }],
    };
    expect(needs('dynamodb', 'BatchWriteItem', { RequestItems: writes })[0]?.keys).toEqual({
      'dynamodb:leadingkeys': ['a', 'b'],
    });
  });

  it.each<[string, string, unknown, string, string, string]>([
    [
      'sqs',
      'SendMessageBatch',
      { QueueUrl: 'http://127.0.0.1:1/000000000000/q' },
      '/',
      'sqs:SendMessage',
      arn('sqs', 'q'),
    ],
    [
      'sns',
      'Publish',
      `Action=Publish&TopicArn=${encodeURIComponent(arn('sns', 't'))}`,
      '/',
      'sns:Publish',
      arn('sns', 't'),
    ],
    [
      'eventbridge',
      'PutEvents',
      { Entries: [{ EventBusName: 'b' }, { EventBusName: 'b' }] },
      '/',
      'events:PutEvents',
      arn('events', 'event-bus/b'),
    ],
    [
      'lambda',
      'Invoke',
      '{}',
      '/2015-03-31/functions/f/invocations',
      'lambda:InvokeFunction',
      arn('lambda', 'function:f'),
    ],
    ['s3', 'HeadObject', '', '/bucket/a/b%20c', 's3:GetObject', 'arn:aws:s3:::bucket/a/b c'],
    ['s3', 'ListObjectsV2', '', '/bucket', 's3:ListBucket', 'arn:aws:s3:::bucket'],
    ['ssm', 'GetParameter', { Name: '/a/b' }, '/', 'ssm:GetParameter', arn('ssm', 'parameter/a/b')],
  ])('%s %s', (service, operation, body, path, action, resource) => {
    expect(needs(service, operation, body, path)).toEqual([{ action, resource, keys: {} }]);
  });
});
