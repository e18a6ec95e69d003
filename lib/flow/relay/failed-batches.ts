// Reads failed batches from S3. An object holds one batch: at most 6 MB of event (Lambda's limit of a synchronous
// invocation) and its metadata.

import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { EventRecoveryError } from '../../model/errors.ts';
import type { FailedBatches } from './repair.ts';

/** Twice what Lambda can have written, because a payload that is kept as text is escaped. */
export const FAILED_BATCH_MAX_BYTES = 16 * 1024 * 1024;

export const createFailedBatches = (client: Pick<S3Client, 'send'>): FailedBatches => ({
  async read({ bucket, key }) {
    const { Body, ContentLength = 0 } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    if (Body !== undefined && ContentLength <= FAILED_BATCH_MAX_BYTES) return Body.transformToString('utf-8');
    throw new EventRecoveryError(
      'FAILED_BATCH_TOO_LARGE',
      `object ${key}: got ${ContentLength} bytes; allowed: 1 to ${FAILED_BATCH_MAX_BYTES}; remedy: it is not a failed batch, remove it`,
      { facts: { bucket, key, bytes: ContentLength } },
    );
  },
});
