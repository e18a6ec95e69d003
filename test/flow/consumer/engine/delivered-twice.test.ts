// SQS may hand one message out twice at the same time, and one acknowledgement removes both. Found by the simulation
// (seeds 5143 and 5930): the second receiver met the lease of the first, acknowledged, and the first one died.

import { describe, expect, it } from '@jest/globals';
import { streamId, type Version } from '../../../../lib/model/ids.ts';
import { expectAllResolved } from './checks.ts';
import { System } from './system.ts';

const LEASE_MS = 10_000;

async function secondDelivery(receiveCount: number): Promise<{ system: System; sentOn: number }> {
  const system = new System();
  await system.append('s', [1, 1]);
  await system.deliver('s', [2]);
  const [message] = system.queue.receive(1, () => 0);
  if (message === undefined) throw new Error('nothing was received');
  // The first receiver: it takes the lease and dies without a word.
  await system.checkpoints.acquire({
    consumer: system.consumer,
    streamId: streamId('s'),
    owner: 'dead',
    wanted: 2 as Version,
    now: system.time.now(),
    leaseDurationMs: LEASE_MS,
    mode: 'shared',
    purpose: 'deliver',
    startVersion: 0 as Version,
  });
  const engine = system.engine(system.startProcess());
  const sentBefore = system.queue.sent.length;
  const batch = engine.handleBatch([{ ...message, receiveCount }], {
    remainingMs: () => LEASE_MS,
    requestId: 'second',
  });
  const { failedMessageIds } = (await system.time.run(batch)) as Awaited<typeof batch>;
  expect(failedMessageIds).toEqual([]);
  system.queue.delete([message.messageId]);
  return { system, sentOn: system.queue.sent.length - sentBefore };
}

describe('a message that SQS hands out twice', () => {
  it('leaves a wake-up behind when it meets the lease of its own first receiver, who dies', async () => {
    const { system, sentOn } = await secondDelivery(2);
    expect(sentOn).toBe(1);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 2);
  });

  it('costs nothing more when it comes for the first time: whoever holds the lease has a message of their own', async () => {
    const { sentOn } = await secondDelivery(1);
    expect(sentOn).toBe(0);
  });
});
