// The dead-letter intake and the redrive as they are deployed: their handlers, roles, queues and schedules in the local system.

import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type LocalSystem, startLocalSystem } from '../../lib/local/index.ts';
import { runDrill } from '../../lib/recovery/drill/run-drill.ts';
import { poisonMessage } from '../../lib/recovery/drill/scenarios/poison-message.ts';
import { waitUntil } from '../../lib/recovery/drill/wait-until.ts';
import { orders } from '../../lib/recovery/drill/workloads/orders.ts';
import { createRetries } from '../../lib/runtime.ts';

let system: LocalSystem;
let sqs: SQSClient;
let dynamodb: DynamoDBClient;

beforeAll(async () => {
  system = await startLocalSystem();
  sqs = new SQSClient(system.clientConfig);
  dynamodb = new DynamoDBClient(system.clientConfig);
}, 180_000);
afterAll(async () => {
  sqs?.destroy();
  dynamodb?.destroy();
  await system?.stop();
});

const output = (name: string): string => system.outputs[name] as string;
const send = (queueOutput: string, body: unknown) =>
  sqs.send(new SendMessageCommand({ QueueUrl: output(queueOutput), MessageBody: JSON.stringify(body) }));

async function rows(table: string): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for await (const { Items = [] } of paginateScan(
    { client: dynamodb },
    { TableName: output(table), ConsistentRead: true },
  )) {
    found.push(...Items.map((item) => unmarshall(item)));
  }
  return found;
}

/** The kept message with this in its body, once its queue is empty. */
const kept = (queueOutput: string, part: string) =>
  waitUntil(`the message ${part} to be kept`, async () => {
    const row = (await rows('RecoveryTableName')).find(
      ({ pk, body }) => pk === 'undeliverable' && String(body).includes(part),
    );
    const queue = (await system.queues()).find(({ url }) => url === output(queueOutput));
    return row !== undefined && queue?.waiting === 0 && queue.inFlight === 0 ? row : undefined;
  });

const gaveUp = (functionName: string, payload: object) => ({
  version: '1.0',
  requestContext: {
    functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}:$LATEST`,
    condition: 'RetriesExhausted',
  },
  requestPayload: payload,
  responsePayload: { errorType: 'Error', errorMessage: 'broken' },
});

describe('the deployed functions', () => {
  it('park, tell once, give back and resolve a poison message', async () => {
    const { scenarios } = await runDrill({
      system,
      workload: orders,
      scenarios: [poisonMessage],
      seed: 1,
      events: 40,
      runId: 'fn',
      progress: () => undefined,
    });
    expect(scenarios[0]).toMatchObject({ problems: [], lost: 0, doubled: 0, reordered: 0, parked: 0 });
    expect(scenarios[0]?.facts).toMatchObject({ alerts: { expected: 2, published: 2 }, redriven: 2 });
    const audited = (await rows('RecoveryTableName')).filter(({ pk }) => String(pk).startsWith('audit#'));
    expect(audited.map(({ action, requestedBy }) => [action, requestedBy])).toContainEqual(['redrive', 'drill']);
  }, 240_000);

  it.each([
    [
      'InventoryDeadLetterQueueUrl',
      { format: 1, kind: 'wake-up', consumer: 'inventory', streamId: 7, mark: 'no-stream' },
    ],
    ['ScanGapsDeadLetterQueueUrl', gaveUp('scan', { mark: 'scan' })],
    ['RedriveDeadLettersDeadLetterQueueUrl', gaveUp('redrive', { mark: 'redrive' })],
    ['RelayRepairDeadLetterQueueUrl', gaveUp('repair', { mark: 'repair' })],
    ['RelayBackfillDeadLetterQueueUrl', gaveUp('relay', { mark: 'backfill' })],
  ])('keep what comes into %s', async (queue, message) => {
    await send(queue, message);
    const mark = JSON.stringify(message).match(/"mark":"[a-z-]+"/)?.[0] as string;
    expect(await kept(queue, mark)).toMatchObject({ body: JSON.stringify(message), parts: 1 });
  });

  it('wake the consumer for a wake-up that its queue gave up on', async () => {
    const lost = system.faults.bus({ kind: 'drop' });
    const data = { orderId: 'o-1', customerId: 'ada', sku: 'tea', quantity: 1 };
    await system.eventStore.append('counter-intake', [{ id: 'placed-o-1', type: 'OrderPlaced', data }], 'no-stream');
    await lost.whenFired({ count: 2 });
    lost.remove();
    const wakeUp = {
      format: 1,
      kind: 'wake-up',
      consumer: 'inventory',
      streamId: 'counter-intake',
      version: 1,
      hops: 0,
      reason: 'gap',
    };
    await send('InventoryDeadLetterQueueUrl', wakeUp);
    const isResolved = ({ pk, version }: Record<string, unknown>) => pk === 'inventory#counter-intake' && version === 1;
    await waitUntil('the event to be resolved', async () => (await rows('CheckpointsTableName')).find(isResolved), {
      timeoutMs: 90_000,
    });
  }, 120_000);

  it('answer retryEvent of a program', async () => {
    const client = new LambdaClient(system.clientConfig);
    const functionName = output('RedriveDeadLettersFunctionName');
    const retries = createRetries({ client, functionName, requestedBy: 'anna' });
    const [resolved] = (await rows('DeadLettersTableName')).filter(({ status }) => status === 'resolved');
    expect(await retries.retryEvent(String(resolved?.eventId))).toBe(0);
    await expect(retries.retryEvent('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_DEAD_LETTER' });
    client.destroy();
  });

  it.each([
    ['no action', {}, 'INVALID_INPUT'],
    ['an empty selection', { action: 'redrive', selection: {} }, 'EMPTY_SELECTION'],
    ['an unknown event', { action: 'redrive', selection: { eventId: 'nobody' } }, 'UNKNOWN_DEAD_LETTER'],
    ['an unknown consumer', { action: 'redrive', selection: { consumer: 'nobody' } }, 'UNKNOWN_CONSUMER'],
    ['an unknown run', { action: 'stop', runId: 'none', reason: 'x' }, 'UNKNOWN_RUN'],
  ])('answer a redrive with %s by its code', async (_what, input, code) => {
    expect(await system.invoke('RedriveDeadLetters', input)).toMatchObject({ error: { code, retryable: false } });
  });
});
