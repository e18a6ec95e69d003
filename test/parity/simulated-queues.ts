// The simulation's queue with its dead-letter queue, as the parity scenarios ask for them.

import { createQueue } from '../simulation/world/queue.ts';
import type { VirtualTime } from './virtual-time.ts';

interface QueuesSettings {
  visibilityTimeoutMs: number;
  /** Absent: nothing is given up, and no dead-letter queue is connected. */
  maxReceiveCount?: number;
}

export function openQueues(
  { scheduler, faults, trace }: VirtualTime,
  { visibilityTimeoutMs, maxReceiveCount }: QueuesSettings,
) {
  const common = { seed: 1, visibilityTimeoutMs };
  const never = Number.POSITIVE_INFINITY;
  const deadLetters = createQueue(scheduler, faults, trace, { ...common, name: 'dead', maxReceiveCount: never });
  const queue = createQueue(scheduler, faults, trace, {
    ...common,
    name: 'queue',
    maxReceiveCount: maxReceiveCount ?? never,
    ...(maxReceiveCount !== undefined && { deadLetters }),
  });
  return { queue, deadLetters };
}
