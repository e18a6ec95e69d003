// AWS::Lambda::EventSourceMapping: which poller a source gets, with Lambda's defaults, and the check that the function's
// role may read from it. The pollers start when everything is deployed.

import { randomUUID } from 'node:crypto';
import type { Pattern } from '../bus/pattern.ts';
import { checkPattern } from '../bus/pattern.ts';
import type { Cloud } from '../cloud.ts';
import type { LambdaFunction } from '../functions/lambda-function.ts';
import { watchMapping } from '../mappings/evidence.ts';
import type { Mapping } from '../mappings/mapping.ts';
import { createSqsMapping } from '../mappings/sqs-mapping.ts';
import { createStreamMapping } from '../mappings/stream-mapping.ts';
import { arn, resourceOfArn } from '../names.ts';
import { notPermitted } from './messaging.ts';
import { type Handler, propertiesOf, type Resource, unsupportedProperty } from './resource.ts';

interface MappingProperties {
  FunctionName: string;
  EventSourceArn: string;
  Enabled?: boolean;
  BatchSize?: number;
  MaximumBatchingWindowInSeconds?: number;
  FunctionResponseTypes?: string[];
  FilterCriteria?: { Filters?: { Pattern: string }[] };
  ScalingConfig?: { MaximumConcurrency?: number };
  StartingPosition?: 'TRIM_HORIZON' | 'LATEST';
  BisectBatchOnFunctionError?: boolean;
  MaximumRetryAttempts?: number;
  MaximumRecordAgeInSeconds?: number;
  ParallelizationFactor?: number;
  DestinationConfig?: { OnFailure?: { Destination: string } };
}

const HONOURED = [
  'FunctionName',
  'EventSourceArn',
  'Enabled',
  'BatchSize',
  'MaximumBatchingWindowInSeconds',
  'FunctionResponseTypes',
  'FilterCriteria',
  'ScalingConfig',
  'StartingPosition',
  'BisectBatchOnFunctionError',
  'MaximumRetryAttempts',
  'MaximumRecordAgeInSeconds',
  'ParallelizationFactor',
  'DestinationConfig',
];
/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html */
const SQS_BATCH_SIZE = 10;
/** Lambda begins with five batches at once and adds more while a queue is busy; here it stays at five. */
const SQS_CONCURRENCY = 5;
/** https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html */
const STREAM_BATCH_SIZE = 100;

export const createMapping: Handler = (resource, cloud) => {
  const properties = propertiesOf<MappingProperties>(resource, HONOURED, ['KmsKeyArn', 'MetricsConfig']);
  const lambda = cloud.functions.get(properties.FunctionName);
  const id = randomUUID();
  const service = properties.EventSourceArn.split(':')[2];
  const filters = (properties.FilterCriteria?.Filters ?? []).map((filter) => JSON.parse(filter.Pattern) as Pattern);
  for (const filter of filters) checkPattern(filter);
  const mapping = watchMapping(lambda, properties.Enabled !== false, (watched) =>
    service === 'sqs'
      ? sqsMapping(id, resource, properties, filters, watched, cloud)
      : streamMapping(id, resource, properties, filters, watched, cloud),
  );
  cloud.mappings.push(mapping);
  cloud.onStart(() => {
    for (const need of needsOf(properties)) {
      const refusal = cloud.identities.roleDenied(lambda.spec.roleArn, need);
      if (refusal !== undefined) throw notPermitted(resource.path ?? resource.logicalId, refusal);
    }
    if (properties.Enabled !== false) mapping.start();
  });
  return { ref: id, attributes: { Id: id, EventSourceMappingArn: arn('lambda', `event-source-mapping:${id}`) } };
};

const reports = (properties: MappingProperties): boolean =>
  properties.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false;

function sqsMapping(
  id: string,
  resource: Resource,
  properties: MappingProperties,
  filters: Pattern[],
  lambda: LambdaFunction,
  cloud: Cloud,
): Mapping {
  const queue = cloud.queues.get(resourceOfArn(properties.EventSourceArn));
  if (!queue || queue.name.endsWith('.fifo'))
    throw unsupportedProperty(resource, `EventSourceArn ${properties.EventSourceArn}`);
  return createSqsMapping({
    id,
    lambda,
    sqs: cloud.sqs,
    gate: cloud.invocationGate,
    queueUrl: queue.url,
    queueArn: queue.arn,
    visibilityTimeoutSeconds: queue.visibilityTimeoutSeconds,
    batchSize: properties.BatchSize ?? SQS_BATCH_SIZE,
    windowSeconds: properties.MaximumBatchingWindowInSeconds ?? 0,
    maximumConcurrency: properties.ScalingConfig?.MaximumConcurrency ?? SQS_CONCURRENCY,
    reportBatchItemFailures: reports(properties),
    filters,
  });
}

function streamMapping(
  id: string,
  resource: Resource,
  properties: MappingProperties,
  filters: Pattern[],
  lambda: LambdaFunction,
  cloud: Cloud,
): Mapping {
  const table = [...cloud.tables.values()].find((one) => one.streamArn === properties.EventSourceArn);
  if (!table?.engineStreamArn) throw unsupportedProperty(resource, `EventSourceArn ${properties.EventSourceArn}`);
  return createStreamMapping({
    id,
    lambda,
    client: cloud.streams,
    streamArn: properties.EventSourceArn,
    engineStreamArn: table.engineStreamArn,
    startingPosition: properties.StartingPosition ?? 'LATEST',
    batchSize: properties.BatchSize ?? STREAM_BATCH_SIZE,
    windowSeconds: properties.MaximumBatchingWindowInSeconds ?? 0,
    parallelization: properties.ParallelizationFactor ?? 1,
    reportBatchItemFailures: reports(properties),
    filters,
    isLost: (record) => cloud.lostRecords.isLost(lambda.spec.name, record),
    settings: {
      maximumRetryAttempts: properties.MaximumRetryAttempts ?? -1,
      maximumRecordAgeSeconds: properties.MaximumRecordAgeInSeconds ?? -1,
      bisect: properties.BisectBatchOnFunctionError ?? false,
    },
    onFailureArn: properties.DestinationConfig?.OnFailure?.Destination,
    destinations: cloud.destinations,
    warn: cloud.warn,
  });
}

/** What Lambda asks of the function's role for each kind of source. */
function needsOf(properties: MappingProperties): { action: string; resource: string }[] {
  const source = properties.EventSourceArn;
  const isQueue = source.split(':')[2] === 'sqs';
  const reading = isQueue
    ? ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']
    : ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'];
  const needs = reading.map((action) => ({ action, resource: source }));
  // https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html: the bucket needs both.
  const destination = properties.DestinationConfig?.OnFailure?.Destination;
  if (destination?.startsWith('arn:aws:s3:')) {
    needs.push(
      { action: 's3:PutObject', resource: `${destination}/aws/lambda/record` },
      { action: 's3:ListBucket', resource: destination },
    );
  }
  if (destination?.split(':')[2] === 'sqs') needs.push({ action: 'sqs:SendMessage', resource: destination });
  if (destination?.split(':')[2] === 'sns') needs.push({ action: 'sns:Publish', resource: destination });
  return needs;
}
