// The simulation's event source mapping and queue.

import type { LambdaFunction } from '../../simulation/world/lambda.ts';
import { connectQueue, type QueueEvent } from '../../simulation/world/queue-source.ts';
import type { Opened } from '../scenario.ts';
import { openQueues } from '../simulated-queues.ts';
import { openVirtualTime } from '../virtual-time.ts';
import { type Delivered, type MappingSettings, type MappingSubject, told, VISIBILITY_SECONDS } from './engine.ts';

/** Longer than every message needs to end one way or the other. */
const RUN_MS = 20_000;
const INVOCATION_MS = 5;

export async function simulatedMapping(settings: MappingSettings): Promise<Opened<MappingSubject>> {
  const { batchSize, maxReceiveCount } = settings;
  const time = await openVirtualTime();
  const { scheduler, faults, trace } = time;
  const { queue, deadLetters } = openQueues(time, { visibilityTimeoutMs: VISIBILITY_SECONDS * 1_000, maxReceiveCount });
  return {
    subject: {
      async run(bodies, script) {
        const batches: Delivered[][] = [];
        const target: LambdaFunction<QueueEvent> = {
          name: 'function',
          running: 0,
          ends: { returned: 0, failed: 0 },
          invoke({ Records }, onEnd) {
            const batch = Records.map(({ messageId, body, attributes }) => ({
              id: messageId,
              body,
              receiveCount: Number(attributes.ApproximateReceiveCount),
            }));
            batches.push(batch);
            const nth = batches.length;
            scheduler.after(INVOCATION_MS, () => {
              try {
                onEnd({ kind: 'returned', value: script(batch, nth) });
              } catch (error) {
                onEnd({ kind: 'failed', reason: String(error) });
              }
            });
          },
        };
        connectQueue({ scheduler, trace, faults }, queue, target, {
          batchSize,
          maxConcurrency: 1,
          batchWindowMs: 0,
          onDone: () => undefined,
        });
        for (const body of bodies) queue.send(body);
        await time.pass(RUN_MS);
        return { delivered: told(batches), left: queue.size, dead: deadLetters.bodies().sort() };
      },
    },
  };
}
