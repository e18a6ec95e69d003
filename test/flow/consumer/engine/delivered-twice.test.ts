// SQS may hand one message out twice at the same time, and one acknowledgement removes both. Found by the simulation
// (seeds 5143 and 5930): a receiver met the lease of the other receiver, acknowledged, and the other one died.

import { describe, expect, it } from '@jest/globals';
import { expectAllResolved } from './checks.ts';
import type { FaultPlan } from './process.ts';
import { System, type SystemOptions } from './system.ts';

const LEASE_MS = 10_000;
const invocation = { remainingMs: () => LEASE_MS, requestId: 'r' };

/** One message, received by two functions; the first one dies at its n-th request, then the second one begins. */
async function receivedTwice(dieAt: number, options: SystemOptions = {}): Promise<{ system: System; sent: number }> {
  const plan: FaultPlan = { at: (request) => (request === dieAt ? 'crash-before' : undefined) };
  const system = new System({ plan, ...options });
  await system.append('s', [1, 1]);
  await system.deliver('s', [2]);
  const [first] = system.queue.receive(
    1,
    () => 0,
    () => true,
  );
  const [second] = system.queue.receive(1, () => 0);
  if (first === undefined || second === undefined) throw new Error('it was not handed out twice');
  expect([first.messageId, first.receiveCount, second.receiveCount]).toEqual([second.messageId, 1, 2]);
  const dying = system.startProcess();
  await system.time.run(Promise.race([system.engine(dying).handleBatch([second], invocation), dying.dead]));
  const before = system.queue.sent.length;
  const other = system.engine(system.startProcess());
  expect(await system.time.run(other.handleBatch([first], invocation))).toEqual({ failedMessageIds: [] });
  // The acknowledgement of the one removes the other as well.
  system.queue.delete([first.messageId]);
  return { system, sent: system.queue.sent.length - before };
}

describe('a message that SQS hands out twice', () => {
  it('leaves a wake-up behind when it meets the lease of its other receiver, who dies', async () => {
    const { system, sent } = await receivedTwice(3);
    expect(sent).toBe(1);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 2);
  });

  it('leaves a wake-up behind when its other receiver dies between a failed try and the wake-up for the next one', async () => {
    let tries = 0;
    const react = () => {
      tries += 1;
      if (tries === 1) throw new Error('not yet');
      return undefined;
    };
    // Take the lease, read the store, release with the failed try; the fourth request would send the wake-up.
    const { system, sent } = await receivedTwice(4, { react });
    expect(await system.checkpoint('s')).toMatchObject({ version: 0, attempting: { version: 1, count: 1 } });
    expect(sent).toBe(1);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 2);
  });

  it('leaves one wake-up behind for all who meet the holder, whatever their messages', async () => {
    const system = new System();
    await system.append('s', [1, 1, 1, 1]);
    await system.deliver('s', [1, 2, 3, 4]);
    const received = system.queue.receive(4, () => 0);
    const [first, ...others] = received;
    if (first === undefined) throw new Error('nothing was received');
    const dying = system.startProcess();
    const stuck = system.engine(dying, { react: () => new Promise(() => undefined) }).handleBatch([first], invocation);
    const losing = async () => {
      for (const one of others) await system.engine(system.startProcess()).handleBatch([one], invocation);
    };
    await system.time.run(Promise.race([stuck, losing()]));
    dying.kill();
    // SQS forgets them all: the holder's own one was acknowledged by another receiver.
    system.queue.delete(received.map(({ messageId }) => messageId));
    expect(system.metrics.total('BackUps')).toBe(1);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 4);
  });

  it('is acknowledged by one receiver before the other one takes the lease and dies', async () => {
    const system = new System();
    await system.append('s', [1, 1]);
    await system.deliver('s', [1, 2]);
    const [holders] = system.queue.receive(1, () => 0);
    const [one] = system.queue.receive(
      1,
      () => 0,
      () => true,
    );
    const [other] = system.queue.receive(1, () => 0);
    if (holders === undefined || one === undefined || other === undefined) throw new Error('nothing was received');
    const working = system.startProcess();
    const holder = system
      .engine(working, { react: () => new Promise(() => undefined) })
      .handleBatch([holders], invocation);
    const loser = system.engine(system.startProcess()).handleBatch([one], invocation);
    await system.time.run(Promise.race([holder, loser]));
    // Acknowledged: the other receiver's message is gone while it waits for its turn.
    system.queue.delete([one.messageId]);
    working.kill();
    await system.time.run(system.time.world.timers.sleep(LEASE_MS + 3_000));
    const dying = system.startProcess();
    const next = system.engine(dying, {
      react: async () => {
        dying.kill();
        return new Promise(() => undefined);
      },
    });
    await system.time.run(Promise.race([next.handleBatch([other], invocation), dying.dead]));
    system.queue.delete([holders.messageId]);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 2);
  });
});
