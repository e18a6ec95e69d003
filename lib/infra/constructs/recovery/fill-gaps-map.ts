// FillGaps: a Distributed Map over batches of streams, so that 100,000 streams neither fill the history (25,000 events) nor the
// state (256 KiB) of the recovery. Each batch is a workflow of its own with one function.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html

import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { DistributedMap, JsonPath, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { workflowTask } from './workflow-task.ts';

/** Batches at once: each wakes up to 200 streams, and a queue that drains is filled again in the next round. */
const BATCHES_AT_ONCE = 4;

export function fillGapsMap(parent: Construct, scanGaps: IFunction): DistributedMap {
  const fillBatch = workflowTask(new Construct(parent, 'Filling'), 'FillBatch', scanGaps, {
    comment: 'Look at the batch again, close what is filled, wake the consumer for the rest.',
    payload: {
      'fill.$': '$.batch',
      'graceSeconds.$': '$.graceSeconds',
      'requestedBy.$': '$.requestedBy',
      'reason.$': '$.reason',
    },
    resultSelector: { 'wakeUps.$': '$.wakeUps' },
    resultPath: '$',
  });
  const map = new DistributedMap(parent, 'FillGaps', {
    comment: 'Wake consumers for their gaps, in batches of streams.',
    itemsPath: '$.progress.batches',
    itemSelector: {
      'batch.$': '$$.Map.Item.Value',
      'graceSeconds.$': '$.progress.request.graceSeconds',
      'requestedBy.$': '$.progress.request.requestedBy',
      'reason.$': '$.progress.request.reason',
    },
    maxConcurrency: BATCHES_AT_ONCE,
    mapExecutionType: StateMachineType.STANDARD,
    resultPath: JsonPath.DISCARD,
  });
  map.itemProcessor(fillBatch);
  return map;
}
