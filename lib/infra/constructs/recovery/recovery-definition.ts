// The recovery's state machine as a definition (JSONPath): validate, look and diagnose, then repair, wait and look again until
// nothing is left or the rounds are used up; verify; report. What every state does is in its comment.

import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  Choice,
  Condition,
  Fail,
  type IChainable,
  JsonPath,
  Parallel,
  Succeed,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { fillGapsMap } from './fill-gaps-map.ts';
import { VERDICT, withRetries, workflowTask } from './workflow-task.ts';

export interface RecoveryFunctions {
  readonly scanGaps: IFunction;
  readonly diagnose: IFunction;
  readonly redriveDeadLetters: IFunction;
  readonly verifyConsistency: IFunction;
  readonly reportStatus: IFunction;
}

/** Rounds of ten minutes, two verifications of 15 minutes with their tries. */
export const RECOVERY_TIMEOUT = Duration.hours(3);

/** States to start from; pass it to `DefinitionBody.fromChainable`. */
export function recoveryDefinition(scope: Construct, functions: RecoveryFunctions): IChainable {
  const fail = (id: string, comment: string, cause: string) => new Fail(scope, id, { comment, error: id, cause });
  const inputRefused = fail(
    'InputRefused',
    'The input is not valid; nothing was changed.',
    'See the output of Validate.',
  );
  const alreadyRecovering = fail(
    'AlreadyRecovering',
    'Another recovery holds the lease of one of the consumers; nothing was changed.',
    'Wait for the report of the other recovery.',
  );
  const validationFailed = fail(
    'ValidationFailed',
    'The input could not be checked or the leases not be taken; nothing was changed.',
    'See the function diagnose.',
  );
  const repairFailed = fail(
    'RepairFailed',
    'The diagnosis or a repair ended with an error; the report says which.',
    'See the report.',
  );
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
    comment: 'Recovered, proposed, or nothing to do: counts and the place of the report.',
    outputPath: '$.report',
  });

  const validate = workflowTask(scope, 'Validate', functions.diagnose, {
    comment: 'Check the input, take the lease of every consumer that is meant: all or none.',
    payload: { step: 'begin', 'id.$': '$$.Execution.Name', 'input.$': '$$.Execution.Input' },
    resultPath: '$.progress',
  });
  const diagnose = diagnoseBranch(scope, functions);
  const fillGaps = fillGapsMap(scope, functions.scanGaps);
  const redrive = workflowTask(scope, 'RedriveDeadLetters', functions.redriveDeadLetters, {
    comment: 'Give the selected dead letters back, a canary first; in later rounds ask how far it is.',
    payload: '$.progress.call',
    resultPath: '$.operation',
  });
  const verify = workflowTask(scope, 'VerifyConsistency', functions.verifyConsistency, {
    comment: 'Account for every event, with code that shares nothing with the repair.',
    payload: VERDICT.payload,
    resultSelector: VERDICT.selector,
    resultPath: '$.verdict',
  });
  const report = workflowTask(scope, 'ReportStatus', functions.reportStatus, {
    comment: 'Store the report, announce it, give the leases back.',
    payload: { 'accumulated.$': '$' },
    resultPath: '$.report',
  });
  const chooseNext = new Choice(scope, 'ChooseNext', {
    comment: 'Do what the validation, the diagnosis or the last look says.',
  })
    .when(
      Condition.and(
        Condition.isPresent('$.progress.error'),
        Condition.stringEquals('$.progress.error.code', 'RECOVERY_RUNS'),
      ),
      alreadyRecovering,
    )
    .when(Condition.isPresent('$.progress.error'), inputRefused)
    .when(Condition.stringEquals('$.progress.next', 'look'), diagnose)
    .when(Condition.stringEquals('$.progress.next', 'fill-gaps'), fillGaps)
    .when(Condition.stringEquals('$.progress.next', 'redrive'), redrive)
    .when(Condition.stringEquals('$.progress.next', 'verify'), verify)
    .otherwise(report);
  const chooseEnd = new Choice(scope, 'ChooseEnd', { comment: 'End as the report says.' })
    .when(Condition.isPresent('$.verifyFailure'), verificationFailed)
    .when(Condition.stringEquals('$.report.result', 'failed'), repairFailed)
    .when(Condition.stringEquals('$.report.result', 'incomplete'), notComplete)
    .otherwise(finished);

  const asRepair = { resultPath: '$.repairFailure' };
  validate.addCatch(validationFailed).next(chooseNext);
  diagnose.addCatch(report, asRepair).next(chooseNext);
  fillGaps.addCatch(report, asRepair).next(diagnose);
  redrive.addCatch(report, asRepair).next(diagnose);
  verify.addCatch(report, { resultPath: '$.verifyFailure' }).next(report);
  report.addCatch(reportFailed).next(chooseEnd);
  return validate;
}

/** One branch, so that looking is one box of the graph with its steps inside. Its document replaces the whole one. */
function diagnoseBranch(parent: Construct, functions: RecoveryFunctions): Parallel {
  const scope = new Construct(parent, 'Looking');
  const wait = new Wait(scope, 'WaitForProgress', {
    comment: 'Give the consumers time to work; not at all before the first look.',
    time: WaitTime.secondsPath('$.progress.waitSeconds'),
  });
  const lookForGaps = workflowTask(scope, 'LookForGaps', functions.scanGaps, {
    comment: 'Scan for gaps, record them, and close those that are filled.',
    payload: { dryRun: true, 'graceSeconds.$': '$.progress.request.graceSeconds' },
    resultPath: JsonPath.DISCARD,
  });
  const verifyBefore = workflowTask(scope, 'VerifyBefore', functions.verifyConsistency, {
    comment: 'Account for every event before anything is repaired: evidence, and the first column of the report.',
    payload: VERDICT.payload,
    resultSelector: VERDICT.selector,
    resultPath: '$.before',
  });
  const collect = workflowTask(scope, 'CollectEvidence', functions.diagnose, {
    comment: 'The first time say what is wrong, later what the repair has changed; decide what comes next.',
    payload: { step: 'look', 'state.$': '$' },
    resultPath: '$.progress',
  });
  const isFirstLook = new Choice(scope, 'IsFirstLook', { comment: 'A verification reads everything: only once.' })
    .when(Condition.numberEquals('$.progress.round', 0), verifyBefore)
    .otherwise(collect);
  // Too large to be verified in one function, or damaged beyond reading: the other evidence has to do.
  verifyBefore.addCatch(collect, { resultPath: '$.beforeFailure' }).next(collect);
  wait.next(lookForGaps).next(isFirstLook);
  const diagnose = new Parallel(parent, 'Diagnose', {
    comment: 'Look at everything, say what is wrong and what comes next.',
    outputPath: '$[0]',
  });
  return withRetries(diagnose.branch(wait), { maxAttempts: 1 });
}
