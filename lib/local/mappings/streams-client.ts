// DynamoDB Streams over its JSON protocol, without the SDK: the records keep the very JSON that a Lambda function gets.

import { EventRecoveryError } from '../../model/errors.ts';
import { REGION } from '../names.ts';
import type { StreamRecord } from './failure-record.ts';

export interface Shard {
  ShardId: string;
  ParentShardId?: string;
}

export interface StreamsClient {
  /** All shards, page by page. `streamArn` is the engine's own. */
  shards(streamArn: string): Promise<Shard[]>;
  iterator(streamArn: string, shardId: string, position: IteratorPosition): Promise<string>;
  /** `next` is undefined at the end of a closed shard. */
  records(iterator: string, limit: number): Promise<{ records: StreamRecord[]; next: string | undefined }>;
}

export type IteratorPosition =
  | { ShardIteratorType: 'TRIM_HORIZON' | 'LATEST' }
  | { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER'; SequenceNumber: string };

/** The access key id names a database, when the databases of DynamoDB Local are not shared. */
const signature = (accessKeyId: string): string =>
  `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/${REGION}/dynamodb/aws4_request, SignedHeaders=host, Signature=local`;
/** A stream has a few thousand shards at most: 24 h at one roll-over every 4 h, times its partitions. */
const MAX_PAGES = 100;

export function createStreamsClient(endpoint: string, accessKeyId = 'local'): StreamsClient {
  const authorization = signature(accessKeyId);
  const call = async <T>(operation: string, input: object): Promise<T> => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDBStreams_20120810.${operation}`,
        authorization,
      },
      body: JSON.stringify(input),
    });
    const result = (await response.json()) as T & { __type?: string; message?: string };
    if (response.ok) return result;
    const code = String(result.__type).replace(/^.*#/, '');
    throw new EventRecoveryError(code, `${operation}: ${result.message ?? response.status}`, { facts: { operation } });
  };
  return {
    async shards(streamArn) {
      const found: Shard[] = [];
      let last: string | undefined;
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const { StreamDescription } = await call<{
          StreamDescription: { Shards?: Shard[]; LastEvaluatedShardId?: string };
        }>('DescribeStream', { StreamArn: streamArn, ExclusiveStartShardId: last });
        found.push(...(StreamDescription.Shards ?? []));
        last = StreamDescription.LastEvaluatedShardId;
        if (last === undefined) break;
      }
      return found;
    },
    async iterator(streamArn, shardId, position) {
      const input = { StreamArn: streamArn, ShardId: shardId, ...position };
      return (await call<{ ShardIterator: string }>('GetShardIterator', input)).ShardIterator;
    },
    async records(iterator, limit) {
      const input = { ShardIterator: iterator, Limit: limit };
      const result = await call<{ Records?: StreamRecord[]; NextShardIterator?: string }>('GetRecords', input);
      return { records: result.Records ?? [], next: result.NextShardIterator };
    },
  };
}
