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

  it('costs nothing more when the lease belongs to another message', async () => {
    const system = new System();
    await system.append('s', [1, 1]);
    await system.deliver('s', [1, 2]);
    const [first, second] = system.queue.receive(2, () => 0);
    if (first === undefined || second === undefined) throw new Error('nothing was received');
    const dying = system.startProcess();
    const holder = system.engine(dying, { react: () => new Promise(() => undefined) });
    const stuck = holder.handleBatch([first], { ...invocation, remainingMs: () => LEASE_MS });
    const other = system.engine(system.startProcess()).handleBatch([second], invocation);
    await system.time.run(Promise.race([stuck, other]));
    expect(
      system.queue.sent.filter(
        ({ kind, ...body }) => kind === 'wake-up' && 'reason' in body && body.reason === 'continue',
      ),
    ).toEqual([]);
  });
});
