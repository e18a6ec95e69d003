// The simulation's queue.

import { createQueueSender } from '../../simulation/world/clients.ts';
import { createQueue } from '../../simulation/world/queue.ts';
import type { Opened } from '../scenario.ts';
import { openVirtualTime } from '../virtual-time.ts';
import type { QueueSettings, QueueSubject } from './engine.ts';

const URL = 'https://sqs/queue';

export async function simulatedQueue(settings: QueueSettings): Promise<Opened<QueueSubject>> {
  const { visibilitySeconds, maxReceiveCount } = settings;
  const time = await openVirtualTime();
  const { scheduler, faults, trace, process, call } = time;
  const common = { seed: 1, visibilityTimeoutMs: visibilitySeconds * 1_000 };
  const never = Number.POSITIVE_INFINITY;
  const deadLetters = createQueue(scheduler, faults, trace, { ...common, name: 'dead', maxReceiveCount: never });
  const queue = createQueue(scheduler, faults, trace, {
    ...common,
    name: 'queue',
    maxReceiveCount: maxReceiveCount ?? never,
    ...(maxReceiveCount !== undefined && { deadLetters }),
  });
  const received = (most: number) =>
    queue.receive(most).map(({ body, receiveCount, receiptHandle: handle }) => ({ body, receiveCount, handle }));
  return {
    subject: {
      send: async (body, delaySeconds = 0) => void queue.send(body, delaySeconds * 1_000),
      receive: async (most = 1) => received(most),
      remove: async (handle) => queue.delete(handle),
      dead: async () => deadLetters.receive(10).map(({ body }) => body),
      pass: (seconds) => time.pass(seconds * 1_000),
      client: createQueueSender({ process, call, faults }, new Map([[URL, queue]])),
      url: URL,
      world: process.world,
      until: time.until,
    },
  };
}
