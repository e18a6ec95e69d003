// Relays on the memory engine for benchmarks, which publish nothing: publishing runs beside the sequencing of others and
// costs no write units of the log.

import { composeRelay } from '../../flow/relay/compose.ts';
import { createRelay, type Relay } from '../../flow/relay/relay.ts';
import type { World } from '../../platform/clock.ts';
import { createMemoryDynamo } from '../../platform/dynamodb/memory/index.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { EVENTS_TABLE, LOG_TABLE } from '../../platform/dynamodb/schemas.ts';
import { silentLogger } from '../../platform/logging.ts';
import { type RecordingMetrics, recordingMetrics } from '../../platform/metrics.ts';

export interface RelaysUnderTest {
  relays: Relay[];
  metrics: RecordingMetrics;
}

export function createRelays(world: World, count: number, wrap: (dynamo: Dynamo) => Dynamo): RelaysUnderTest {
  const dynamo = wrap(createMemoryDynamo({ clock: world.clock, tables: [EVENTS_TABLE, LOG_TABLE] }));
  const metrics = recordingMetrics();
  const relays = Array.from({ length: count }, () =>
    createRelay(
      composeRelay({
        dynamo,
        eventsTable: EVENTS_TABLE.name,
        logTable: LOG_TABLE.name,
        world,
        logger: silentLogger,
        metrics,
        publish: { bus: { publish: async () => ({ failed: [] }) }, continuations: { send: async () => undefined } },
      }),
    ),
  );
  return { relays, metrics };
}

/** False when the batch lost too many races and would be delivered again. */
export async function relay(one: Relay, records: readonly unknown[]): Promise<boolean> {
  const { failures } = await one.relayBatch(records, { remainingMs: () => 60_000 });
  const broken = failures.find(({ code }) => code !== 'LOG_CONTENDED');
  if (broken !== undefined) throw new Error(`the benchmark's batch failed: ${broken.code} ${broken.message}`);
  return failures.length === 0;
}
