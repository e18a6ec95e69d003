// The synthesized state machine, run by the local interpreter, with the real operations on the small system as its functions.
// Waiting moves virtual time and lets the consumers and the redrive's schedule work, as time does.

import { App, Stack } from 'aws-cdk-lib';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type CfnStateMachine, DefinitionBody, QueryLanguage, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { StateMachine as LocalStateMachine } from 'aws-local-stepfunctions';
import { recoveryDefinition } from '../../../lib/infra/constructs/recovery/recovery-definition.ts';
import { answeringErrors } from '../../../lib/platform/operation.ts';
import { composeScan } from '../../../lib/recovery/gap/compose.ts';
import { fillBatch } from '../../../lib/recovery/gap/fill-batch.ts';
import { answerScan } from '../../../lib/recovery/gap/request.ts';
import { scanGaps } from '../../../lib/recovery/gap/scan.ts';
import { createScanStates } from '../../../lib/recovery/gap/scan-state.ts';
import { noSigns } from '../../../lib/recovery/recover/aws-signs.ts';
import { type Accumulated, finishRecovery } from '../../../lib/recovery/recover/finish.ts';
import {
  type BeginInput,
  beginRecovery,
  type LookInput,
  lookAgain,
  type RecoverDeps,
} from '../../../lib/recovery/recover/recover.ts';
import type { RecoveryReport } from '../../../lib/recovery/report/types.ts';
import { verify } from '../../../lib/recovery/verify/verify.ts';
import { TABLES } from '../../support/small-system.ts';
import { type BenchOptions, createBench } from '../redrive/support.ts';

export interface AslState {
  Type: string;
  Comment?: string;
  Retry?: { JitterStrategy?: string }[];
  QueryLanguage?: string;
  Branches?: Pick<Asl, 'States'>[];
  ItemProcessor?: Pick<Asl, 'States'>;
}
/** Nested ones too. */
export const allStates = ({ States }: Pick<Asl, 'States'>): AslState[] =>
  Object.values(States).flatMap((state) => [
    state,
    ...[...(state.Branches ?? []), ...(state.ItemProcessor ? [state.ItemProcessor] : [])].flatMap(allStates),
  ]);

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

export async function createRecovery(options: Pick<BenchOptions, 'wrap' | 'ownTables'> = {}) {
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
    scans: createScanStates({ dynamo, table: TABLES.recoveryTable }),
    signs: noSigns,
    world,
  };
  const outlets = {
    store: async (key: string, body: string) => void files.set(key, body),
    announce: async (report: RecoveryReport) => void announced.push(report),
  };
  // Through JSON, as between Lambda functions.
  const lambda = (name: string, run: (input: never) => Promise<unknown>) => async (input: unknown) => {
    states.push(name);
    return JSON.parse(JSON.stringify(await run(input as never)));
  };
  const answering = (run: (input: never) => Promise<unknown>) => {
    const answer = answeringErrors((input: unknown, _context: object) => run(input as never));
    return (input: unknown) => answer(input, {});
  };
  const scanning = (input: unknown) =>
    answerScan(input, INVOCATION_MS, (request, { fill }) =>
      fill === undefined ? scanGaps(scan, request) : fillBatch(scan, fill, request.bounds),
    );
  const verifying = async ({ listed }: { listed: number }) => {
    const verdict = await verify({ dynamo, tables: TABLE_NAMES }, { now: clock.now() });
    return { ...verdict, violations: verdict.violations.slice(0, listed) };
  };
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
    VerifyBefore: lambda('VerifyBefore', verifying),
    CollectEvidence: lambda('CollectEvidence', ({ state }: { state: LookInput }) => lookAgain(deps, state)),
    FillBatch: lambda('FillBatch', scanning),
    RedriveDeadLetters: lambda(
      'RedriveDeadLetters',
      answering((input: unknown) => ask(input)),
    ),
    VerifyConsistency: lambda('VerifyConsistency', verifying),
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
