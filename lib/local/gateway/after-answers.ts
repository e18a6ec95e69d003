// What happens when the local cloud has answered a call: an upload becomes an event on the default bus, and addresses
// of queues that fauxqs made up are turned into ours (their tags are remembered), and a restored table tells where it came from.

import { randomUUID } from 'node:crypto';
import type { Backups } from '../backups/backups.ts';
import type { Buses } from '../bus/buses.ts';
import type { BucketInfo } from '../cloud.ts';
import { withRestoreSummary } from './backups-service.ts';
import type { GatewayCall } from './gateway.ts';
import { s3Target } from './identify.ts';
import type { Reply } from './replies.ts';

const UPLOADS = new Set(['PutObject', 'CompleteMultipartUpload', 'CopyObject']);
const QUEUE_ADDRESSES = new Set(['CreateQueue', 'GetQueueUrl', 'ListQueues', 'ListDeadLetterSourceQueues']);

export interface AfterAnswers {
  buckets: ReadonlyMap<string, BucketInfo>;
  createdQueueTags: Map<string, Readonly<Record<string, string>>>;
  buses: Pick<Buses, 'publish'>;
  backups: Pick<Backups, 'restores'>;
  endpoint(): string;
}

export function afterAnswer(call: GatewayCall, reply: Reply, after: AfterAnswers): Reply {
  const { buckets, buses, endpoint } = after;
  if (reply.status >= 300) return reply;
  if (call.service === 'dynamodb') return withRestoreSummary(call, reply, after.backups);
  if (call.service === 's3' && UPLOADS.has(call.operation)) {
    const { bucket, key } = s3Target(call.path);
    if (buckets.get(bucket)?.eventBridge) buses.publish('default', objectCreated(call, reply, bucket, key));
  }
  if (call.service === 'sqs' && QUEUE_ADDRESSES.has(call.operation)) {
    if (call.operation === 'CreateQueue') rememberTags(call, after);
    const text = reply.body.toString('utf8').replaceAll(/http:\/\/sqs\.[a-z0-9-]+\.localhost(?::\d+)?/g, endpoint());
    const body = Buffer.from(text);
    return { ...reply, body, headers: { ...reply.headers, 'content-length': String(body.length) } };
  }
  return reply;
}

/** SQS API reference, CreateQueue: `tags`. Policies may ask for them. */
function rememberTags(call: GatewayCall, { createdQueueTags }: AfterAnswers): void {
  const { QueueName = '', tags } = JSON.parse(call.body.toString('utf8')) as {
    QueueName?: string;
    tags?: Record<string, string>;
  };
  if (tags !== undefined) createdQueueTags.set(QueueName, tags);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
const objectCreated = (call: GatewayCall, reply: Reply, bucket: string, key: string) => ({
  source: 'aws.s3',
  detailType: 'Object Created',
  resources: [`arn:aws:s3:::${bucket}`],
  detail: {
    version: '0',
    bucket: { name: bucket },
    object: {
      key,
      size: Number(call.headers['x-amz-decoded-content-length'] ?? call.body.length),
      etag: String(reply.headers.etag ?? '').replaceAll('"', ''),
      sequencer: Date.now().toString(16).padStart(16, '0'),
    },
    'request-id': randomUUID(),
    requester: 'local',
    'source-ip-address': '127.0.0.1',
    reason: call.operation,
  },
});
