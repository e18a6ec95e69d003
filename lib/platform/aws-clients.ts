// AWS SDK clients as every function makes them: with a time limit per request and a bounded number of tries, so that a
// slow service ends as an error while there is still time to hand the work on. Endpoints, region and credentials come
// from the standard variables (`AWS_ENDPOINT_URL*` included); nothing is read before the first request.

import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';

export interface ClientLimits {
  /** Most time for one try, from sending it to its whole answer. */
  requestTimeoutMs: number;
  /** Tries altogether; the SDK waits between them, exponentially and with jitter. */
  maxAttempts: number;
}

/** A connection inside a region is made in a few milliseconds; after one second it will not be made. */
const CONNECTION_TIMEOUT_MS = 1_000;

/** 3 tries of 2 s and about 0.3 s between them: 6.3 s of a consumer's 10 s in the worst case. */
export const MESSAGING_LIMITS: ClientLimits = { requestTimeoutMs: 2_000, maxAttempts: 3 };
/** Bodies of up to 6 MB take longer: 3 tries of 5 s. */
export const STORAGE_LIMITS: ClientLimits = { requestTimeoutMs: 5_000, maxAttempts: 3 };

export const CONTROL_LIMITS: ClientLimits = { requestTimeoutMs: 10_000, maxAttempts: 3 };
/** Files of an archive, read as a stream while they are unpacked: 3 tries of 60 s. */
export const ARCHIVE_LIMITS: ClientLimits = { requestTimeoutMs: 60_000, maxAttempts: 3 };

/**
 * The part of a client's configuration that all clients share.
 * @example const client = new DynamoDBClient(clientOptions({ requestTimeoutMs: 1_000, maxAttempts: 4 }));
 */
export const clientOptions = ({ requestTimeoutMs, maxAttempts }: ClientLimits) => ({
  maxAttempts,
  retryMode: 'standard' as const,
  requestHandler: {
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: requestTimeoutMs,
    // Without it the SDK only logs a warning when the time is over, and goes on waiting.
    throwOnRequestTimeout: true,
  },
});

export const createSqsClient = (limits = MESSAGING_LIMITS): SQSClient => new SQSClient(clientOptions(limits));

export const createEventBridgeClient = (limits = MESSAGING_LIMITS): EventBridgeClient =>
  new EventBridgeClient(clientOptions(limits));

export const createLambdaClient = (limits = MESSAGING_LIMITS): LambdaClient => new LambdaClient(clientOptions(limits));

export const createCloudWatchClient = (limits = MESSAGING_LIMITS): CloudWatchClient =>
  new CloudWatchClient(clientOptions(limits));

/** DynamoDB's control plane (restores, exports, tables) is slower than its items: 3 tries of 10 s. */
export const createDynamoControlClient = (limits = CONTROL_LIMITS): DynamoDBClient =>
  new DynamoDBClient(clientOptions(limits));

export const createSnsClient = (limits = MESSAGING_LIMITS): SNSClient => new SNSClient(clientOptions(limits));

export const createStepFunctionsClient = (limits = MESSAGING_LIMITS): SFNClient => new SFNClient(clientOptions(limits));

/**
 * @param forcePathStyle for an endpoint of one's own whose name cannot carry a bucket as its first label, such as
 * `http://localhost:4566`. @default false
 */
export const createS3Client = (limits = STORAGE_LIMITS, forcePathStyle = false): S3Client =>
  new S3Client({ ...clientOptions(limits), forcePathStyle });
