// The relay and its repair as Lambda functions of the simulation: the real code over each process's own view of tables and
// bus. The relay is fed by the DynamoDB stream and by its own wake-ups on the bus; the repair by what the stream's event
// source mapping gave up on and left in S3.

import { composeRelay } from '../../../lib/flow/relay/compose.ts';
import type { RelayDependencies } from '../../../lib/flow/relay/dependencies.ts';
import { handleRelayEvent } from '../../../lib/flow/relay/handle-event.ts';
import type { EventBridgeBus } from '../../../lib/flow/relay/put-events.ts';
import { createRelay } from '../../../lib/flow/relay/relay.ts';
import { failedBatchObject, repairFailedBatch } from '../../../lib/flow/relay/repair.ts';
import { BUS_SOURCE, RELAY_BACKFILL } from '../../../lib/model/wake-up.ts';
import type { MemoryStreamRecord } from '../../../lib/platform/dynamodb/memory/index.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import { createEventBridgeSender } from '../world/clients.ts';
import { createLambda, invokeAsync } from '../world/lambda.ts';
import { connectStream, type StreamSource } from '../world/stream-source.ts';
import type { Cloud } from './cloud.ts';
import { type Excuses, streamOfBody } from './excuses.ts';

const FAILURES_BUCKET = 'relay-failures';

export function startRelay(cloud: Cloud, excuses: Excuses): StreamSource {
  const { scheduler, faults, trace, plan, engine, bus } = cloud;
  const { seed, relay } = plan;
  const onStart = (process: SimulatedProcess): void => process.onKill(() => cloud.disturbances.noteEnd(process));
  const target = createLambda<unknown>(scheduler, faults, trace, {
    name: 'relay',
    timeoutMs: relay.timeoutMs,
    seed,
    onStart,
    start: (process) => {
      const running = createRelay(dependenciesOf(cloud, process));
      return (input, context) =>
        handleRelayEvent(running, input, { getRemainingTimeInMillis: () => context.remainingMs() });
    },
  });
  bus.addRule({
    name: 'relay-backfill',
    source: BUS_SOURCE,
    detailTypes: [RELAY_BACKFILL],
    deliver: (envelope) =>
      invokeAsync(scheduler, target, JSON.parse(envelope), () => {
        excuses.addBackfill(streamOfBody(envelope), 'a backfill was given up');
      }),
    onDropped: (envelope) => excuses.addBackfill(streamOfBody(envelope), 'a backfill was dropped'),
  });
  const keyOf = ({ dynamodb: { Keys } }: MemoryStreamRecord): [string, number] => [
    Keys.streamId?.S ?? '?',
    Number(Keys.version?.N),
  ];
  const excuse = (why: string) => (record: MemoryStreamRecord) => excuses.addRecord(...keyOf(record), why);
  const repair = createRepair(cloud, onStart);
  return connectStream<MemoryStreamRecord>(scheduler, faults, trace, target, {
    seed,
    batchSize: relay.batchSize,
    batchWindowMs: 0,
    maxRetries: relay.maxRetries,
    read: (after, limit) =>
      engine.streamRecords('Events', after, limit).map((record) => ({
        record,
        writtenAt: record.dynamodb.ApproximateCreationDateTime * 1_000,
      })),
    onFailure: (records) => repair(records, () => records.forEach(excuse('a repair of the relay was given up'))),
    onTrimmed: excuse('a stream record was trimmed'),
    onDone: (record) => excuses.onRelayed(...keyOf(record)),
  });
}

function dependenciesOf(cloud: Cloud, process: SimulatedProcess): RelayDependencies {
  const { call, faults, bus, plan } = cloud;
  const { world } = process;
  const client = createEventBridgeSender({ process, call, faults }, bus) as unknown as EventBridgeBus['client'];
  const { batch, continuation } = plan.relay.backfillCommits;
  return {
    ...composeRelay({
      dynamo: cloud.reach(process).dynamo,
      eventsTable: 'Events',
      logTable: 'Log',
      world,
      logger: cloud.logger('relay'),
      metrics: cloud.metrics('relay'),
      publish: { client, busName: 'bus' },
    }),
    limits: { batch: { streamCommits: batch }, continuation: { commits: continuation, streamCommits: continuation } },
  };
}

/** S3 keeps what the mapping gave up on; its "Object Created" event invokes the repair, asynchronously. */
function createRepair(cloud: Cloud, onStart: (process: SimulatedProcess) => void) {
  const { scheduler, faults, trace, plan } = cloud;
  const objects = new Map<string, string>();
  const target = createLambda<unknown>(scheduler, faults, trace, {
    name: 'repair',
    timeoutMs: plan.relay.timeoutMs,
    seed: plan.seed,
    onStart,
    start: (process) => {
      const parts = dependenciesOf(cloud, process);
      const repair = {
        relay: createRelay(parts),
        failedBatches: { read: async ({ key }: { key: string }) => objects.get(key) ?? '' },
        incidents: parts.incidents,
        clock: process.world.clock,
        logger: cloud.logger('repair'),
      };
      return (input, context) =>
        repairFailedBatch(repair, failedBatchObject(input, FAILURES_BUCKET), {
          remainingMs: () => context.remainingMs(),
        });
    },
  });
  return (records: readonly MemoryStreamRecord[], onGivenUp: () => void): void => {
    const key = `aws/lambda/mapping/shard/${objects.size + 1}`;
    objects.set(
      key,
      JSON.stringify({
        requestContext: { condition: 'RetryAttemptsExhausted' },
        DDBStreamBatchInfo: { shardId: 'shard', batchSize: records.length },
        payload: JSON.stringify({ Records: records }),
      }),
    );
    invokeAsync(scheduler, target, { detail: { bucket: { name: FAILURES_BUCKET }, object: { key } } }, onGivenUp);
  };
}
