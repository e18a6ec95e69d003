// The simulation's queue.

import { createQueueSender } from '../../simulation/world/clients.ts';
import type { Opened } from '../scenario.ts';
import { openQueues } from '../simulated-queues.ts';
import { openVirtualTime } from '../virtual-time.ts';
import type { QueueSettings, QueueSubject } from './engine.ts';

const URL = 'https://sqs/queue';

export async function simulatedQueue(settings: QueueSettings): Promise<Opened<QueueSubject>> {
  const { visibilitySeconds, maxReceiveCount } = settings;
  const time = await openVirtualTime();
  const { faults, process, call } = time;
  const { queue, deadLetters } = openQueues(time, { visibilityTimeoutMs: visibilitySeconds * 1_000, maxReceiveCount });
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
