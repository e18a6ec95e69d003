// Reads a DynamoDB stream of DynamoDB Local and gives its records the shape in which a Lambda function receives them.

import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import {
  type _Record,
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import type { MemoryStreamRecord } from '../../lib/platform/dynamodb/memory/index.ts';
import type { StreamAttributeValue } from '../../lib/platform/dynamodb/memory/marshal.ts';
import { PRIMING_RECORDS } from './dynamodb-local.ts';

/** All records after the first `skip`, without those that priming left. DynamoDB Local shows a write after a millisecond. */
export async function readLocalStream(
  client: DynamoDBClient,
  table: string,
  skip: number,
): Promise<MemoryStreamRecord[]> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
  const arn = Table?.LatestStreamArn as string;
  const streams = new DynamoDBStreamsClient({
    endpoint: process.env.DYNAMODB_ENDPOINT as string,
    region: 'us-east-1',
    credentials: await client.config.credentials(),
  });
  try {
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn: arn }));
    const records: _Record[] = [];
    for (const shard of StreamDescription?.Shards ?? []) {
      records.push(...(await readShard(streams, arn, shard.ShardId as string)));
    }
    const view = StreamDescription?.StreamViewType as MemoryStreamRecord['dynamodb']['StreamViewType'];
    return records.slice(PRIMING_RECORDS + skip).map((record) => toLambdaRecord(record, arn, view));
  } finally {
    streams.destroy();
  }
}

/** An open shard never ends: an empty answer is the end of what there is. */
async function readShard(streams: DynamoDBStreamsClient, StreamArn: string, ShardId: string): Promise<_Record[]> {
  const found: _Record[] = [];
  let { ShardIterator } = await streams.send(
    new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
  );
  while (ShardIterator) {
    const { Records = [], NextShardIterator } = await streams.send(new GetRecordsCommand({ ShardIterator }));
    if (Records.length === 0) break;
    found.push(...Records);
    ShardIterator = NextShardIterator;
  }
  return found;
}

const image = (raw: Record<string, AttributeValue> | undefined) =>
  raw && (Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, plain(value)])) as never);

function plain(value: AttributeValue): StreamAttributeValue {
  if (value.B) return { B: Buffer.from(value.B).toString('base64') };
  if (value.BS) return { BS: value.BS.map((bytes) => Buffer.from(bytes).toString('base64')) };
  if (value.L) return { L: value.L.map(plain) };
  if (value.M) return { M: image(value.M) };
  // DynamoDB Local loses the type of an empty map.
  if (Object.keys(value).length === 0) return { M: {} };
  return value as StreamAttributeValue;
}

function toLambdaRecord(
  { eventID, eventName, dynamodb }: _Record,
  arn: string,
  StreamViewType: MemoryStreamRecord['dynamodb']['StreamViewType'],
): MemoryStreamRecord {
  return {
    eventID: eventID as string,
    eventName: eventName as MemoryStreamRecord['eventName'],
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    eventSourceARN: arn,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor((dynamodb?.ApproximateCreationDateTime?.getTime() ?? 0) / 1000),
      Keys: image(dynamodb?.Keys as Record<string, AttributeValue>) as never,
      ...(dynamodb?.NewImage && { NewImage: image(dynamodb.NewImage as Record<string, AttributeValue>) }),
      ...(dynamodb?.OldImage && { OldImage: image(dynamodb.OldImage as Record<string, AttributeValue>) }),
      SequenceNumber: dynamodb?.SequenceNumber as string,
      SizeBytes: dynamodb?.SizeBytes as number,
      StreamViewType,
    },
  };
}
