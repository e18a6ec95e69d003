// The simulation's mapping over the memory engine's DynamoDB stream.

import { createMemoryDynamo } from '../../../lib/platform/dynamodb/memory/index.ts';
import type { LambdaFunction } from '../../simulation/world/lambda.ts';
import { connectStream, type StreamEvent } from '../../simulation/world/stream-source.ts';
import type { Opened } from '../scenario.ts';
import { openVirtualTime } from '../virtual-time.ts';
import { type Outcome, type StreamRecord, type StreamSettings, type StreamSubject, TABLE, told } from './engine.ts';
import { write } from './write.ts';

/** Every retry is over by then, and nothing is trimmed yet. */
const RUN_MS = 60 * 60_000;
const INVOCATION_MS = 5;

export async function simulatedStream(settings: StreamSettings): Promise<Opened<StreamSubject>> {
  const time = await openVirtualTime();
  const { scheduler, faults, trace } = time;
  const dynamo = createMemoryDynamo({ clock: { now: scheduler.now }, tables: [TABLE] });
  return {
    subject: {
      async run(writes, script) {
        const outcome: Outcome = { batches: [], givenUp: [] };
        const target: LambdaFunction<StreamEvent<StreamRecord>> = {
          name: 'function',
          running: 0,
          ends: { returned: 0, failed: 0 },
          invoke({ Records }, onEnd) {
            outcome.batches.push(Records.map(told));
            const nth = outcome.batches.length;
            scheduler.after(INVOCATION_MS, () => {
              try {
                onEnd({ kind: 'returned', value: script(Records, nth) });
              } catch (error) {
                onEnd({ kind: 'failed', reason: String(error) });
              }
            });
          },
        };
        const source = connectStream<StreamRecord>(scheduler, faults, trace, target, {
          seed: 1,
          ...settings,
          batchWindowMs: 0,
          read: (after, limit) =>
            dynamo.streamRecords(TABLE.name, after, limit).map((record) => ({
              record: record as unknown as StreamRecord,
              writtenAt: scheduler.now(),
            })),
          onFailure: (records) => outcome.givenUp.push(...records.map(told)),
          onTrimmed: () => undefined,
          onDone: () => undefined,
        });
        for (const one of writes) await write(dynamo, one);
        source.notify();
        await time.pass(RUN_MS);
        return outcome;
      },
    },
  };
}
