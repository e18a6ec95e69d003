// The custom resource function as Lambda runs it: its own handler, with its environment, against DynamoDB Local and an
// HTTP server in the place of CloudFormation.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createLog } from '../../lib/flow/log/log.ts';
import { createRegistry } from '../../lib/flow/registry/registry.ts';
import { consumerName } from '../../lib/model/ids.ts';
import { createDynamo } from '../../lib/platform/dynamodb/client.ts';
import { CHECKPOINTS_TABLE, LOG_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import type { LambdaContext } from '../../lib/platform/lambda-context.ts';
import { entry, put } from '../flow/log/support.ts';
import { createLocalTables } from '../support/dynamodb-local.ts';
import { createTestWorld } from '../support/world.ts';

const saved = { ...process.env };
let server: Server;
let answers: Record<string, unknown>[];
let handler: (event: unknown, context: LambdaContext) => Promise<unknown>;

beforeAll(async () => {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_DYNAMODB: process.env.DYNAMODB_ENDPOINT,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'testRegisterConsumer',
    AWS_SECRET_ACCESS_KEY: 'secret',
    CHECKPOINTS_TABLE: CHECKPOINTS_TABLE.name,
    LOG_TABLE: LOG_TABLE.name,
    POWERTOOLS_SERVICE_NAME: 'register-consumer',
  });
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const client = new DynamoDBClient({});
  await createLocalTables(client, [CHECKPOINTS_TABLE, LOG_TABLE]);
  await put(createLog({ dynamo: createDynamo(client), logTable: LOG_TABLE.name, world: createTestWorld() }), [
    entry('a', 1, { count: 3 }),
  ]);
  client.destroy();
  answers = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      answers.push(JSON.parse(Buffer.concat(chunks).toString()));
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ handler } = await import('../../lambdas/register-consumer/handler.ts'));
});

afterAll(async () => {
  jest.restoreAllMocks();
  process.env = saved;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const invoke = (event: Record<string, unknown>) =>
  handler(
    {
      ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`,
      StackId: 'stack-1',
      RequestId: 'r-1',
      LogicalResourceId: 'Registration',
      ...event,
    },
    { functionName: 'register', awsRequestId: 'q-1', getRemainingTimeInMillis: () => 60_000 },
  );

const properties = {
  Declaration: JSON.stringify({
    name: 'inventory',
    eventTypes: ['OrderPlaced'],
    effects: 'transactional',
    startFrom: 'now',
  }),
  QueueUrl: 'https://sqs/inventory',
  FunctionName: 'inventory-fn',
  Owner: 'shop/Inventory',
};

describe('the register-consumer function', () => {
  it('registers from the head of the log, answers, and retires again', async () => {
    const client = new DynamoDBClient({});
    const registry = createRegistry({ dynamo: createDynamo(client), checkpointsTable: CHECKPOINTS_TABLE.name });
    await invoke({ RequestType: 'Create', ResourceProperties: properties });
    expect(answers.at(-1)).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: 'inventory',
      StackId: 'stack-1',
      RequestId: 'r-1',
      LogicalResourceId: 'Registration',
      Data: { StartPosition: '3' },
    });
    expect(await registry.get(consumerName('inventory'))).toMatchObject({ status: 'active', startPosition: 3 });
    await invoke({ RequestType: 'Delete', PhysicalResourceId: 'inventory', ResourceProperties: properties });
    expect(answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(await registry.get(consumerName('inventory'))).toMatchObject({ status: 'retired' });
    client.destroy();
  });

  it('answers FAILED to bad input instead of leaving the stack waiting', async () => {
    await invoke({ RequestType: 'Create', ResourceProperties: { ...properties, Declaration: '{}' } });
    expect(answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('INVALID_CONSUMER_NAME'),
    });
  });

  it('answers FAILED, naming the variable, when its environment is incomplete', async () => {
    delete process.env.LOG_TABLE;
    try {
      await invoke({ RequestType: 'Create', ResourceProperties: properties });
    } finally {
      process.env.LOG_TABLE = LOG_TABLE.name;
    }
    expect(answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringMatching(/^MISSING_ENVIRONMENT: .*LOG_TABLE/),
    });
  });
});
