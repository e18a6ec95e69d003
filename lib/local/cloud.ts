// The local cloud while it runs: the engines' clients and the registries that resource handlers fill and services read.
// Only wiring; behaviour is in the folders.

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Backups } from './backups/backups.ts';
import type { Buses } from './bus/buses.ts';
import type { Destinations } from './bus/destinations.ts';
import type { CustomResourceAnswers } from './deploy/custom-answers.ts';
import type { Functions } from './functions/functions.ts';
import type { FunctionSurroundings } from './functions/lambda-function.ts';
import type { Semaphore } from './functions/semaphore.ts';
import type { Identities } from './iam/identities.ts';
import type { LostRecords } from './mappings/lost-records.ts';
import type { Mapping } from './mappings/mapping.ts';
import type { StreamsClient } from './mappings/streams-client.ts';
import type { LocalMetrics } from './metrics/metrics.ts';
import type { Named } from './names.ts';
import type { Machines } from './states/machines.ts';

export interface TableInfo extends Named {
  arn: string;
  partitionKey: string;
  /** The stream's ARN as the template knows it, and as the engine does. */
  streamArn?: string;
  engineStreamArn?: string;
}

export interface QueueInfo extends Named {
  arn: string;
  url: string;
  visibilityTimeoutSeconds: number;
  /** True when another queue names it as its dead-letter queue. */
  isDeadLetterQueue: boolean;
  tags: Readonly<Record<string, string>>;
}

export interface BucketInfo extends Named {
  arn: string;
  /** "Object Created" goes to the default bus. */
  eventBridge: boolean;
}

export interface Cloud {
  endpoint(): string;
  dynamodb: DynamoDBClient;
  sqs: SQSClient;
  sns: SNSClient;
  s3: S3Client;
  streams: StreamsClient;
  identities: Identities;
  functions: Functions;
  surroundings: FunctionSurroundings;
  buses: Buses;
  machines: Machines;
  destinations: Destinations;
  customAnswers: CustomResourceAnswers;
  backups: Backups;
  metrics: LocalMetrics;
  mappings: Mapping[];
  lostRecords: LostRecords;
  /** Invocations from queues that run at the same time. */
  invocationGate: Semaphore;
  /** By table name. */
  tables: Map<string, TableInfo>;
  /** By queue name. */
  queues: Map<string, QueueInfo>;
  /** Tags of queues that somebody created with a call, by name. */
  createdQueueTags: Map<string, Readonly<Record<string, string>>>;
  /** By bucket name. */
  buckets: Map<string, BucketInfo>;
  /** SSM parameters by name. */
  parameters: Map<string, string>;
  /** Folders of file assets by hash. */
  assets: ReadonlyMap<string, string>;
  /** Where generated files of this run go. */
  runFolder: string;
  /** To run once everything is deployed, in order. */
  onStart(start: () => void | Promise<void>): void;
  warn(text: string): void;
}
