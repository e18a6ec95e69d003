// The recovery's state machine as a definition (JSONPath): look, diagnose, then repair, wait and look again until nothing is
// left or the rounds are used up; verify; report. What every state does is in its comment. Given functions, it makes no others.

import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  Choice,
  Condition,
  Fail,
  type IChainable,
  JitterType,
  JsonPath,
  Succeed,
  TaskInput,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';

export interface RecoveryFunctions {
  readonly scanGaps: IFunction;
  readonly diagnose: IFunction;
  readonly redriveDeadLetters: IFunction;
  readonly verifyConsistency: IFunction;
  readonly reportStatus: IFunction;
}

/** Less than the lease of a recovery (60 minutes): what is cut off has ended when the next one may begin. */
export const RECOVERY_TIMEOUT = Duration.minutes(50);

/** States to start from; pass it to `DefinitionBody.fromChainable`. */
export function recoveryDefinition(scope: Construct, functions: RecoveryFunctions): IChainable {
  const task = (id: string, lambdaFunction: IFunction, comment: string, payload: object, rest: object = {}) => {
    const state = new LambdaInvoke(scope, id, {
      lambdaFunction,
      comment,
      payload: TaskInput.fromObject(payload as Record<string, unknown>),
      retryOnServiceExceptions: false,
      ...rest,
    });
    return state.addRetry({
      errors: ['States.ALL'],
      maxAttempts: 4,
      interval: Duration.seconds(2),
      backoffRate: 2,
      maxDelay: Duration.seconds(30),
      jitterStrategy: JitterType.FULL,
    });
  };
  const fail = (id: string, comment: string, cause: string) => new Fail(scope, id, { comment, error: id, cause });
  const who = {
    'requestedBy.$': '$.progress.request.requestedBy',
    'reason.$': '$.progress.request.reason',
  };
  const payloadOnly = { payloadResponseOnly: true };

  const inputRefused = fail(
    'InputRefused',
    'The input is not valid; nothing was changed.',
    'See the output of Diagnose.',
  );
  const alreadyRecovering = fail(
    'AlreadyRecovering',
    'Another recovery holds the lease of one of the consumers; nothing was changed.',
    'Wait for the report of the other recovery.',
  );
  const diagnosisFailed = fail(
    'DiagnosisFailed',
    'The evidence could not be collected; nothing was repaired.',
    'See the functions scan-gaps and diagnose.',
  );
  const repairFailed = fail('RepairFailed', 'A repair ended with an error; the report says which.', 'See the report.');
  const verificationFailed = fail(
    'VerificationFailed',
    'The verification could not be carried out.',
    'See the report.',
  );
  const notComplete = fail('NotComplete', 'Verified, and something is missing or left.', 'See the report.');
  const reportFailed = fail(
    'ReportFailed',
    'The report could not be stored or announced.',
    'See the function report-status.',
  );
  const finished = new Succeed(scope, 'Finished', {
    comment: 'Recovered, proposed, or nothing to do: see the report.',
  });

  const lookForGaps = task(
    'LookForGaps',
    functions.scanGaps,
    'Scan for gaps and record them, repair nothing.',
    { dryRun: true },
    { ...payloadOnly, resultPath: JsonPath.DISCARD },
  );
  const diagnose = task(
    'Diagnose',
    functions.diagnose,
    'Validate the input, take the leases, collect evidence, say what is wrong.',
    { step: 'begin', 'id.$': '$$.Execution.Name', 'input.$': '$$.Execution.Input' },
    { ...payloadOnly, resultPath: '$.progress' },
  );
  const fillGaps = task(
    'FillGaps',
    functions.scanGaps,
    'Wake consumers for every gap, and close the gaps that are filled.',
    who,
    { ...payloadOnly, resultPath: JsonPath.DISCARD },
  );
  const redrive = task(
    'RedriveDeadLetters',
    functions.redriveDeadLetters,
    'Give the selected dead letters back, a canary first.',
    { action: 'redrive', 'selection.$': '$.progress.request.selection', dryRun: false, ...who },
    { ...payloadOnly, resultPath: '$.redrive' },
  );
  const wait = new Wait(scope, 'WaitForProgress', {
    comment: 'Give the consumers time to work.',
    time: WaitTime.secondsPath('$.progress.waitSeconds'),
  });
  const checkProgress = task(
    'CheckProgress',
    functions.diagnose,
    'Look again: what is left, and what comes next.',
    { step: 'progress', 'progress.$': '$.progress' },
    { ...payloadOnly, resultPath: '$.progress' },
  );
  const verify = task(
    'VerifyConsistency',
    functions.verifyConsistency,
    'Account for every event, with code that shares nothing with the repair.',
    {},
    {
      payloadResponseOnly: false,
      resultSelector: Object.fromEntries(
        ['ok', 'streams', 'commits', 'events', 'logHead', 'consumers', 'violationCount'].map((name) => [
          `${name}.$`,
          `$.Payload.${name}`,
        ]),
      ),
      resultPath: '$.verdict',
    },
  );
  const report = task(
    'ReportStatus',
    functions.reportStatus,
    'Store the report, announce it, give the leases back.',
    { 'accumulated.$': '$' },
    { ...payloadOnly, resultPath: '$.report' },
  );

  const chooseNext = new Choice(scope, 'ChooseNext', { comment: 'Do what the diagnosis or the last look says.' })
    .when(
      Condition.and(
        Condition.isPresent('$.progress.error'),
        Condition.stringEquals('$.progress.error.code', 'RECOVERY_RUNS'),
      ),
      alreadyRecovering,
    )
    .when(Condition.isPresent('$.progress.error'), inputRefused)
    .when(Condition.isPresent('$.redrive.error'), report)
    .when(Condition.stringEquals('$.progress.next', 'fill-gaps'), fillGaps)
    .when(Condition.stringEquals('$.progress.next', 'redrive'), redrive)
    .when(Condition.stringEquals('$.progress.next', 'wait'), wait)
    .when(Condition.stringEquals('$.progress.next', 'verify'), verify)
    .otherwise(report);
  const chooseEnd = new Choice(scope, 'ChooseEnd', { comment: 'End as the report says.' })
    .when(Condition.isPresent('$.repairFailure'), repairFailed)
    .when(Condition.isPresent('$.redrive.error'), repairFailed)
    .when(Condition.isPresent('$.verifyFailure'), verificationFailed)
    .when(Condition.stringEquals('$.report.result', 'incomplete'), notComplete)
    .otherwise(finished);

  const asRepair = { resultPath: '$.repairFailure' };
  lookForGaps.addCatch(diagnosisFailed).next(diagnose);
  diagnose.addCatch(diagnosisFailed).next(chooseNext);
  fillGaps.addCatch(report, asRepair).next(wait);
  redrive.addCatch(report, asRepair).next(wait);
  wait.next(checkProgress);
  checkProgress.addCatch(report, asRepair).next(chooseNext);
  verify.addCatch(report, { resultPath: '$.verifyFailure' }).next(report);
  report.addCatch(reportFailed).next(chooseEnd);
  return lookForGaps;
}
