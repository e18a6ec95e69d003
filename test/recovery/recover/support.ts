// The synthesized state machine, run by the local interpreter, with the real operations on the small system as its functions.
// Waiting moves virtual time and lets the consumers and the redrive's schedule work, as time does.

import { StateMachine as LocalStateMachine } from 'aws-local-stepfunctions';
import { answeringErrors } from '../../../lib/platform/operation.ts';
import { createApprovals } from '../../../lib/recovery/approval/approvals.ts';
import { type AskInput, askApproval } from '../../../lib/recovery/approval/ask-approval.ts';
import { decideApproval } from '../../../lib/recovery/approval/decide-approval.ts';
import { type EnableDeps, enableRule } from '../../../lib/recovery/enable/enable-rule.ts';
import { composeScan } from '../../../lib/recovery/gap/compose.ts';
import { fillBatch } from '../../../lib/recovery/gap/fill-batch.ts';
import { answerScan } from '../../../lib/recovery/gap/request.ts';
import { scanGaps } from '../../../lib/recovery/gap/scan.ts';
import { createScanStates } from '../../../lib/recovery/gap/scan-state.ts';
import { type AwsSigns, noSigns } from '../../../lib/recovery/recover/aws-signs.ts';
import { briefly } from '../../../lib/recovery/recover/brief.ts';
import { listedViolations } from '../../../lib/recovery/recover/listed-violations.ts';
import { checkAccumulated, checkDiagnoseRequest } from '../../../lib/recovery/recover/machine-input.ts';
import { type BeginInput, beginRecovery, lookAgain, type RecoverDeps } from '../../../lib/recovery/recover/recover.ts';
import { reportOrGoOn } from '../../../lib/recovery/recover/report-or-go-on.ts';
import { composeReplay } from '../../../lib/recovery/replay/compose.ts';
import { answerReplay } from '../../../lib/recovery/replay/replay.ts';
import type { RecoveryReport } from '../../../lib/recovery/report/types.ts';
import { createFindings } from '../../../lib/recovery/scrub/findings.ts';
import type { Verdict } from '../../../lib/recovery/verify/types.ts';
import { addUpVerification, splitVerification, verifyBatch } from '../../../lib/recovery/verify/verification.ts';
import { type Asl, synthesizedDefinition } from '../../support/recovery-definition.ts';
import { TABLES } from '../../support/small-system.ts';
import { type BenchOptions, createBench } from '../redrive/support.ts';
import { verificationDeps } from '../verify/in-batches.ts';

export const TABLE_NAMES = {
  events: TABLES.eventsTable,
  log: TABLES.logTable,
  checkpoints: TABLES.checkpointsTable,
  deadLetters: TABLES.deadLettersTable,
  recovery: TABLES.recoveryTable,
};
const INVOCATION_MS = 600_000;

/** Input and output of a state: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const STATE_BYTES_MAX = 256 * 1_024;

export function travelled(value: unknown): unknown {
  const json = JSON.stringify(value) ?? 'null';
  if (Buffer.byteLength(json) <= STATE_BYTES_MAX) return JSON.parse(json);
  throw Object.assign(new Error(`${json.length} bytes: ${json.slice(0, 200)}`), { name: 'States.DataLimitExceeded' });
}

export type Recovery = Awaited<ReturnType<typeof createRecovery>>;

export interface RecoveryOptions extends Pick<BenchOptions, 'wrap' | 'ownTables'> {
  /** What AWS says. @default nothing */
  signs?: AwsSigns;
  /** EventBridge, for rules. */
  events?: EnableDeps['events'];
  /** Streams of one batch of a verification. @default far more than there are */
  batchStreams?: number;
}

