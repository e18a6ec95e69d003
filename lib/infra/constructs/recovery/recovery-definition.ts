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
import { askApprovalTask } from './ask-approval-task.ts';
import { fillGapsMap } from './fill-gaps-map.ts';
import { verificationStates } from './verification-states.ts';
import { withRetries, workflowTask } from './workflow-task.ts';

export interface RecoveryFunctions {
  readonly scanGaps: IFunction;
  readonly diagnose: IFunction;
  readonly redriveDeadLetters: IFunction;
  readonly replayEvents: IFunction;
  readonly restoreCommits: IFunction;
  readonly verifyConsistency: IFunction;
  readonly reportStatus: IFunction;
  readonly askApproval: IFunction;
  readonly enableRule: IFunction;
}

/** A restore of ten hours, an approval, rounds of ten minutes and two verifications: of a million streams, less than an hour each. */
export const RECOVERY_TIMEOUT = Duration.hours(14);

/** Name of the error of a function that is handed what it does not understand. */
const NOT_UNDERSTOOD = 'InvalidInputError';

/** States to start from; pass it to `DefinitionBody.fromChainable`. */
export function recoveryDefinition(scope: Construct, functions: RecoveryFunctions): IChainable {
  const fail = (id: string, comment: string, cause: string) => new Fail(scope, id, { comment, error: id, cause });
  /** What Validate said is the cause. */
  const refused = (id: string, comment: string) =>
    new Fail(scope, id, { comment, error: id, causePath: '$.progress.error.message' });
  const inputRefused = refused('InputRefused', 'The input is not valid; nothing was changed.');
  const alreadyRecovering = refused(
    'AlreadyRecovering',
    'Another recovery holds the lease of one of the consumers; nothing was changed.',
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
  const approvalRefused = fail('ApprovalRefused', 'Somebody refused; nothing was overwritten.', 'See the report.');
  const approvalTimedOut = fail(
    'ApprovalTimedOut',
    'Nobody answered in time; nothing was overwritten.',
    'See the report.',
  );
  const unexpectedAnswer = fail(
    'UnexpectedAnswer',
    'A function answered what this workflow does not understand; a schedule gives the leases back.',
    'See the output of the last step.',
  );
  const finished = new Succeed(scope, 'Finished', {
    comment: 'Recovered, proposed, or nothing to do: counts and the place of the report.',
    outputPath: '$.report',
  });

  const validate = workflowTask(scope, 'Validate', functions.diagnose, {
    comment: 'Check the input, take the lease of every consumer that is meant: all or none.',
    payload: { step: 'begin', 'id.$': '$$.Execution.Name', 'input.$': '$$.Execution.Input' },
    // In place of the input, which is in the answer: a state has 256 KiB.
    resultSelector: { 'progress.$': '$' },
  });
  const diagnose = diagnoseBranch(scope, functions);
  const ask = askApprovalTask(scope, functions.askApproval);
  const fillGaps = fillGapsMap(scope, functions.scanGaps);
  const repair = (id: string, lambdaFunction: IFunction, comment: string) =>
    workflowTask(scope, id, lambdaFunction, { comment, payload: '$.progress.call', resultPath: '$.operation' });
  const repairs = {
    restore: repair(
      'Restore',
      functions.restoreCommits,
      'Put back commits that are damaged or missing: plan, then what was approved, then ask how far it is.',
    ),
    enable: repair(
      'EnableRule',
      functions.enableRule,
      'Enable the rule of a consumer that somebody disabled: look at it, then, when it was approved, enable it.',
    ),
    replay: repair('Replay', functions.replayEvents, 'Deliver stored events again: plan, begin, ask how far it is.'),
    resume: repair(
      'ResumeFromCheckpoint',
      functions.replayEvents,
      'Let consumers go on from their checkpoints to the head; in later rounds ask how far it is.',
    ),
    redrive: repair(
      'RedriveDeadLetters',
      functions.redriveDeadLetters,
      'Give the selected dead letters back, a canary first; in later rounds ask how far it is.',
    ),
  };
  const verify = verificationStates(scope, 'VerifyConsistency', {
    comment: 'Account for every event, with code that shares nothing with the repair.',
    verifyConsistency: functions.verifyConsistency,
    verdictPath: '$.verdict',
  });
  const report = workflowTask(scope, 'ReportStatus', functions.reportStatus, {
    comment: 'Give the leases back, store the report, announce it. A redriven execution goes on from here.',
    payload: { 'accumulated.$': '$', 'execution.$': '$$.Execution' },
    endsBy: ['RepairFailed', 'VerificationFailed', 'AlreadyRecovering', NOT_UNDERSTOOD],
  });
  const at = '$.progress.next';
  const chooseNext = new Choice(scope, 'ChooseNext', {
    comment: 'Do what the validation, the diagnosis or the last look says; after the report, end as it says.',
  })
    .when(isAt('$.report.end', 'ApprovalTimedOut'), approvalTimedOut)
    .when(isAt('$.report.end', 'ApprovalRefused'), approvalRefused)
    .when(isAt('$.report.end', 'VerificationFailed'), verificationFailed)
    .when(isAt('$.report.end', 'RepairFailed'), repairFailed)
    .when(isAt('$.report.end', 'NotComplete'), notComplete)
    .when(isAt('$.report.end', 'Finished'), finished)
    .when(isAt('$.progress.error.code', 'RECOVERY_RUNS'), alreadyRecovering)
    .when(Condition.isPresent('$.progress.error.message'), inputRefused)
    .when(Condition.or(Condition.not(Condition.isPresent(at)), Condition.isPresent('$.report')), unexpectedAnswer)
    .when(Condition.stringEquals(at, 'look'), diagnose)
    .when(Condition.stringEquals(at, 'ask'), ask)
    .when(Condition.stringEquals(at, 'fill-gaps'), fillGaps)
    .when(Condition.stringEquals(at, 'verify'), verify)
    .otherwise(report);

  const asRepair = { resultPath: '$.repairFailure' };
  validate.addCatch(validationFailed).next(chooseNext);
  diagnose.addCatch(report, asRepair).next(chooseNext);
  ask
    .addCatch(report, { errors: ['States.Timeout', 'ApprovalRefused'], resultPath: '$.approvalFailure' })
    .addCatch(report, asRepair)
    .next(diagnose);
  fillGaps.addCatch(report, asRepair).next(diagnose);
  for (const [next, state] of Object.entries(repairs)) {
    chooseNext.when(Condition.stringEquals(at, next), state);
    state.addCatch(report, asRepair).next(diagnose);
  }
  verify.addCatch(report, { resultPath: '$.verifyFailure' }).next(report);
  // Nobody catches the others: a redrive of the execution begins at the state that failed.
  report.addCatch(unexpectedAnswer, { errors: [NOT_UNDERSTOOD] }).next(chooseNext);
  return validate;
}

/** What may be absent is asked about first: a choice that does not find its variable ends the execution without a name. */
const isAt = (path: string, value: string): Condition =>
  Condition.and(Condition.isPresent(path), Condition.stringEquals(path, value));

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
  const verifyBefore = verificationStates(scope, 'VerifyBefore', {
    comment: 'Account for every event before anything is repaired: evidence, and the first column of the report.',
    verifyConsistency: functions.verifyConsistency,
    verdictPath: '$.before',
    suffix: 'Before',
  });
  const collect = workflowTask(scope, 'CollectEvidence', functions.diagnose, {
    comment: 'The first time say what is wrong, later what the repair has changed; decide what comes next.',
    payload: { step: 'look', 'state.$': '$' },
    resultPath: '$.progress',
  });
  const isFirstLook = new Choice(scope, 'IsFirstLook', { comment: 'A verification reads everything: only once.' })
    .when(Condition.numberEquals('$.progress.round', 0), verifyBefore)
    .otherwise(collect);
  // Damaged beyond reading, for example: the other evidence has to do.
  verifyBefore.addCatch(collect, { resultPath: '$.beforeFailure' }).next(collect);
  wait.next(lookForGaps).next(isFirstLook);
  const diagnose = new Parallel(parent, 'Diagnose', {
    comment: 'Look at everything, say what is wrong and what comes next.',
    outputPath: '$[0]',
  });
  return withRetries(diagnose.branch(wait), { maxAttempts: 1 });
}
