// The restore as a Lambda function of the simulation: the real operation over each process's own view of the cloud. The state
// of a past point in time is the copy that was taken before the damage, in a side table as DynamoDB makes it.

import { createContinuations } from '../../../lib/flow/relay/bus.ts';
import type { EventBridgeBus } from '../../../lib/flow/relay/put-events.ts';
import { EVENTS_TABLE } from '../../../lib/platform/dynamodb/schemas.ts';
import { composeRestore } from '../../../lib/recovery/restore/compose.ts';
import type { PointInTime } from '../../../lib/recovery/restore/point-in-time.ts';
import { answerRestore } from '../../../lib/recovery/restore/restore.ts';
import type { Item } from '../invariants/change.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import { START_OF_TIME } from '../kernel/scheduler.ts';
import { createEventBridgeSender, createOtherCall } from '../world/clients.ts';
import { createLambda, type InvocationEnd } from '../world/lambda.ts';
import type { Cloud } from './cloud.ts';
import { TABLES } from './consumer-function.ts';

export interface RestoreSystem {
  /** As an operator or the schedule asks it. */
  ask(request: Record<string, unknown>, onEnd: (end: InvocationEnd) => void): void;
  /** Ends the process that was started last. */
  kill(): void;
}

/** A dead function's lease lasts as long. */
const TIMEOUT_MS = 100_000;
/** DynamoDB takes minutes; long enough to be looked at more than once. */
const CREATED_AFTER_MS = 5_000;
/** Commits of producers whose clocks are minutes slow are older than the run. */
const HOUR_MS = 3_600_000;
const NO_ARCHIVE = { read: async () => undefined, write: async () => undefined };

export function startRestore(cloud: Cloud, copy: () => readonly Item[]): RestoreSystem {
  const { scheduler, faults, trace, plan } = cloud;
  const sideTables = new Map<string, number>();
  let latest: SimulatedProcess | undefined;
  const target = createLambda<unknown>(scheduler, faults, trace, {
    name: 'restore',
    timeoutMs: TIMEOUT_MS,
    seed: plan.seed,
    onStart: (process) => {
      latest = process;
      process.onKill(() => cloud.disturbances.noteEnd(process));
    },
    start: (process) => {
      const deps = dependenciesOf(cloud, process, copy, sideTables);
      return (input, context) =>
        answerRestore(deps, input, { remainingMs: () => context.remainingMs(), requestId: context.awsRequestId });
    },
  });
  return {
    ask: (request, onEnd) => target.invoke(request, onEnd),
    kill: () => latest?.kill(),
  };
}

function dependenciesOf(
  cloud: Cloud,
  process: SimulatedProcess,
  copy: () => readonly Item[],
  sideTables: Map<string, number>,
) {
  const { call, faults, bus, engine, scheduler } = cloud;
  const { dynamo, serverClock } = cloud.reach(process);
  const options = { process, call, faults };
  const client = createEventBridgeSender(options, bus) as unknown as EventBridgeBus['client'];
  const otherCall = createOtherCall(options);
  const world = { ...process.world, clock: serverClock };
  const { stream: _, ...schema } = EVENTS_TABLE;
  const pointInTime: PointInTime = {
    window: () =>
      otherCall('describeContinuousBackups', () => ({ earliest: START_OF_TIME - HOUR_MS, latest: scheduler.now() })),
    restore: (name) =>
      otherCall('restoreTableToPointInTime', () => {
        if (sideTables.has(name)) return;
        sideTables.set(name, scheduler.now() + CREATED_AFTER_MS);
        engine.createTable({ ...schema, name });
        for (const item of copy()) engine.replaceItem(name, item);
      }),
    state: (name) =>
      otherCall('describeTable', () => {
        const readyAt = sideTables.get(name);
        if (readyAt === undefined) return 'absent';
        return readyAt <= scheduler.now() ? 'ready' : 'creating';
      }),
    drop: (name) => otherCall('deleteTable', () => void sideTables.delete(name)),
  };
  return composeRestore({
    ...TABLES,
    dynamo,
    objects: NO_ARCHIVE,
    pointInTime,
    continuations: createContinuations({ client, busName: 'bus', world }),
    world,
    logger: cloud.logger('restore'),
  });
}