export async function createRecovery({
  signs = noSigns,
  events,
  batchStreams = 1_000,
  ...options
}: RecoveryOptions = {}) {
  const bench = await createBench(options);
  const { system, deps: redriveDeps, openGaps, ask } = bench;
  const { dynamo, world, logger, metrics, clock } = system;
  const files = new Map<string, string>();
  const announced: RecoveryReport[] = [];
  const states: string[] = [];
  const queues = { messages: async () => 0 };
  const scan = composeScan({
    dynamo,
    ...TABLES,
    deployment: 'here',
    wakeUps: system.wakeUps,
    queues,
    logLag: { measure: async () => 0 },
    announcements: { gapsFound: async () => undefined },
    world,
    logger,
    metrics,
  });
  const findings = createFindings({ dynamo, table: TABLES.recoveryTable, world });
  const deps: RecoverDeps = {
    registry: system.registry,
    openGaps,
    deadLetters: system.deadLetters,
    leases: redriveDeps.leases,
    queues,
    scans: createScanStates({ dynamo, table: TABLES.recoveryTable }),
    findings,
    signs,
    world,
  };
  const outlets = {
    store: async (key: string, body: string) => void files.set(key, body),
    announce: async (report: RecoveryReport) => void announced.push(report),
  };
  // Through JSON, as between Lambda functions, with the limit of a state.
  const lambda = (name: string, run: (input: never) => Promise<unknown>) => async (input: unknown) => {
    states.push(name);
    return travelled(await run(travelled(input) as never));
  };
  const answering = (run: (input: never) => Promise<unknown>) => {
    const answer = answeringErrors((input: unknown, _context: object) => run(input as never));
    return (input: unknown) => answer(input, {});
  };
  const scanning = (input: unknown) =>
    answerScan(input, INVOCATION_MS, (request, { fill }) =>
      fill === undefined ? scanGaps(scan, request) : fillBatch(scan, fill, request.bounds),
    );
  const verification = verificationDeps(
    { dynamo, tables: TABLE_NAMES, questions: system.questions },
    { streams: batchStreams },
  );
  const listedOf = (verdict: Verdict, listed?: number) => ({
    ...verdict,
    violations: listedViolations(verdict.violations, listed),
  });
  const splitting = answering(async ({ listed }: { listed: number }) => {
    const answer = await splitVerification(verification, { now: clock.now(), listed });
    return 'ok' in answer ? listedOf(answer, listed) : answer;
  });
  const verifyingBatch = answering((input: { run: string; batch: number }) => verifyBatch(verification, input));
  const addingUp = answering(async (input: { run: string }) => {
    const { verdict, listed } = await addUpVerification(verification, input);
    return listedOf(verdict, listed);
  });
  const replay = composeReplay({
    dynamo,
    ...TABLES,
    deployment: 'test',
    wakeUps: system.wakeUps,
    world: { ...system.world, timers: redriveDeps.world.timers },
    logger,
    metrics,
  });
  const replaying = (input: unknown) =>
    answerReplay(replay, input, { remainingMs: () => INVOCATION_MS, requestId: 'request-1' });
  /** What ReportStatus was called with last. */
  let reported: unknown;
  const approvals = createApprovals({ dynamo, table: TABLES.recoveryTable });
  const approval = { approvals, now: () => clock.now() };
  const asks: unknown[] = [];
  let waitingTask: { resolve(output: unknown): void; reject(error: Error): void } | undefined;
  let onAsked: (id: string) => unknown = () => undefined;
  /** Step Functions: the token is taken back by the task that waits. */
  const sfn = {
    send: async (command: { input: { output?: string; error?: string; cause?: string } }) => {
      const { output, error = '', cause } = command.input;
      if (waitingTask === undefined) throw Object.assign(new Error('nobody waits'), { name: 'TaskTimedOut' });
      if (output === undefined) waitingTask.reject(Object.assign(new Error(cause), { name: error }));
      else waitingTask.resolve(JSON.parse(output));
      waitingTask = undefined;
    },
  };
  const decide = (input: unknown) =>
    decideApproval({ dynamo, ...approval, audit: redriveDeps.audit, sfn: sfn as never }, input, 'request-1');
  const handlers = {
    Validate: lambda(
      'Validate',
      answering((input: BeginInput) => beginRecovery(deps, input)),
    ),
    LookForGaps: lambda('LookForGaps', async (input: unknown) => {
      // The pause before: the consumers and the redrive's schedule work.
      if (states.includes('CollectEvidence')) {
        clock.advance(60_000);
        await system.settle();
        await ask({ action: 'continue' });
        await system.settle();
      }
      return scanning(input);
    }),
    SplitVerificationBefore: lambda('SplitVerificationBefore', splitting),
    VerifyBatchBefore: lambda('VerifyBatchBefore', verifyingBatch),
    AddUpVerificationBefore: lambda('AddUpVerificationBefore', addingUp),
    CollectEvidence: lambda('CollectEvidence', async (input: unknown) => {
      const request = checkDiagnoseRequest(input);
      if (request.step === 'look') return lookAgain(deps, request.state);
      throw new Error('it looks');
    }),
    FillBatch: lambda('FillBatch', scanning),
    RedriveDeadLetters: lambda(
      'RedriveDeadLetters',
      briefly(
        'redrive',
        answering((input: unknown) => ask(input)),
      ) as never,
    ),
    Replay: lambda('Replay', briefly('replay', replaying) as never),
    ResumeFromCheckpoint: lambda('ResumeFromCheckpoint', briefly('replay', replaying) as never),
    EnableRule: lambda(
      'EnableRule',
      briefly(
        'enable',
        answering((input: unknown) => {
          if (events === undefined) throw new Error('there is no EventBridge here');
          return enableRule({ events, busName: 'orders', audit: redriveDeps.audit }, input, 'request-1');
        }),
      ) as never,
    ),
    // Tests say what it answers; the restore has tests of its own.
    Restore: lambda('Restore', async (_input: unknown): Promise<unknown> => undefined),
    AskApproval: async ({ Payload }: { Payload: AskInput }) => {
      states.push('AskApproval');
      // The token is there before its function is called.
      const answer = new Promise((resolve, reject) => {
        waitingTask = { resolve, reject };
      });
      const sns = { send: async (command: { input: unknown }) => void asks.push(command.input) } as never;
      const { asked } = await askApproval({ ...approval, sfn: sfn as never, sns, topicArn: 'topic' }, Payload);
      if (asked) void onAsked(Payload.progress.id);
      return answer;
    },
    SplitVerification: lambda('SplitVerification', splitting),
    VerifyBatch: lambda('VerifyBatch', verifyingBatch),
    AddUpVerification: lambda('AddUpVerification', addingUp),
    ReportStatus: lambda('ReportStatus', async (input: unknown) => {
      reported = input;
      const { accumulated, redriveCount } = checkAccumulated(input);
      return reportOrGoOn({ leases: deps.leases, outlets }, accumulated, { redriveCount, now: clock.now() });
    }),
  };
  const definition = synthesizedDefinition();

  return {
    bench,
    system,
    deps,
    findings,
    files,
    announced,
    states,
    handlers,
    asks,
    outlets,
    decide,
    /** What somebody does when the recovery asks. */
    onAsked(answer: (id: string) => unknown): void {
      onAsked = answer;
    },
    /** The task's time is over: nobody waits any more. */
    giveUpWaiting(): void {
      waitingTask?.reject(Object.assign(new Error('timeout'), { name: 'States.Timeout' }));
      waitingTask = undefined;
    },
    /** Starts an execution and waits for its end. Rejects as a failed execution does. */
    run: (input: unknown, name = 'recovery-1'): Promise<unknown> =>
      execute(definition, input ?? {}, { Name: name, Input: input ?? {}, RedriveCount: 0 }),
    /**
     * As RedriveExecution does it with an execution that failed at ReportStatus: that state again, with the same input.
     * https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
     */
    redrive(name = 'recovery-1', redriveCount = 1): Promise<unknown> {
      const { accumulated } = reported as { accumulated: unknown };
      const from = { ...definition, StartAt: 'ReportStatus' };
      return execute(from, accumulated, { Name: name, Input: {}, RedriveCount: redriveCount });
    },
    report: (name = 'recovery-1'): RecoveryReport =>
      JSON.parse(files.get(`recoveries/${name}/report.json`) ?? '{}') as RecoveryReport,
  };

  async function execute(
    asl: Asl,
    input: unknown,
    execution: { Name: string; Input: unknown; RedriveCount: number },
  ): Promise<unknown> {
    states.length = 0;
    // From the middle, states before it are not reached.
    const noValidate = asl.StartAt !== definition.StartAt;
    const machine = new LocalStateMachine(asl as never, { validationOptions: { checkArn: false, noValidate } });
    const running = machine.run(input as never, {
      overrides: {
        taskResourceLocalHandlers: handlers as never,
        waitTimeOverrides: { WaitForProgress: 0 },
        retryIntervalOverrides: Object.fromEntries(Object.keys(handlers).map((state) => [state, 0])),
      },
      context: { Execution: execution, Task: { Token: `token of ${execution.Name}` } } as never,
    });
    return running.result;
  }
}
