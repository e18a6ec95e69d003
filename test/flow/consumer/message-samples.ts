// Messages as the relay, EventBridge and the recovery functions write them.

import type { EventDetail, QueueMessage } from '../../../lib/model/wake-up.ts';

export const eventDetail = (change: Partial<EventDetail> = {}): EventDetail => ({
  format: 1,
  streamId: 'order-1',
  version: 7,
  position: 1_007,
  commitHash: 'ab'.repeat(32),
  commitVersion: 6,
  id: 'e-7',
  type: 'OrderPlaced',
  data: { sku: 'A-1', quantity: 2 },
  timestamp: '2026-01-02T03:04:05.678Z',
  correlationId: 'checkout-42',
  causationId: 'command-9',
  ...change,
});

/** EventBridge's envelope, as an SQS target receives it. */
export const envelope = (detail: unknown, detailType = 'OrderPlaced', change: Record<string, unknown> = {}) => ({
  version: '0',
  id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
  'detail-type': detailType,
  source: 'event-recovery',
  account: '111122223333',
  time: '2026-01-02T03:04:06Z',
  region: 'eu-central-1',
  resources: [],
  detail,
  ...change,
});

export const wakeUp = (change: Record<string, unknown> = {}): QueueMessage =>
  ({
    format: 1,
    kind: 'wake-up',
    consumer: 'inventory',
    streamId: 'order-1',
    version: 7,
    hops: 2,
    reason: 'continue',
    ...change,
  }) as QueueMessage;

export const redeliver = (change: Record<string, unknown> = {}): QueueMessage =>
  ({
    format: 1,
    kind: 'redeliver',
    consumer: 'inventory',
    streamId: 'order-1',
    versions: [3, 5, 7],
    replayId: 'replay-1',
    hops: 0,
    ...change,
  }) as QueueMessage;

export const sqsRecord = (body: unknown, messageId = 'm-1') => ({
  messageId,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  attributes: { ApproximateReceiveCount: '2' },
});
