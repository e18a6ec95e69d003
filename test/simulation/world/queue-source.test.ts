// Two queues of one function: each has a mapping, and a limit, of its own.

import { expect, it } from '@jest/globals';
import { asMacrotask } from '../kernel/drain.ts';
import { createScheduler, START_OF_TIME } from '../kernel/scheduler.ts';
import { createTrace } from '../kernel/trace.ts';
import type { Faults } from './faults.ts';
import type { InvocationEnd, LambdaFunction } from './lambda.ts';
import { createQueue } from './queue.ts';
import { connectQueue, type QueueEvent } from './queue-source.ts';

it('a queue is polled although the function is at work for another one, also when it stays so', async () => {
  const taken: string[] = [];
  await asMacrotask((drain) => {
    const scheduler = createScheduler(drain);
    const trace = createTrace(scheduler.now, START_OF_TIME, false);
    const faults = { strikes: () => false } as unknown as Faults;
    const target = {
      name: 'intake',
      running: 0,
      invoke({ Records }: QueueEvent, onEnd: (end: InvocationEnd) => void) {
        target.running += 1;
        taken.push(...Records.map(({ body }) => body));
        // The first queue's message keeps it at work for a day.
        const takesMs = Records[0]?.body === 'slow' ? 86_400_000 : 10;
        scheduler.after(takesMs, () => {
          target.running -= 1;
          onEnd({ kind: 'returned', value: undefined });
        });
      },
    };
    const queueOf = (name: string) => {
      const queue = createQueue(scheduler, faults, trace, {
        name,
        seed: 1,
        visibilityTimeoutMs: 100_000_000,
        maxReceiveCount: 3,
      });
      connectQueue({ scheduler, trace, faults }, queue, target as unknown as LambdaFunction<QueueEvent>, {
        batchSize: 1,
        maxConcurrency: 1,
        batchWindowMs: 0,
        onDone: () => undefined,
      });
      return queue;
    };
    const [first, second] = [queueOf('first'), queueOf('second')];
    first.send('slow');
    scheduler.after(5, () => second.send('a'));
    scheduler.after(6, () => second.send('b'));
    scheduler.run({ until: START_OF_TIME + 60_000, maxSteps: 1_000 });
    expect(second.size).toBe(0);
  });
  expect(taken).toEqual(['slow', 'a', 'b']);
});
