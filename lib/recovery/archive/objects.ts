// The archive bucket as archive and restore use it: objects by key, read as a stream so that a file of any size fits, written
// whole. A step that is repeated writes the same key again.

import { Readable } from 'node:stream';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { isRetryableError, type RetryOptions, retry } from '../../platform/retry.ts';

export interface Objects {
  /** Undefined: there is no such object. */
  read(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  write(key: string, body: string | Uint8Array): Promise<void>;
}

export interface ObjectsOptions extends Pick<RetryOptions, 'timers' | 'random'> {
  client: Pick<S3Client, 'send'>;
  bucket: string;
}

/** On top of the SDK's own tries: 3 tries wait at most 200 + 400 ms. */
const RETRIES = { attempts: 3, baseDelayMs: 200, maxDelayMs: 1_000 };

export function createObjects({ client, bucket, timers, random }: ObjectsOptions): Objects {
  const again = <T>(call: () => Promise<T>): Promise<T> =>
    retry(call, { ...RETRIES, isRetryable: isRetryableError, timers, random });
  return {
    async read(key) {
      try {
        const { Body } = await again(() => client.send(new GetObjectCommand({ Bucket: bucket, Key: key })));
        return Body === undefined ? Readable.from([]) : (Body as Readable);
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return undefined;
        throw error;
      }
    },
    async write(key, body) {
      await again(() => client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body })));
    },
  };
}

/** A small object as bytes. Undefined: there is none. */
export async function readWhole(objects: Pick<Objects, 'read'>, key: string): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  const stream = await objects.read(key);
  if (stream === undefined) return undefined;
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
