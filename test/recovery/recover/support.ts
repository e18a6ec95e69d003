// The synthesized state machine, run by the local interpreter, with the real operations on the small system as its functions.
// Waiting moves virtual time and lets the consumers and the redrive's schedule work, as time does.

import { App, Stack } from 'aws-cdk-lib';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type CfnStateMachine, DefinitionBody, QueryLanguage, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { StateMachine as LocalStateMachine } from 'aws-local-stepfunctions';
import { recoveryDefinition } from '../../../lib/infra/constructs/recovery/recovery-definition.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { answeringErrors } from '../../../lib/platform/operation.ts';
import { composeScan } from '../../../lib/recovery/gap/compose.ts';
import { answerScan } from '../../../lib/recovery/gap/request.ts';
import { scanGaps } from '../../../lib/recovery/gap/scan.ts';
import { type Accumulated, finishRecovery } from '../../../lib/recovery/recover/finish.ts';
import type { Progress } from '../../../lib/recovery/recover/progress.ts';
import {
  type BeginInput,
  beginRecovery,
  checkProgress,
  type RecoverDeps,
} from '../../../lib/recovery/recover/recover.ts';
import type { RecoveryReport } from '../../../lib/recovery/report/types.ts';
import { verify } from '../../../lib/recovery/verify/verify.ts';
import { TABLES } from '../../support/small-system.ts';
import { createBench } from '../redrive/support.ts';

export interface AslState {
  Type: string;
  Comment?: string;
  Retry?: { JitterStrategy?: string }[];
  QueryLanguage?: string;
}
export interface Asl {
  QueryLanguage?: string;
  StartAt: string;
  States: Record<string, AslState>;
}

/** As CloudFormation would make it, with names of functions in place of references. */
export function synthesizedDefinition(): Asl {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Test');
  const of = (name: string) =>
    LambdaFunction.fromFunctionArn(stack, name, `arn:aws:lambda:eu-central-1:111122223333:function:${name}`);
  const machine = new StateMachine(stack, 'Recovery', {
    queryLanguage: QueryLanguage.JSON_PATH,
    definitionBody: DefinitionBody.fromChainable(
      recoveryDefinition(stack, {
        scanGaps: of('scan-gaps'),
        diagnose: of('diagnose'),
        redriveDeadLetters: of('redrive-dead-letters'),
        verifyConsistency: of('verify-consistency'),
        reportStatus: of('report-status'),
      }),
    ),
  });
  const raw = definitionOf(stack, machine);
  return JSON.parse(textOf(raw)) as Asl;
}

function definitionOf(stack: Stack, machine: StateMachine): unknown {
  return stack.resolve((machine.node.defaultChild as CfnStateMachine).definitionString);
}

/** `Fn::Join` of text and references to the partition. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const [, parts] = (value as { 'Fn::Join': [string, unknown[]] })['Fn::Join'];
  return parts.map((part) => (typeof part === 'string' ? part : 'aws')).join('');
}

const TABLE_NAMES = {
  events: TABLES.eventsTable,
  log: TABLES.logTable,
  checkpoints: TABLES.checkpointsTable,
  deadLetters: TABLES.deadLettersTable,
  recovery: TABLES.recoveryTable,
};
const INVOCATION_MS = 600_000;

export type Recovery = Awaited<ReturnType<typeof createRecovery>>;

export async function createRecovery({ wrap }: { wrap?: (dynamo: Dynamo) => Dynamo } = {}) {
  const bench = await createBench({ wrap });
  const { system, deps: redriveDeps, openGaps, ask } = bench;
  const { dynamo, world, logger, metrics, clock } = system;
  const files = new Map<string, string>();
  const announced: RecoveryReport[] = [];
  const states: string[] = [];
  const queues = { messages: async () => 0 };
  const scan = composeScan({
    dynamo,
    ...TABLES,
    wakeUps: system.wakeUps,
    queues,
    logLag: { measure: async () => 0 },
    announcements: { gapsFound: async () => undefined },
    world,
    logger,
    metrics,
  });
  const deps: RecoverDeps = {
    registry: system.registry,
    openGaps,
    deadLetters: system.deadLetters,
    leases: redriveDeps.leases,
    queues,
    world,
  };
  const outlets = {
    store: async (key: string, body: string) => void files.set(key, body),
    announce: async (report: RecoveryReport) => void announced.push(report),
  };
  // Through JSON, as between Lambda functions.
  const lambda =
    (name: string, run: (input: never) => Promise<unknown>, wrapped = false) =>
    async (input: unknown): Promise<unknown> => {
      states.push(name);
      const { Payload } = wrapped ? (input as { Payload: unknown }) : { Payload: input };
      const answer = JSON.parse(
        JSON.stringify(
          await answeringErrors(run as unknown as (input: unknown, context: unknown) => Promise<unknown>)(Payload, {}),
        ),
      );
      return wrapped ? { Payload: answer } : answer;
    };
  const scanning = (input: unknown) => answerScan(input, INVOCATION_MS, (request) => scanGaps(scan, request));
  const handlers = {
    LookForGaps: lambda('LookForGaps', scanning),
    Diagnose: lambda('Diagnose', (input: BeginInput) => beginRecovery(deps, input)),
    FillGaps: lambda('FillGaps', scanning),
    RedriveDeadLetters: lambda('RedriveDeadLetters', (input: unknown) => ask(input)),
    CheckProgress: lambda('CheckProgress', async ({ progress }: { progress: Progress }) => {
      clock.advance(60_000);
      await system.settle();
      await ask({ action: 'continue' });
      await system.settle();
      return checkProgress(deps, progress);
    }),
    VerifyConsistency: lambda(
      'VerifyConsistency',
      () => verify({ dynamo, tables: TABLE_NAMES }, { now: clock.now() }),
      true,
    ),
    ReportStatus: lambda('ReportStatus', ({ accumulated }: { accumulated: Accumulated }) =>
      finishRecovery({ leases: deps.leases, outlets }, accumulated, clock.now()),
    ),
  };
  const definition = synthesizedDefinition();

  return {
    bench,
    system,
    deps,
    files,
    announced,
    states,
    handlers,
    /** Starts an execution and waits for its end. Rejects as a failed execution does. */
    async run(input: unknown, name = 'recovery-1'): Promise<unknown> {
      states.length = 0;
      const machine = new LocalStateMachine(definition as never, { validationOptions: { checkArn: false } });
      const execution = machine.run((input ?? {}) as never, {
        overrides: {
          taskResourceLocalHandlers: handlers as never,
          waitTimeOverrides: { WaitForProgress: 0 },
          retryIntervalOverrides: Object.fromEntries(Object.keys(handlers).map((state) => [state, 0])),
        },
        context: { Execution: { Name: name, Input: input ?? {} } } as never,
      });
      return execution.result;
    },
    report: (name = 'recovery-1'): RecoveryReport =>
      JSON.parse(files.get(`recoveries/${name}/report.json`) ?? '{}') as RecoveryReport,
  };
}
