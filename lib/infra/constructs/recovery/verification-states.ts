// A verification as states: split, verify the batches in a Distributed Map, add up. What fits into one batch is verified by the
// split itself. One box of the graph with its steps inside; the verdict ends where `verdictPath` says.

import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  Choice,
  Condition,
  DistributedMap,
  JsonPath,
  Parallel,
  StateMachineType,
  Succeed,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { VERDICT, workflowTask } from './workflow-task.ts';

/**
 * A batch reads one request after the other for a hundred items, of one unit each: with 20 consumers about 7,000 units a second. Two
 * are about the 12,000 that a new on-demand table can do, and consumers work meanwhile.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html
 */
const BATCHES_AT_ONCE = 2;

export interface VerificationStatesProps {
  readonly comment: string;
  readonly verifyConsistency: IFunction;
  /** Of the verdict in the document. */
  readonly verdictPath: '$.before' | '$.verdict';
  /** Ends the names of the states inside: the names of a state machine are unique. @default - none */
  readonly suffix?: string;
}

export function verificationStates(parent: Construct, id: string, props: VerificationStatesProps): Parallel {
  const { comment, verifyConsistency, verdictPath, suffix = '' } = props;
  const scope = new Construct(parent, `Steps of ${id}`);
  // Until there is a verdict, its place holds the number of the run and of its batches: a document has 256 KiB.
  const split = workflowTask(scope, `SplitVerification${suffix}`, verifyConsistency, {
    comment: 'List the streams and split them into batches; a small store is verified here and now.',
    payload: { step: 'split', ...VERDICT },
    resultPath: verdictPath,
  });
  const verifyBatch = workflowTask(scope, `VerifyBatch${suffix}`, verifyConsistency, {
    comment: 'Account for every event of the streams of one batch, and keep its sums.',
    payload: { step: 'batch', 'run.$': '$.run', 'batch.$': '$.batch' },
    resultPath: '$',
  });
  const verifyBatches = new DistributedMap(scope, `VerifyBatches${suffix}`, {
    comment: 'Every batch is a workflow of its own with one function.',
    itemsPath: `${verdictPath}.batches`,
    itemSelector: { 'run.$': `${verdictPath}.run`, 'batch.$': '$$.Map.Item.Value' },
    maxConcurrency: BATCHES_AT_ONCE,
    mapExecutionType: StateMachineType.STANDARD,
    resultPath: JsonPath.DISCARD,
  });
  verifyBatches.itemProcessor(verifyBatch);
  const addUp = workflowTask(scope, `AddUpVerification${suffix}`, verifyConsistency, {
    comment: 'Add up the sums of all batches; one that is missing is an error, never a pass.',
    payload: { step: 'add-up', 'run.$': `${verdictPath}.run` },
    resultPath: verdictPath,
  });
  const isSplit = new Choice(scope, `IsSplit${suffix}`, { comment: 'Into batches, or verified already?' })
    .when(Condition.isPresent(`${verdictPath}.batches`), verifyBatches.next(addUp))
    .otherwise(new Succeed(scope, `VerifiedAtOnce${suffix}`, { comment: 'The split has answered the verdict.' }));
  return new Parallel(parent, id, { comment, outputPath: '$[0]' }).branch(split.next(isSplit));
}
