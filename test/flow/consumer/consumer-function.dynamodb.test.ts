// A consumer's own Lambda handler, as Lambda runs it: environment variables, AWS clients, Powertools, middy; against
// DynamoDB Local and a local SQS.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFauxqs } from 'fauxqs';
import { type DefinedConsumer, defineConsumer } from '../../../lib/flow/consumer/define-consumer.ts';
import type { React } from '../../../lib/flow/consumer/port.ts';
import { createEventStore } from '../../../lib/flow/event-store/event-store.ts';
import { createRegistry } from '../../../lib/flow/registry/registry.ts';
import type { Position } from '../../../lib/model/ids.ts';
import { createDynamo } from '../../../lib/platform/dynamodb/client.ts';
import { ALL_TABLES } from '../../../lib/platform/dynamodb/schemas.ts';
import { captureOutput } from '../../support/captured-output.ts';
import { createLocalTables } from '../../support/dynamodb-local.ts';
import { sqsRecord, wakeUp } from './message-samples.ts';

const ACCESS_KEY_ID = 'testConsumerFunction';
/** For the test's own requests, without the short timeouts of functions. It reads the same variables. */
const client = () => new DynamoDBClient({});
let sqsServer: Awaited<ReturnType<typeof startFauxqs>>;
let queueUrl: string;
let variables: Record<string, string>;
const output = captureOutput();
let streams = 0;

beforeAll(async () => {
  sqsServer = await startFauxqs({
    port: 0,
    logger: false,
    init: { region: 'us-east-1', queues: [{ name: 'inventory' }] },
  });
  variables = {
    AWS_ENDPOINT_URL_DYNAMODB: process.env.DYNAMODB_ENDPOINT as string,
    AWS_ENDPOINT_URL_SQS: sqsServer.address,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY: 'secret',
    EVENTS_TABLE: 'Events',
    LOG_TABLE: 'Log',
    CHECKPOINTS_TABLE: 'Checkpoints',
    DEAD_LETTERS_TABLE: 'DeadLetters',
    IDEMPOTENCY_TABLE: 'Idempotency',
    CONSUMER_NAME: 'inventory',
    MARKER_TTL_SECONDS: '1296000',
    LOG_LEVEL: 'DEBUG',
    POWERTOOLS_SERVICE_NAME: 'inventory',
    POWERTOOLS_METRICS_NAMESPACE: 'EventRecovery',
  };
  Object.assign(process.env, variables);
  const dynamoClient = client();
  await createLocalTables(dynamoClient, ALL_TABLES);
  queueUrl = `${sqsServer.address}/000000000000/inventory`;
  variables.QUEUE_URL = queueUrl;
  await createRegistry({ dynamo: createDynamo(dynamoClient), checkpointsTable: 'Checkpoints' }).register(
    {
      declaration: { name: 'inventory', eventTypes: ['OrderPlaced'], effects: 'transactional' },
      queueUrl,
      functionName: 'inventory-fn',
      owner: 'shop/Inventory',
    },
    0 as Position,
    1,
  );
  dynamoClient.destroy();
});
afterAll(() => sqsServer.stop());

beforeEach(() => {
  Object.assign(process.env, variables);
});

const inventory = (react: React): DefinedConsumer =>
  defineConsumer({ name: 'inventory', eventTypes: ['OrderPlaced'], effects: 'transactional', react });

const context = { awsRequestId: 'q-1', functionName: 'inventory-fn', getRemainingTimeInMillis: () => 10_000 };

/** A stream of its own with one order, and the wake-up that announces it. */
async function placedOrder() {
  streams += 1;
  const streamId = `order-${streams}`;
  const dynamoClient = client();
  await createEventStore({ client: dynamoClient, eventsTable: 'Events', logTable: 'Log' }).append(
    streamId,
    [{ id: 'e-1', type: 'OrderPlaced', data: { sku: 'A-1' } }],
    'no-stream',
    { correlationId: `checkout-${streams}` },
  );
  dynamoClient.destroy();
  return {
    streamId,
    event: { Records: [sqsRecord(wakeUp({ streamId, version: 1, hops: 0, correlationId: `checkout-${streams}` }))] },
  };
}

async function checkpointOf(streamId: string): Promise<Record<string, unknown> | undefined> {
  const dynamoClient = client();
  const { Item } = await createDynamo(dynamoClient).get({
    TableName: 'Checkpoints',
    Key: { pk: `inventory#${streamId}`, sk: 'checkpoint' },
    ConsistentRead: true,
  });
  dynamoClient.destroy();
  return Item;
}

