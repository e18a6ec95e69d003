// What services call: checkpoint, gaps and recovery of one stream, over real clients. A delivery is lost on purpose.

import { GetQueueAttributesCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createEventRecovery, type EventRecovery } from '../../../lib/runtime.ts';
import { takeLocalClient } from '../../support/dynamodb-local.ts';
import { localEngineOn } from '../../support/engines.ts';
import { createSmallSystem, type SmallSystem, TABLES } from '../../support/small-system.ts';

const sqs = mockClient(SQSClient);
let system: SmallSystem;
let recovery: EventRecovery;

beforeEach(async () => {
  sqs.reset();
  const client = takeLocalClient();
  system = await createSmallSystem({ engine: localEngineOn(client) });
  await system.addConsumer({ name: 'inventory', eventTypes: ['Placed'], effects: 'idempotent' });
  sqs.on(GetQueueAttributesCommand).resolves({
    Attributes: {
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '0',
      ApproximateNumberOfMessagesDelayed: '0',
    },
  });
  sqs.on(SendMessageBatchCommand).callsFake(async ({ QueueUrl, Entries }) => {
    const messages = Entries.map(({ MessageBody }: { MessageBody: string }) => ({ message: JSON.parse(MessageBody) }));
    await system.wakeUps.send(QueueUrl, messages);
    return { Successful: Entries.map(({ Id }: { Id: string }) => ({ Id })), Failed: [] };
  });
  recovery = createEventRecovery({ ...TABLES, client, sqs: new SQSClient({}) });
});
afterEach(() => system.close());

describe('the recovery of one stream', () => {
  it('sees a lost delivery as a gap behind the checkpoint, and has the consumer catch up', async () => {
    await system.append('order-1', ['Placed', 'Placed']);
    await system.settle();
    await system.append('order-1', ['Placed']);
    await system.settle(() => true);

    expect(await recovery.getCheckpoint('inventory', 'order-1')).toBe(2);
    expect(await recovery.detectGaps('inventory', 'order-1')).toEqual([{ start: 3, end: 3, count: 1 }]);
    expect(await recovery.recoverConsumer('inventory', 'order-1')).toEqual({
      consumerId: 'inventory',
      streamId: 'order-1',
      fromPosition: 2,
      toPosition: 3,
      missedEvents: 1,
      status: 'ready_for_replay',
    });

    await system.settle();
    expect(await recovery.getCheckpoint('inventory', 'order-1')).toBe(3);
    expect(await recovery.detectGaps('inventory', 'order-1')).toEqual([]);
    expect(await recovery.recoverConsumer('inventory', 'order-1')).toMatchObject({ status: 'up_to_date' });
    expect(sqs.commandCalls(SendMessageBatchCommand)).toHaveLength(1);
  });

  it('has no checkpoint before the first event, and refuses names that cannot be', async () => {
    expect(await recovery.getCheckpoint('inventory', 'order-9')).toBe(0);
    await expect(recovery.getCheckpoint('Inventory', 'order-9')).rejects.toMatchObject({
      code: 'INVALID_CONSUMER_NAME',
    });
    await expect(recovery.detectGaps('nobody', 'order-9')).rejects.toMatchObject({ code: 'UNKNOWN_CONSUMER' });
  });
});
