// Un-parking as a redrive does it: the event is tried again in its place, its row gets its end with it, a discarded event is
// passed without a react, and a second failure parks again on the same row.

import { describe, expect, it } from '@jest/globals';
import { streamId } from '../../../../lib/model/ids.ts';
import { expectAllResolved, expectSound } from './checks.ts';
import { range, System, type SystemOptions } from './system.ts';

const ID = 'inventory#1#3#s';

interface Poison {
  fails: boolean;
}

async function parked(poison: Poison, options: SystemOptions = {}): Promise<System> {
  const system = new System({
    concurrency: 2,
    react: ({ event }) => {
      if (event.metadata.version === 3 && poison.fails) throw new Error('poison');
      return undefined;
    },
    ...options,
    declaration: { maxAttempts: 2, ...options.declaration },
  });
  await system.append('s', [2, 3]);
  await system.deliver('s', range(1, 5));
  await system.untilQuiet();
  expect(await system.checkpoint('s')).toMatchObject({ version: 2, parked: { version: 3, deadLetterId: ID } });
  return system;
}

async function unpark(system: System, decision: 'retry' | 'discard'): Promise<void> {
  const key = { consumer: system.consumer, streamId: streamId('s') };
  const now = system.time.now();
  const to = decision === 'retry' ? 'redriving' : 'discarded';
  await system.dynamo.transactWrite({
    TransactItems: [
      system.checkpoints.unparkWrite(key, ID, now, decision),
      system.deadLetters.statusWrite(ID, ['parked'], to, now, { rounds: 1 }),
    ],
  });
  system.wakeUp('s', 3, 'redrive');
}

describe.each(['transactional', 'idempotent'] as const)('a parked stream of a %s consumer', (effects) => {
  it('goes on in order when the event succeeds now, and its row is resolved', async () => {
    const poison = { fails: true };
    const system = await parked(poison, { declaration: { effects } });
    await system.append('s', [1]);
    await system.deliver('s', [6]);
    await system.untilQuiet();
    poison.fails = false;
    await unpark(system, 'retry');
    await system.untilQuiet();
    await expectAllResolved(system, 's', 6);
    expect(await system.checkpoint('s')).not.toHaveProperty('redriving');
    expect(await system.deadLetters.get(ID)).toMatchObject({ status: 'resolved', rounds: 1 });
    if (effects === 'transactional') expect(system.applied('s')).toEqual(range(1, 6));
  });

  it('parks again on the same row when it still fails, with new tries and the rounds kept', async () => {
    const system = await parked({ fails: true }, { declaration: { effects } });
    const before = await system.deadLetters.get(ID);
    await unpark(system, 'retry');
    await system.untilQuiet();
    await expectSound(system, 's');
    expect(await system.checkpoint('s')).toMatchObject({ version: 2, parked: { version: 3, deadLetterId: ID } });
    const after = await system.deadLetters.get(ID);
    expect(after).toMatchObject({ status: 'parked', rounds: 1, attempts: 2, firstFailedAt: before?.firstFailedAt });
    expect(after?.lastFailedAt).toBeGreaterThan(before?.lastFailedAt as number);
    expect(after).not.toHaveProperty('previous');
    expect(system.metrics.total('ReactFailures')).toBe(4);
  });

  it('passes a discarded event without a react; the digest says so', async () => {
    const system = await parked({ fails: true }, { declaration: { effects } });
    await unpark(system, 'discard');
    await system.untilQuiet();
    await expectAllResolved(system, 's', 5);
    expect(await system.deadLetters.get(ID)).toMatchObject({ status: 'discarded', passedAs: 'discarded' });
    expect(system.metrics.total('ReactFailures')).toBe(2);
    if (effects === 'transactional') expect(system.applied('s')).toEqual([1, 2, 4, 5]);
  });

  it('goes on also when somebody changed the row meanwhile', async () => {
    const poison = { fails: true };
    const system = await parked(poison, { declaration: { effects } });
    poison.fails = false;
    await unpark(system, 'retry');
    const now = system.time.now();
    const change = system.deadLetters.statusWrite(ID, ['redriving'], 'discarded', now);
    await system.dynamo.transactWrite({ TransactItems: [change] });
    await system.untilQuiet();
    await expectAllResolved(system, 's', 5);
    expect(await system.deadLetters.get(ID)).toMatchObject({ status: 'discarded' });
    expect(system.logger.lines.map(({ message }) => message)).toContain('dead letter left as somebody else changed it');
  });

  it('is redriven through a crash between un-park and wake-up by whatever comes next', async () => {
    const poison = { fails: true };
    const system = await parked(poison, { declaration: { effects } });
    poison.fails = false;
    await unpark(system, 'retry');
    const lost = system.queue.receive(10, () => 0);
    system.queue.delete(lost.map(({ messageId }) => messageId));
    expect(system.queue.isEmpty).toBe(true);
    await system.deliver('s', [1]);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 5);
  });
});