describe('a consumer’s Lambda handler', () => {
  it('reacts, commits the writes with the checkpoint, and acknowledges', async () => {
    const { streamId, event } = await placedOrder();
    const { handler } = inventory((placed) => [
      {
        Put: {
          TableName: 'Recovery',
          Item: { pk: 'effect', sk: placed.streamId, sku: (placed.data as { sku: string }).sku },
        },
      },
    ]);
    expect(await handler(event, context)).toEqual({ batchItemFailures: [] });
    expect(await checkpointOf(streamId)).toMatchObject({ version: 1 });
    const dynamoClient = client();
    const { Item } = await createDynamo(dynamoClient).get({
      TableName: 'Recovery',
      Key: { pk: 'effect', sk: streamId },
    });
    dynamoClient.destroy();
    expect(Item).toMatchObject({ sku: 'A-1' });
  });

  it('writes lines with request id and correlation id, and its metrics', async () => {
    const { event, streamId } = await placedOrder();
    await inventory(() => []).handler(event, context);
    const lines = output.filter((line) => 'level' in line);
    expect(lines.length).toBeGreaterThanOrEqual(1);
    for (const line of lines) {
      expect(line).toMatchObject({
        service: 'inventory',
        function_request_id: 'q-1',
        consumer: 'inventory',
        correlationId: streamId.replace('order', 'checkout'),
      });
    }
    const metrics = output.filter((line) => '_aws' in line);
    expect(metrics).toContainEqual(expect.objectContaining({ consumer: 'inventory', EventsResolved: 1 }));
  });

  it('sends itself a delayed wake-up after a failure, through SQS', async () => {
    const { event, streamId } = await placedOrder();
    const { handler } = inventory(() => Promise.reject(new Error('out of stock')));
    expect(await handler(event, context)).toEqual({ batchItemFailures: [] });
    expect(await checkpointOf(streamId)).toMatchObject({ version: 0, attempting: { version: 1, count: 1 } });
    const sqs = new SQSClient({});
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['ApproximateNumberOfMessagesDelayed'] }),
    );
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, WaitTimeSeconds: 5 }));
    sqs.destroy();
    expect(Number(Attributes?.ApproximateNumberOfMessagesDelayed) + Messages.length).toBeGreaterThanOrEqual(1);
    expect(JSON.parse(Messages[0]?.Body ?? '{}')).toMatchObject({ kind: 'wake-up', reason: 'retry', streamId });
  });

  it('fails only the malformed record of a batch', async () => {
    const { event, streamId } = await placedOrder();
    const records = [...event.Records, sqsRecord('{', 'm-broken')];
    const { batchItemFailures } = await inventory(() => []).handler({ Records: records }, context);
    expect(batchItemFailures).toEqual([{ itemIdentifier: 'm-broken' }]);
    expect(await checkpointOf(streamId)).toMatchObject({ version: 1 });
  });

  it('says which variable is missing, and works as soon as it is there', async () => {
    const { event, streamId } = await placedOrder();
    const { handler } = inventory(() => []);
    delete process.env.IDEMPOTENCY_TABLE;
    await expect(handler(event, context)).rejects.toMatchObject({ code: 'MISSING_ENVIRONMENT' });
    process.env.IDEMPOTENCY_TABLE = 'Idempotency';
    expect(await handler(event, context)).toEqual({ batchItemFailures: [] });
    expect(await checkpointOf(streamId)).toMatchObject({ version: 1 });
  });

  it('refuses to work on the queue of another consumer', async () => {
    const { event } = await placedOrder();
    const mailer = defineConsumer({
      name: 'mailer',
      eventTypes: ['OrderPlaced'],
      effects: 'idempotent',
      react: () => undefined,
    });
    await expect(mailer.handler(event, context)).rejects.toMatchObject({ code: 'CONSUMER_NAME_DIFFERS' });
  });

  it('lets its messages come back while it is not registered', async () => {
    const { event } = await placedOrder();
    process.env.CONSUMER_NAME = 'mailer';
    const mailer = defineConsumer({
      name: 'mailer',
      eventTypes: ['OrderPlaced'],
      effects: 'idempotent',
      react: () => undefined,
    });
    const forMailer = {
      Records: event.Records.map((record) => ({ ...record, body: record.body.replace('"inventory"', '"mailer"') })),
    };
    expect(await mailer.handler(forMailer, context)).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-1' }] });
    expect(JSON.stringify(output)).toContain('CONSUMER_NOT_REGISTERED');
  });
});
