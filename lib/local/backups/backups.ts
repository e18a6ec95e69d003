// Continuous backups of the local tables that ask for them and have a DynamoDB stream: restores into new tables and exports
// to S3, both asynchronous as on AWS, made from the recorded history.

import { randomBytes } from 'node:crypto';
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { arn } from '../names.ts';
import { type ExportSpan, exportFiles } from './export-files.ts';
import type { Recorder } from './recorder.ts';
import { stateAt } from './timeline.ts';
import { fromWire } from './wire.ts';

export interface TableExport {
  arn: string;
  tableName: string;
  tableArn: string;
  clientToken: string;
  /** The request as it was given: the same token with another one is a conflict. */
  request: string;
  bucket: string;
  prefix?: string;
  span: ExportSpan;
  startedAt: number;
  endedAt?: number;
  status: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  failure?: { code: string; message: string };
  manifestKey?: string;
  itemCount?: number;
  billedBytes?: number;
}

export interface TableRestore {
  tableName: string;
  sourceName: string;
  /** Milliseconds since 1970. */
  toMs: number;
  isUnderWay: boolean;
}

export interface Backups {
  /** From now on the table's history is known. */
  record(tableName: string, recorder: Recorder): void;
  /** Undefined: the table has no recorded history. */
  window(tableName: string): { earliestMs: number; latestMs: number } | undefined;
  restore(sourceName: string, tableName: string, toMs: number): Promise<TableRestore>;
  restores: ReadonlyMap<string, TableRestore>;
  forget(tableName: string): void;
  export(request: Omit<TableExport, 'arn' | 'tableArn' | 'status' | 'startedAt'>): TableExport;
  exports: readonly TableExport[];
  stop(): void;
}

export interface BackupsOptions {
  dynamodb: DynamoDBClient;
  s3: S3Client;
  now(): number;
  warn(text: string): void;
}

/** BatchWriteItem takes at most 25 items; DynamoDB Local never leaves any over. */
const BATCH = 25;

export function createBackups({ dynamodb, s3, now, warn }: BackupsOptions): Backups {
  const recorders = new Map<string, Recorder>();
  const restores = new Map<string, TableRestore>();
  const exports: TableExport[] = [];
  const recorder = (tableName: string): Recorder => {
    const found = recorders.get(tableName);
    if (found === undefined) throw new Error(`the history of ${tableName} is not recorded`);
    return found;
  };

  async function fill({ tableName, sourceName, toMs }: TableRestore): Promise<void> {
    const items = stateAt(await recorder(sourceName).changes(), toMs);
    for (let at = 0; at < items.length; at += BATCH) {
      const writes = items
        .slice(at, at + BATCH)
        .map((item): WriteRequest => ({ PutRequest: { Item: fromWire(item) } }));
      await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: writes } }));
    }
  }

  async function write(order: TableExport): Promise<void> {
    const changes = await recorder(order.tableName).changes();
    const made = exportFiles(changes, {
      ...order,
      exportArn: order.arn,
      exportId: order.arn.split('/').at(-1) ?? '',
      endedAt: now(),
    });
    for (const { key, body } of made.files) {
      await s3.send(new PutObjectCommand({ Bucket: order.bucket, Key: key, Body: body }));
    }
    const { manifestKey, itemCount, billedBytes } = made;
    Object.assign(order, { status: 'COMPLETED', endedAt: now(), manifestKey, itemCount, billedBytes });
  }

  return {
    restores,
    exports,
    record: (tableName, made) => void recorders.set(tableName, made),
    window(tableName) {
      const found = recorders.get(tableName);
      return found && { earliestMs: wholeSecond(found.since), latestMs: wholeSecond(now()) };
    },
    async restore(sourceName, tableName, toMs) {
      const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: sourceName }));
      const restore: TableRestore = { tableName, sourceName, toMs, isUnderWay: true };
      await dynamodb.send(
        new CreateTableCommand({
          TableName: tableName,
          AttributeDefinitions: Table?.AttributeDefinitions,
          KeySchema: Table?.KeySchema,
          BillingMode: 'PAY_PER_REQUEST',
        }),
      );
      restores.set(tableName, restore);
      void fill(restore)
        .catch((error: Error) => warn(`restore of ${sourceName} into ${tableName}: ${error.message}`))
        .finally(() => {
          restore.isUnderWay = false;
        });
      return restore;
    },
    forget: (tableName) => void restores.delete(tableName),
    export(request) {
      const id = `0${now()}-${randomBytes(4).toString('hex')}`;
      const tableArn = arn('dynamodb', `table/${request.tableName}`);
      const order: TableExport = {
        ...request,
        arn: `${tableArn}/export/${id}`,
        tableArn,
        status: 'IN_PROGRESS',
        startedAt: now(),
      };
      exports.push(order);
      void write(order).catch((error: Error) => {
        const code = error.name === 'NoSuchBucket' ? 'S3NoSuchBucket' : 'InternalServerError';
        Object.assign(order, { status: 'FAILED', endedAt: now(), failure: { code, message: error.message } });
      });
      return order;
    },
    stop() {
      for (const each of recorders.values()) each.stop();
    },
  };
}

const wholeSecond = (ms: number): number => Math.floor(ms / 1_000) * 1_000;
