// What the steps of a large verification hand to each other: JSON files below `verifications/` in the archive bucket, because a
// state of the workflow has no room for them. They expire there; nobody removes them.

import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';

export interface VerificationFiles {
  /** The same key again: the same step was tried again. */
  write(key: string, content: unknown): Promise<void>;
  /** Undefined: there is no such file. */
  read(key: string): Promise<unknown>;
}

/** Reads after writes are consistent (S3 User Guide, "Amazon S3 data consistency model"); the SDK tries again. */
export const createVerificationFiles = ({
  client,
  bucket,
}: {
  client: Pick<S3Client, 'send'>;
  bucket: string;
}): VerificationFiles => ({
  async write(key, content) {
    const Body = JSON.stringify(content);
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ContentType: 'application/json' }));
  },
  async read(key) {
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return JSON.parse((await Body?.transformToString('utf8')) ?? 'null') as unknown;
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return undefined;
      throw error;
    }
  },
});
