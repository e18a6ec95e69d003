// The diagnosis's questions to AWS against the local services, over the same door and with the same clients as a function: every
// one has an answer, and what is wrong there is in it.

import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createBuses } from '../../../lib/local/bus/buses.ts';
import { createDeliveryFaults } from '../../../lib/local/bus/delivery-faults.ts';
import { type MessagingEngine, startMessaging } from '../../../lib/local/engines/messaging.ts';
import { cloudWatchService } from '../../../lib/local/gateway/cloudwatch-service.ts';
import { eventsService } from '../../../lib/local/gateway/events-service.ts';
import { type Gateway, startGateway } from '../../../lib/local/gateway/gateway.ts';
import { mappingReads } from '../../../lib/local/gateway/mapping-reads.ts';
import { createLocalMetrics } from '../../../lib/local/metrics/metrics.ts';
import { recordingLogger } from '../../../lib/platform/logging.ts';
import { createAwsSigns } from '../../../lib/recovery/recover/ask-aws.ts';

const arnOf = (queue: string): string => `arn:aws:sqs:us-east-1:000000000000:${queue}`;
const logger = recordingLogger();
let messaging: MessagingEngine;
let gateway: Gateway;
let sqs: SQSClient;
let s3: S3Client;
let clients: { destroy(): void }[];
let signs: ReturnType<typeof createAwsSigns>;
let queueUrl: string;
const metrics = createLocalMetrics(Date.now);

async function queue(QueueName: string, deadLetters?: string): Promise<string> {
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf(deadLetters ?? ''), maxReceiveCount: 3 });
  const Attributes = deadLetters === undefined ? {} : { RedrivePolicy };
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  return QueueUrl;
}

beforeAll(async () => {
  messaging = await startMessaging();
  const buses = createBuses({
    destinations: { send: async () => undefined },
    identities: {} as never,
    faults: createDeliveryFaults(),
    metrics,
  });
  buses.addBus('bus');
  buses.addRule({
    name: 'rule',
    arn: 'arn',
    busName: 'bus',
    enabled: true,
    pattern: { source: ['s'] },
    targets: [{ Id: 't', Arn: arnOf('billing'), DeadLetterConfig: { Arn: arnOf('billing-undelivered') } }],
  } as never);
  const mapping = { id: 'm', functionName: 'billing-fn', sourceArn: arnOf('billing') };
  gateway = await startGateway({
    engines: { sqs: messaging, s3: messaging },
    services: {
      lambda: mappingReads(
        () => [mapping as never],
        async () => undefined,
      ),
      cloudwatch: cloudWatchService(() => [], metrics, messaging.queueNow),
      eventbridge: eventsService(buses),
    },
    callerOf: () => undefined,
    denied: () => undefined,
    faults: {} as never,
    internal: () => ({ status: 404, headers: {}, body: Buffer.alloc(0) }),
    answered: (_call, reply) => reply,
    refused: () => undefined,
  });
  const config = {
    region: 'us-east-1',
    endpoint: gateway.url,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  sqs = new SQSClient(config);
  s3 = new S3Client({ ...config, forcePathStyle: true });
  const [lambda, cloudWatch, events] = [
    new LambdaClient(config),
    new CloudWatchClient(config),
    new EventBridgeClient(config),
  ];
  clients = [sqs, s3, lambda, cloudWatch, events];
  for (const name of ['billing-dlq', 'billing-undelivered', 'schedules']) await queue(name);
  queueUrl = await queue('billing', 'billing-dlq');
  await s3.send(new CreateBucketCommand({ Bucket: 'failures' }));
  signs = createAwsSigns({
    lambda,
    cloudWatch,
    events,
    sqs,
    s3,
    logger,
    busName: 'bus',
    relay: { functionName: 'relay', mappingId: 'm' },
    failuresBucket: 'failures',
    deadLetterQueues: ['schedules'],
    tables: ['Events'],
    namespace: 'EventRecovery',
  });
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await gateway.stop();
  await messaging.stop();
});

const look = () => signs.look([{ name: 'billing', functionName: 'billing-fn', queueUrl } as never], Date.now());

describe('the diagnosis on the local system', () => {
  it('gets an answer to every question, and nothing is wrong', async () => {
    const { consumers, ...rest } = await look();
    // The mapping is none of the local ones, so nothing is said about its state.
    expect(rest.unanswered?.filter((what) => !what.includes('mapping'))).toEqual([]);
    expect(rest).toMatchObject({ relay: { failedBatches: 0, iteratorAgeMs: 0 }, deadLetterQueues: [] });
    expect(consumers.get('billing')).toMatchObject({ oldestMessageSeconds: 0, deadLetterQueueDepth: 0 });
  });

  it('sees messages in dead-letter queues, what a rule could not deliver, and the batches that the relay gave up on', async () => {
    for (const name of ['billing-dlq', 'schedules']) {
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl.replace(/billing$/, name), MessageBody: '{}' }));
    }
    await s3.send(new PutObjectCommand({ Bucket: 'failures', Key: 'aws/lambda/m/shard/record', Body: '{}' }));
    const { consumers, relay, deadLetterQueues } = await look();
    expect(consumers.get('billing')?.deadLetterQueueDepth).toBe(1);
    expect(deadLetterQueues).toEqual([{ queue: 'schedules', depth: 1 }]);
    expect(relay).toMatchObject({ failedBatches: 1 });
  });
});
