// The upper floor as Lambda functions of the simulation: dead-letter intake behind the consumers' dead-letter queues, gap
// scan and announcements by schedule, redrive by an operator. The real operations over each process's own view of the cloud.

import { createWakeUps } from '../../../lib/flow/consumer/wake-ups.ts';
import type { EventBridgeBus } from '../../../lib/flow/relay/put-events.ts';
import type { World } from '../../../lib/platform/clock.ts';
import { composeIntake } from '../../../lib/recovery/dead-letter-intake/compose.ts';
import { handleIntakeEvent } from '../../../lib/recovery/dead-letter-intake/handle-event.ts';
import { createAnnouncements } from '../../../lib/recovery/gap/announcements.ts';
import { composeScan } from '../../../lib/recovery/gap/compose.ts';
import { fillBatch } from '../../../lib/recovery/gap/fill-batch.ts';
import { createQueueSigns } from '../../../lib/recovery/gap/queue-signs.ts';
import { answerScan } from '../../../lib/recovery/gap/request.ts';
import { scanGaps } from '../../../lib/recovery/gap/scan.ts';
import { briefly } from '../../../lib/recovery/recover/brief.ts';
import { composeRedrive } from '../../../lib/recovery/redrive/compose.ts';
import { answerRedrive } from '../../../lib/recovery/redrive/redrive.ts';
import { composeReplay } from '../../../lib/recovery/replay/compose.ts';
import { answerReplay } from '../../../lib/recovery/replay/replay.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import { createEventBridgeSender, createOtherCall, createQueueReader, createQueueSender } from '../world/clients.ts';
import { createLambda, type InvocationContext, invokeAsync, type LambdaFunction } from '../world/lambda.ts';
import type { Queue } from '../world/queue.ts';
import { connectQueue, type QueueEvent } from '../world/queue-source.ts';
import type { Cloud } from './cloud.ts';
import { aheadOf, type RunningConsumer, TABLES } from './consumer-function.ts';

export interface RecoverySystem {
  /** Those that the state machine calls, too, by their names in the deployment. */
  functions: Readonly<Record<'scan-gaps' | 'redrive-dead-letters' | 'replay-events', LambdaFunction<unknown>>>;
  /** As the schedule does it: asynchronously, tried three times. */
  scanNow(): void;
  announceNow(): void;
  /** As an operator does it; the answer is for the trace. */
  redrive(request: Record<string, unknown>): void;
  /** Consumers for which nothing is in a queue and nobody is at work are checked for what they wait for. */
  checkIdle(): void;
  continueRedrives(): void;
  /** A replay, asked for and applied. */
  replay(request: Record<string, unknown>): void;
  /** Somebody has asked for one. */
  hasReplays(): boolean;
  continueReplays(): void;
}

/** What the scan's deployment gives it: longer than the 60 s that it keeps for its end. */
const TIMEOUT_MS = 120_000;
const SCHEDULED = { source: 'aws.events' };

export function startRecovery(
  cloud: Cloud,
  queues: ReadonlyMap<string, Queue>,
  consumers: readonly RunningConsumer[],
): RecoverySystem {
  const { scheduler, faults, trace, plan } = cloud;
  const settings = (name: string) => ({
    name,
    timeoutMs: TIMEOUT_MS,
    seed: plan.seed,
    onStart: (process: SimulatedProcess) => process.onKill(() => cloud.disturbances.noteEnd(process)),
  });

  const scan = createLambda<unknown>(scheduler, faults, trace, {
    ...settings('scan'),
    start: (process) => {
      const deps = scanOf(cloud, process, queues);
      return (input, context) =>
        answerScan(input, context.remainingMs(), (scanInput, { fill }) =>
          fill === undefined ? scanGaps(deps, scanInput) : fillBatch(deps, fill, scanInput.bounds),
        );
    },
  });
  const intake = createLambda<QueueEvent | { action: string }>(scheduler, faults, trace, {
    ...settings('intake'),
    start: (process) => {
      const deps = intakeOf(cloud, process, queues);
      return (input) => handleIntakeEvent(deps, input);
    },
  });
  const redrive = createLambda<unknown>(scheduler, faults, trace, {
    ...settings('redrive'),
    start: (process) => redriveHandler(cloud, process, queues),
  });
  const replay = createLambda<unknown>(scheduler, faults, trace, {
    ...settings('replay'),
    start: (process) => replayHandler(cloud, process, queues),
  });
  for (const consumer of consumers) {
    const { name, deadLetters } = consumer;
    connectQueue(cloud, deadLetters, intake as LambdaFunction<QueueEvent>, {
      batchSize: 10,
      maxConcurrency: 2,
      batchWindowMs: 0,
      onDone: ({ body }) => cloud.checks.traces.onAcknowledged(name, body, () => aheadOf(consumer)),
    });
  }

  const byScheduleOf =
    <Input>(target: LambdaFunction<Input>, input: Input) =>
    (): void => {
      invokeAsync(scheduler, target, input, () => undefined);
      if (faults.strikes('double-schedule', target.name)) invokeAsync(scheduler, target, input, () => undefined);
    };
  const isIdle = ({ queue, deadLetters, target }: RunningConsumer): boolean =>
    queue.size + deadLetters.size + target.running + intake.running === 0;
  let replaysAsked = 0;
  return {
    functions: { 'scan-gaps': scan, 'redrive-dead-letters': redrive, 'replay-events': replay },
    hasReplays: () => replaysAsked > 0,
    checkIdle: () => {
      for (const consumer of consumers) if (isIdle(consumer)) cloud.checks.traces.onIdle(consumer.name);
    },
    scanNow: byScheduleOf(scan, SCHEDULED),
    announceNow: byScheduleOf(intake, { action: 'announce' }),
    continueRedrives: byScheduleOf(redrive, { action: 'continue' }),
    continueReplays: byScheduleOf(replay, { action: 'continue' }),
    replay: (request) => {
      replaysAsked++;
      replay.invoke(request, (end) => trace.note('operator', `replay: ${JSON.stringify(end).slice(0, 200)}`));
    },
    redrive: (request) =>
      redrive.invoke(request, (end) => trace.note('operator', `redrive: ${JSON.stringify(end).slice(0, 200)}`)),
  };
}

