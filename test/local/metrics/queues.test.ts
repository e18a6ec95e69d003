// Queues as the local CloudWatch sees them, and deliveries that a rule of the local bus gave up on.

import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createBuses } from '../../../lib/local/bus/buses.ts';
import { createDeliveryFaults } from '../../../lib/local/bus/delivery-faults.ts';
import { type MessagingEngine, startMessaging } from '../../../lib/local/engines/messaging.ts';
import { queueMinute } from '../../../lib/local/gateway/cloudwatch-service.ts';
import { createLocalMetrics } from '../../../lib/local/metrics/metrics.ts';

let messaging: MessagingEngine;
let sqs: SQSClient;

beforeAll(async () => {
  messaging = await startMessaging();
  sqs = new SQSClient({
    region: 'us-east-1',
    endpoint: messaging.url,
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
});
afterAll(async () => {
  sqs.destroy();
  await messaging.stop();
});

describe('a queue', () => {
  it('says how many messages wait and how old the oldest is, in flight or not, and looking changes nothing', async () => {
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'q' }));
    expect(await messaging.queueNow('q')).toEqual({ visible: 0, oldestAgeSeconds: 0 });
    for (const MessageBody of ['a', 'b']) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    expect(await messaging.queueNow('q')).toMatchObject({ visible: 2 });
    await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    for (let look = 0; look < 2; look += 1) expect(await messaging.queueNow('q')).toMatchObject({ visible: 1 });
    expect(await messaging.queueNow('none')).toBeUndefined();
  });

  it('is one point in the last minute that was asked for, and none when it does not exist', () => {
    const now = { visible: 3, oldestAgeSeconds: 70 };
    expect(queueMinute('ApproximateNumberOfMessagesVisible', now, { EndTime: 121 })).toEqual([[120, 3]]);
    expect(queueMinute('ApproximateAgeOfOldestMessage', now, { EndTime: 120 })).toEqual([[60, 70]]);
    expect(queueMinute('ApproximateAgeOfOldestMessage', undefined, { EndTime: 120 })).toEqual([]);
  });
});

describe('a rule', () => {
  it('counts what it gave up on, and what lies in the dead-letter queue for it', async () => {
    const metrics = createLocalMetrics(() => 0);
    const sent: string[] = [];
    const buses = createBuses({
      destinations: {
        send: async (arn) => {
          if (arn === 'arn:aws:sqs:x:1:q') throw new Error('no such queue');
          sent.push(arn);
        },
      },
      identities: { serviceDenied: () => undefined } as never,
      faults: createDeliveryFaults(),
      metrics,
    });
    buses.addBus('bus');
    const target = { Id: 't', Arn: 'arn:aws:sqs:x:1:q' };
    const rule = { arn: 'arn', busName: 'bus', enabled: true, pattern: { source: ['s'] } };
    buses.addRule({
      ...rule,
      name: 'with',
      targets: [{ ...target, DeadLetterConfig: { Arn: 'arn:aws:sqs:x:1:dlq' } }],
    } as never);
    buses.addRule({ ...rule, name: 'without', targets: [target] } as never);
    await buses.trigger('with');
    await buses.trigger('without');
    const of = (RuleName: string, name: string) =>
      metrics.minutes({ namespace: 'AWS/Events', name, dimensions: { RuleName, EventBusName: 'bus' } }, 'Sum');
    expect(sent).toEqual(['arn:aws:sqs:x:1:dlq']);
    expect([of('with', 'FailedInvocations'), of('with', 'InvocationsSentToDLQ')]).toEqual([[[0, 1]], [[0, 1]]]);
    expect([of('without', 'FailedInvocations'), of('without', 'InvocationsSentToDLQ')]).toEqual([[[0, 1]], []]);
  });
});
