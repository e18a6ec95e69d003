// The recovery as a state machine of the simulation: the synthesized definition, walked on virtual time, over the real
// operations as Lambda functions that die, hang and are tried again like all the others.

import { checkVerifyRequest } from '../../../lambdas/verify-consistency/request.ts';
import { createDeadLetters } from '../../../lib/flow/dead-letter/dead-letters.ts';
import { createRegistry } from '../../../lib/flow/registry/registry.ts';
import { answeringErrors } from '../../../lib/platform/operation.ts';
import { createAlerts } from '../../../lib/recovery/alert/alerts.ts';
import { createOpenGaps } from '../../../lib/recovery/gap/open-gaps.ts';
import { createQueueSigns } from '../../../lib/recovery/gap/queue-signs.ts';
import { createScanStates } from '../../../lib/recovery/gap/scan-state.ts';
import { createLeases } from '../../../lib/recovery/lease/leases.ts';
import { noSigns } from '../../../lib/recovery/recover/aws-signs.ts';
import { listedViolations } from '../../../lib/recovery/recover/listed-violations.ts';
import { checkAccumulated, checkDiagnoseRequest } from '../../../lib/recovery/recover/machine-input.ts';
import { type BeginInput, beginRecovery, lookAgain, type RecoverDeps } from '../../../lib/recovery/recover/recover.ts';
import { reportOrGoOn } from '../../../lib/recovery/recover/report-or-go-on.ts';
import type { RecoveryReport } from '../../../lib/recovery/report/types.ts';
import { createFindings } from '../../../lib/recovery/scrub/findings.ts';
import { lookAfter } from '../../../lib/recovery/start/look-after.ts';
import type { StartDeps } from '../../../lib/recovery/start/start-recovery.ts';
import { createStarts } from '../../../lib/recovery/start/starts.ts';
import { BATCH_BOUNDS } from '../../../lib/recovery/verify/batches.ts';
import {
  addUpVerification,
  splitVerification,
  type VerificationDeps,
  verifyBatch,
} from '../../../lib/recovery/verify/verification.ts';
import { synthesizedDefinition } from '../../support/recovery-definition.ts';
import { createPrng } from '../kernel/prng.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import { createOtherCall, createQueueReader } from '../world/clients.ts';
import { createLambda, type InvocationContext, invokeAsync, type LambdaFunction } from '../world/lambda.ts';
import type { Queue } from '../world/queue.ts';
import { createStateMachine, type ExecutionEnd, type StateMachine } from '../world/state-machine.ts';
import type { Cloud } from './cloud.ts';
import { TABLES } from './consumer-function.ts';
import type { RecoverySystem } from './recovery-functions.ts';

export interface MachineSystem {
  machine: StateMachine;
  /** The schedule that gives back the leases of those that were cut off. */
  lookAfter(): void;
  /** Stored reports, by execution: as it was stored last, and whether another one was stored before. */
  reports: ReadonlyMap<string, { report: RecoveryReport; isRewritten: boolean }>;
}

const TIMEOUT_MS = 120_000;
/** The verification of all three streams in two batches. */
const BOUNDS = { ...BATCH_BOUNDS, streams: 2 };

/** Once per process: the construct library takes a second to load its part of it. */
const definition = synthesizedDefinition();

export function startMachine(
  cloud: Cloud,
  queues: ReadonlyMap<string, Queue>,
  repairs: Pick<RecoverySystem, 'functions'>,
  onState: (execution: string, state: string, input: unknown) => void,
  endOf: (execution: string) => { end: ExecutionEnd; at: number } | undefined,
): MachineSystem {
  const { scheduler, faults, trace, plan } = cloud;
  const files = new Map<string, string>();
  const reports = new Map<string, { report: RecoveryReport; isRewritten: boolean }>();
  const functionOf = (
    name: string,
    start: (process: SimulatedProcess) => (input: unknown, context: InvocationContext) => Promise<unknown>,
  ): LambdaFunction<unknown> =>
    createLambda<unknown>(scheduler, faults, trace, {
      name,
      timeoutMs: TIMEOUT_MS,
      seed: plan.seed,
      onStart: (process) => process.onKill(() => cloud.disturbances.noteEnd(process)),
      start,
    });
  const functions: Record<string, LambdaFunction<unknown>> = {
    ...repairs.functions,
    diagnose: functionOf('diagnose', (process) => diagnoseHandler(cloud, process, queues)),
    'verify-consistency': functionOf('verify', (process) => verifyHandler(cloud, process, files)),
    'report-status': functionOf('report', (process) => reportHandler(cloud, process, reports)),
  };
  const machine = createStateMachine({
    definition,
    scheduler,
    prng: createPrng(plan.seed, 'state-machine'),
    onState,
    invoke: (name, input, onEnd) => {
      const target = functions[name];
      if (target === undefined) throw new Error(`nobody simulates the function ${name}`);
      target.invoke(input, onEnd);
    },
  });
  const start = functionOf('start-recovery', (process) => lookAfterHandler(cloud, process, endOf));
  return { machine, reports, lookAfter: () => invokeAsync(scheduler, start, {}, () => undefined) };
}