/** What every operation gets: the tables, a queue sender, and a world whose clock is the server's. */
function common(cloud: Cloud, process: SimulatedProcess, queues: ReadonlyMap<string, Queue>) {
  const { call, faults } = cloud;
  const { dynamo, serverClock } = cloud.reach(process);
  const options = { process, call, faults };
  const world: World = { ...process.world, clock: serverClock };
  const wakeUps = createWakeUps({ sqs: createQueueSender(options, queues), world: process.world });
  return { ...TABLES, dynamo, world, wakeUps, options };
}

function scanOf(cloud: Cloud, process: SimulatedProcess, queues: ReadonlyMap<string, Queue>) {
  const { options, ...parts } = common(cloud, process, queues);
  const logger = cloud.logger('scan');
  const client = createEventBridgeSender(options, cloud.bus) as unknown as EventBridgeBus['client'];
  const otherCall = createOtherCall(options);
  return composeScan({
    ...parts,
    deployment: 'simulation',
    queues: createQueueSigns({ sqs: createQueueReader(options, queues), logger }),
    // CloudWatch's iterator age, as the ledger knows it; a failed call is "nobody can say".
    logLag: {
      measure: () =>
        otherCall('getMetricData', () => cloud.checks.log.lagMs(cloud.scheduler.now())).catch(() => undefined),
    },
    announcements: createAnnouncements({ client, busName: 'bus' }),
    logger,
    metrics: cloud.metrics('scan'),
  });
}

function intakeOf(cloud: Cloud, process: SimulatedProcess, queues: ReadonlyMap<string, Queue>) {
  const { options, ...parts } = common(cloud, process, queues);
  const otherCall = createOtherCall(options);
  return composeIntake({
    ...parts,
    sns: { send: () => otherCall('publish', () => cloud.trace.note('alert', 'published')) },
    topicArn: 'arn:aws:sns:eu-central-1:000000000000:alerts',
    logger: cloud.logger('intake'),
    metrics: cloud.metrics('intake'),
  });
}

function redriveHandler(cloud: Cloud, process: SimulatedProcess, queues: ReadonlyMap<string, Queue>) {
  const { options: _, ...parts } = common(cloud, process, queues);
  const deps = composeRedrive({ ...parts, deployment: 'simulation', logger: cloud.logger('redrive') });
  return briefly('redrive', (input: unknown, context: InvocationContext) =>
    answerRedrive(deps, input, { remainingMs: () => context.remainingMs(), requestId: context.awsRequestId }),
  );
}

function replayHandler(cloud: Cloud, process: SimulatedProcess, queues: ReadonlyMap<string, Queue>) {
  const { options: _, ...parts } = common(cloud, process, queues);
  const logger = cloud.logger('replay');
  const deps = composeReplay({ ...parts, deployment: 'simulation', logger, metrics: cloud.metrics('replay') });
  return briefly('replay', (input: unknown, context: InvocationContext) =>
    answerReplay(deps, input, { remainingMs: () => context.remainingMs(), requestId: context.awsRequestId }),
  );
}
