// The scrub as a Lambda function of the simulation: the real patrol over each process's own view of the cloud. What it wakes up
// is the simulated relay, by the simulated bus.

import { createContinuations } from '../../../lib/flow/relay/bus.ts';
import type { EventBridgeBus } from '../../../lib/flow/relay/put-events.ts';
import { createDamageAnnouncements } from '../../../lib/recovery/scrub/announcements.ts';
import { composeScrub } from '../../../lib/recovery/scrub/compose.ts';
import { answerScrub } from '../../../lib/recovery/scrub/request.ts';
import type { ScrubDeps } from '../../../lib/recovery/scrub/scrub.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import { createEventBridgeSender, createOtherCall } from '../world/clients.ts';
import { createLambda, invokeAsync } from '../world/lambda.ts';
import type { StreamSource } from '../world/stream-source.ts';
import type { Cloud } from './cloud.ts';
import { TABLES } from './consumer-function.ts';

export interface ScrubSystem {
  /** As the schedule does it. */
  scrubNow(): void;
  /** As an operator does it: a rotation from its beginning. */
  rotateNow(): void;
}

const TIMEOUT_MS = 120_000;
/** A rotation is due at every call of the schedule: a run is shorter than a real one. Pages end inside of streams. */
const SETTINGS = { rotationDays: 1 / (24 * 60), readUnitsPerSecond: 100_000, pageItems: 12 };
const SCHEDULED = { source: 'aws.events' };
const BY_OPERATOR = { rotate: true, requestedBy: 'simulation', reason: 'records were lost' };

export function startScrub(cloud: Cloud, source: Pick<StreamSource, 'lagMs'>): ScrubSystem {
  const { scheduler, faults, trace, plan } = cloud;
  const target = createLambda<unknown>(scheduler, faults, trace, {
    name: 'scrub',
    timeoutMs: TIMEOUT_MS,
    seed: plan.seed,
    onStart: (process) => process.onKill(() => cloud.disturbances.noteEnd(process)),
    start: (process) => {
      const deps = dependenciesOf(cloud, process, source);
      return (input, context) =>
        answerScrub(deps, input, {
          settings: SETTINGS,
          remainingMs: () => context.remainingMs(),
          requestId: context.awsRequestId,
        });
    },
  });
  const invoke = (input: unknown): void => invokeAsync(scheduler, target, input, () => undefined);
  return {
    scrubNow: () => {
      invoke(SCHEDULED);
      if (faults.strikes('double-schedule', 'scrub')) invoke(SCHEDULED);
    },
    rotateNow: () => invoke(BY_OPERATOR),
  };
}

function dependenciesOf(cloud: Cloud, process: SimulatedProcess, source: Pick<StreamSource, 'lagMs'>): ScrubDeps {
  const { call, faults, bus } = cloud;
  const { dynamo, serverClock } = cloud.reach(process);
  const options = { process, call, faults };
  const client = createEventBridgeSender(options, bus) as unknown as EventBridgeBus['client'];
  const otherCall = createOtherCall(options);
  const world = { ...process.world, clock: serverClock };
  return composeScrub({
    ...TABLES,
    dynamo,
    world,
    continuations: createContinuations({ client, busName: 'bus', world }),
    announcements: createDamageAnnouncements({ client, busName: 'bus' }),
    // The iterator age: of records that nobody will bring any more it knows nothing.
    logLag: { measure: () => otherCall('getMetricData', () => source.lagMs()).catch(() => undefined) },
    logger: cloud.logger('scrub'),
    metrics: cloud.metrics('scrub'),
  });
}
