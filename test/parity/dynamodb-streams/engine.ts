// An event source mapping from a table's DynamoDB stream to a function that answers as it is told. No bisecting: the simulation
// does not model it (test/local/mappings/stream-batch.test.ts has it).

import type { TableSchema } from '../../../lib/platform/dynamodb/table-schema.ts';

export const TABLE: TableSchema = {
  name: 'Table',
  partitionKey: { name: 'pk', type: 'S' },
  stream: 'NEW_AND_OLD_IMAGES',
};

export interface StreamSettings {
  batchSize: number;
  maxRetries: number;
  /** How many the writes make. @default one each */
  records?: number;
}

export interface StreamRecord {
  eventName?: string;
  dynamodb: {
    SequenceNumber: string;
    Keys: { pk: { S: string } };
    NewImage?: { n?: { N: string } };
    OldImage?: { n?: { N: string } };
  };
}

/** A write: puts item `key` with `n`, or removes it. */
export type Write = readonly [key: string, n: number | 'removed'];
/** What the function does with its nth batch. */
export type Script = (batch: readonly StreamRecord[], nth: number) => unknown;

export interface StreamSubject {
  /** Writes, then runs the mapping until it is quiet. */
  run(writes: readonly Write[], script: Script): Promise<Outcome>;
}

export interface Outcome {
  /** The batches in order, each as `INSERT a 1` ... */
  batches: string[][];
  givenUp: string[];
}

export const told = ({ eventName, dynamodb }: StreamRecord): string => {
  const { Keys, NewImage, OldImage } = dynamodb;
  const before = OldImage?.n?.N === undefined ? '' : `${Number(OldImage.n.N)}->`;
  return `${eventName} ${Keys.pk.S} ${before}${NewImage?.n?.N === undefined ? '' : Number(NewImage.n.N)}`;
};