function diagnoseHandler(cloud: Cloud, process: SimulatedProcess, queues: ReadonlyMap<string, Queue>) {
  const { call, faults } = cloud;
  const { dynamo, serverClock } = cloud.reach(process);
  const world = { ...process.world, clock: serverClock };
  const recovery = { dynamo, table: TABLES.recoveryTable };
  const logger = cloud.logger('diagnose');
  const deps: RecoverDeps = {
    registry: createRegistry({ dynamo, checkpointsTable: TABLES.checkpointsTable }),
    deadLetters: createDeadLetters({ dynamo, table: TABLES.deadLettersTable, world }),
    openGaps: createOpenGaps({ ...recovery, world }),
    scans: createScanStates(recovery),
    signs: noSigns,
    leases: createLeases(recovery),
    queues: createQueueSigns({ sqs: createQueueReader({ process, call, faults }, queues), logger }),
    findings: createFindings({ ...recovery, world }),
    world,
  };
  const begin = answeringErrors((input: BeginInput, _context: unknown) => beginRecovery(deps, input));
  return async (event: unknown, context: InvocationContext) => {
    const request = checkDiagnoseRequest(event);
    return request.step === 'begin' ? begin(request, context) : lookAgain(deps, request.state);
  };
}

function verifyHandler(cloud: Cloud, process: SimulatedProcess, files: Map<string, string>) {
  const { call, faults } = cloud;
  const { dynamo, serverClock } = cloud.reach(process);
  const otherCall = createOtherCall({ process, call, faults });
  const { eventsTable, logTable, checkpointsTable, deadLettersTable, recoveryTable } = TABLES;
  const deps: VerificationDeps = {
    dynamo,
    tables: {
      events: eventsTable,
      log: logTable,
      checkpoints: checkpointsTable,
      deadLetters: deadLettersTable,
      recovery: recoveryTable,
    },
    files: {
      write: (key, content) => otherCall('putObject', () => void files.set(key, JSON.stringify(content))),
      read: (key) => otherCall('getObject', () => JSON.parse(files.get(key) ?? 'null') ?? undefined),
    },
    // Part of the files' names.
    ids: { next: () => process.world.ids.next().replace(/\W/g, '-') },
    bounds: BOUNDS,
  };
  return answeringErrors(async (input: unknown, _context: InvocationContext) => {
    const request = checkVerifyRequest(input);
    if (request.step === 'batch') return verifyBatch(deps, request);
    if (request.step === 'add-up') {
      const { verdict, listed } = await addUpVerification(deps, request);
      return { ...verdict, violations: listedViolations(verdict.violations, listed) };
    }
    if (request.step === undefined) throw new Error('the workflow verifies in steps');
    const split = await splitVerification(deps, { ...request, now: serverClock.now() });
    if ('batches' in split) return split;
    return { ...split, violations: listedViolations(split.violations, request.listed) };
  });
}

/** Tried again, it ends later. */
const contentOf = ({ result, findings, steps, before, after, nextCommands }: RecoveryReport): string =>
  JSON.stringify([result, findings, steps.map(({ name, summary }) => [name, summary]), before, after, nextCommands]);

function lookAfterHandler(
  cloud: Cloud,
  process: SimulatedProcess,
  endOf: (execution: string) => { end: ExecutionEnd; at: number } | undefined,
) {
  const { call, faults } = cloud;
  const { dynamo, serverClock } = cloud.reach(process);
  const otherCall = createOtherCall({ process, call, faults });
  const recovery = { dynamo, table: TABLES.recoveryTable };
  const describe = (executionArn: string) => {
    const ended = endOf(executionArn.slice(executionArn.lastIndexOf(':') + 1));
    if (ended === undefined) return { status: 'RUNNING' };
    const { end, at } = ended;
    return {
      status: end.kind.toUpperCase(),
      stopDate: new Date(at),
      ...(end.kind === 'failed' && { error: end.error }),
    };
  };
  const deps: StartDeps = {
    sfn: {
      send: ({ input }: { input: { executionArn: string } }) =>
        otherCall('describeExecution', () => describe(input.executionArn)),
    } as unknown as StartDeps['sfn'],
    stateMachineArn: 'arn:aws:states:eu-central-1:000000000000:stateMachine:recovery',
    starts: createStarts(recovery),
    leases: createLeases(recovery),
    alerts: createAlerts({
      ...recovery,
      sns: { send: () => otherCall('publish', () => cloud.trace.note('alert', 'published')) },
      topicArn: 'arn:aws:sns:eu-central-1:000000000000:alerts',
      clock: serverClock,
    }),
    registry: createRegistry({ dynamo, checkpointsTable: TABLES.checkpointsTable }),
    logger: cloud.logger('start-recovery'),
    now: () => serverClock.now(),
  };
  return () => lookAfter(deps);
}

function reportHandler(
  cloud: Cloud,
  process: SimulatedProcess,
  reports: Map<string, { report: RecoveryReport; isRewritten: boolean }>,
) {
  const { call, faults, trace } = cloud;
  const { dynamo, serverClock } = cloud.reach(process);
  const otherCall = createOtherCall({ process, call, faults });
  const outlets = {
    store: (key: string, body: string) =>
      otherCall('putObject', () => {
        if (!key.endsWith('.json')) return;
        const report = JSON.parse(body) as RecoveryReport;
        const before = reports.get(report.id);
        const isOther = before !== undefined && contentOf(before.report) !== contentOf(report);
        reports.set(report.id, { report, isRewritten: isOther || before?.isRewritten === true });
      }),
    announce: ({ id, result }: RecoveryReport) =>
      otherCall('publish', () => trace.note('alert', `recovery ${id}: ${result}`)),
  };
  const leases = createLeases({ dynamo, table: TABLES.recoveryTable });
  return async (request: unknown) => {
    const { accumulated, redriveCount } = checkAccumulated(request);
    return reportOrGoOn({ leases, outlets }, accumulated, { redriveCount, now: serverClock.now() });
  };
}
