// What a table looks like, as data: keys, indexes, DynamoDB stream and time to live. The memory engine, the tests and the
// local system create tables from it, so that all of them agree with the deployed ones.

export interface KeyAttribute {
  name: string;
  type: 'S' | 'N' | 'B';
}

export interface IndexSchema {
  name: string;
  partitionKey: KeyAttribute;
  sortKey?: KeyAttribute;
  /** @default 'ALL' */
  projection?: 'ALL' | 'KEYS_ONLY';
}

export type StreamView = 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES' | 'KEYS_ONLY';

export interface TableSchema {
  /** Logical name; what a deployment calls the table is its own affair. */
  name: string;
  partitionKey: KeyAttribute;
  sortKey?: KeyAttribute;
  /** Global secondary indexes. */
  indexes?: readonly IndexSchema[];
  /** Absent: the table has no DynamoDB stream. */
  stream?: StreamView;
  /** Attribute with seconds since 1970. Absent: nothing expires. */
  timeToLiveAttribute?: string;
}
