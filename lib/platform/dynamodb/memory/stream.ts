// A table's DynamoDB stream in the shape in which an event source mapping hands it to a Lambda function.
// Source: Lambda Developer Guide, "Process DynamoDB records with Lambda" (example event); DynamoDB Developer Guide, "Time to
// Live": deletes by TTL carry userIdentity { type: 'Service', principalId: 'dynamodb.amazonaws.com' }.

import { type StreamAttributeValue, toStreamImage } from './marshal.ts';
import { itemSize } from './size.ts';
import type { StreamEntry, Table } from './table.ts';

type Image = Record<string, StreamAttributeValue>;

export interface MemoryStreamRecord {
  eventID: string;
  eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  eventVersion: '1.1';
  eventSource: 'aws:dynamodb';
  awsRegion: string;
  eventSourceARN: string;
  userIdentity?: { type: 'Service'; principalId: 'dynamodb.amazonaws.com' };
  dynamodb: {
    /** Seconds since 1970, whole. */
    ApproximateCreationDateTime: number;
    Keys: Image;
    NewImage?: Image;
    OldImage?: Image;
    /** Digits only, grows along the stream. */
    SequenceNumber: string;
    SizeBytes: number;
    StreamViewType: 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES' | 'KEYS_ONLY';
  };
}

/** AWS: a sequence number has 21 to 40 digits. */
const SEQUENCE_DIGITS = 21;

/** Records with a sequence greater than `after`, at most `limit`. */
export function streamRecordsOf(table: Table, after: number, limit: number): MemoryStreamRecord[] {
  // Sequences are 1, 2, 3 ...: entry i has sequence i + 1.
  return table.stream.slice(after, after + limit).map((entry) => toRecord(table, entry));
}

function toRecord(table: Table, entry: StreamEntry): MemoryStreamRecord {
  const view = table.schema.stream ?? 'KEYS_ONLY';
  const images = {
    ...(entry.after &&
      (view === 'NEW_IMAGE' || view === 'NEW_AND_OLD_IMAGES') && { NewImage: toStreamImage(entry.after) }),
    ...(entry.before &&
      (view === 'OLD_IMAGE' || view === 'NEW_AND_OLD_IMAGES') && { OldImage: toStreamImage(entry.before) }),
  };
  const SequenceNumber = String(entry.sequence).padStart(SEQUENCE_DIGITS, '0');
  return {
    eventID: `${table.schema.name}-${SequenceNumber}`,
    eventName: entry.before ? (entry.after ? 'MODIFY' : 'REMOVE') : 'INSERT',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'memory',
    eventSourceARN: `arn:aws:dynamodb:memory:000000000000:table/${table.schema.name}/stream/1`,
    ...(entry.userIdentity && { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } as const }),
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(entry.atMs / 1000),
      Keys: toStreamImage(entry.keys),
      ...images,
      SequenceNumber,
      SizeBytes: [entry.keys, images.NewImage && entry.after, images.OldImage && entry.before].reduce(
        (sum, item) => sum + (item ? itemSize(item) : 0),
        0,
      ),
      StreamViewType: view,
    },
  };
}
