// The consumers as Lambda functions of the simulation: the real composition (parser, engine, stores) over the process's own
// view of the cloud, fed by a queue behind a rule of the bus, with a dead-letter queue behind it.

import { composeConsumer } from '../../../lib/flow/consumer/compose-consumer.ts';
import { checkDeclaration } from '../../../lib/flow/consumer/declaration.ts';
import { createWakeUps } from '../../../lib/flow/consumer/wake-ups.ts';
import { createRegistry } from '../../../lib/flow/registry/registry.ts';
import type { Position } from '../../../lib/model/ids.ts';
import { BUS_SOURCE, STREAM_MOVED } from '../../../lib/model/wake-up.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import { START_OF_TIME } from '../kernel/scheduler.ts';
import type { PlannedConsumer } from '../scenario/plan.ts';
import { createReact } from '../scenario/react.ts';
import { createQueueSender } from '../world/clients.ts';
import { createLambda, type InvocationContext, type LambdaFunction } from '../world/lambda.ts';
import { createQueue, type Queue } from '../world/queue.ts';
import { connectQueue, type QueueEvent } from '../world/queue-source.ts';
import type { Cloud } from './cloud.ts';

export const TABLES = {
  eventsTable: 'Events',
  logTable: 'Log',
  checkpointsTable: 'Checkpoints',
  deadLettersTable: 'DeadLetters',
  idempotencyTable: 'Idempotency',
  recoveryTable: 'Recovery',
};

export const queueUrlOf = (consumer: string): string =>
  `https://sqs.eu-central-1.amazonaws.com/000000000000/${consumer}`;

export interface RunningConsumer {
  name: string;
  queue: Queue;
  deadLetters: Queue;
  target: LambdaFunction<QueueEvent>;
}

export interface ConsumerSystem {
  /** By URL. */
  queues: ReadonlyMap<string, Queue>;
  running: readonly RunningConsumer[];
}

export function startConsumers(cloud: Cloud): ConsumerSystem {
  const queues = new Map<string, Queue>();
  const running: RunningConsumer[] = [];
  for (const consumer of cloud.plan.consumers) {
    register(cloud, consumer);
    running.push(startConsumer(cloud, consumer, queues));
  }
  return { queues, running };
}

/** What is still to come to a consumer: bodies in its queue and in the one behind it. */
export const aheadOf = ({ queue, deadLetters }: Pick<RunningConsumer, 'queue' | 'deadLetters'>): string[] => [
  ...queue.bodies(),
  ...deadLetters.bodies(),
];

const declarationOf = ({ name, effects, eventTypes, onPoison, maxAttempts, groupCommits }: PlannedConsumer) =>
  checkDeclaration({ name, effects, eventTypes, onPoison, maxAttempts, groupCommits });

/** As the deployment does it, before anything fails. */
function register(cloud: Cloud, consumer: PlannedConsumer): void {
  const registry = createRegistry({ dynamo: cloud.engine, checkpointsTable: TABLES.checkpointsTable });
  const { name } = consumer;
  const registration = {
    declaration: declarationOf(consumer),
    queueUrl: queueUrlOf(name),
    functionName: name,
    owner: 'simulation',
  };
  registry.register(registration, 0 as Position, START_OF_TIME).catch((error: unknown) => {
    cloud.violations.report('defect', `register ${name}: ${(error as Error).stack}`);
  });
}

function startConsumer(cloud: Cloud, consumer: PlannedConsumer, queues: Map<string, Queue>): RunningConsumer {
  const { scheduler, faults, trace, plan, bus } = cloud;
  const { seed } = plan;
  const { name, batchSize, maxConcurrency, batchWindowMs, maxReceiveCount, timeoutMs } = consumer;
  const target = createLambda<QueueEvent>(scheduler, faults, trace, {
    name,
    timeoutMs,
    seed,
    onStart: (process) => process.onKill(() => cloud.disturbances.noteEnd(process)),
    start: (process) => compose(cloud, consumer, process, queues),
  });
  const visibilityTimeoutMs = 6 * timeoutMs;
  const deadLetters = createQueue(scheduler, faults, trace, {
    name: `${name}-dead`,
    seed,
    visibilityTimeoutMs,
    maxReceiveCount,
  });
  const queue = createQueue(scheduler, faults, trace, {
    name,
    seed,
    visibilityTimeoutMs,
    maxReceiveCount,
    deadLetters,
  });
  queues.set(queueUrlOf(name), queue);
  connectQueue(cloud, queue, target, {
    batchSize,
    maxConcurrency,
    batchWindowMs,
    onDone: ({ body }) => cloud.checks.traces.onAcknowledged(name, body, () => aheadOf({ queue, deadLetters })),
  });
  bus.addRule({
    name,
    source: BUS_SOURCE,
    detailTypes: [...consumer.eventTypes, STREAM_MOVED],
    deliver: (envelope) => void queue.send(envelope),
    onDropped: () => undefined,
  });
  return { name, queue, deadLetters, target };
}

function compose(
  cloud: Cloud,
  consumer: PlannedConsumer,
  process: SimulatedProcess,
  queues: ReadonlyMap<string, Queue>,
): (event: QueueEvent, context: InvocationContext) => Promise<unknown> {
  const { call, faults } = cloud;
  const { name } = consumer;
  const { dynamo, serverClock } = cloud.reach(process);
  const handle = composeConsumer({
    declaration: declarationOf(consumer),
    react: reactOf(cloud, consumer, process),
    tables: TABLES,
    dynamo,
    wakeUps: createWakeUps({ sqs: createQueueSender({ process, call, faults }, queues), world: process.world }),
    queueUrl: queueUrlOf(name),
    markerTtlMs: cloud.plan.markerTtlMs,
    serverClock,
    world: process.world,
    logger: cloud.logger('consumer'),
    metrics: cloud.metrics('consumer'),
  });
  return (event, context) =>
    handle(event, { remainingMs: () => context.remainingMs(), requestId: context.awsRequestId });
}

function reactOf(cloud: Cloud, consumer: PlannedConsumer, process: SimulatedProcess) {
  const { plan, faults, call, checks } = cloud;
  const { name } = consumer;
  return createReact({
    seed: plan.seed,
    consumer,
    process,
    faults,
    call,
    effectsTable: 'Effects',
    countTry: ({ streamId, metadata }) => checks.countTry(name, streamId, metadata.version),
    onBegin: (event, context) => checks.onReact(name, event, context, process),
    onEffect: (effect, { at, markerWasCompleted }) =>
      checks.onEffect({ ...effect, begunAt: at, begunAfterCompletion: markerWasCompleted }),
    onFailure: ({ streamId, metadata }, times) => {
      cloud.disturbances.noteEnd(process);
      checks.onFailedTry(name, streamId, metadata.version, times);
    },
  });
}
