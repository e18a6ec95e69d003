// BatchGetItem and BatchWriteItem. This engine always processes everything; unprocessed keys and items are a fault to
// inject (see `faults` of the simulation), never something that it does on its own.

import type { BatchGetCommandInput, BatchWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { CapacityMeter, readUnits, writeUnits } from './capacity.ts';
import { validationError } from './errors.ts';
import { keyOfRequest, type PrimaryKey } from './keys.ts';
import { checkParameters } from './parameters.ts';
import { parsedProjection } from './parse.ts';
import { projector } from './projection.ts';
import { scopeOf } from './scope.ts';
import type { Table } from './table.ts';
import { copyItemOut, type Item } from './values.ts';
import { type PreparedWrite, prepareWrite } from './write.ts';

/** API reference, BatchGetItem and BatchWriteItem. */
export const BATCH_GET_LIMIT = 100;
export const BATCH_WRITE_LIMIT = 25;

type Find = (name: string | undefined) => Table;
/** The table, or what an eventually consistent read sees of it. */
export type Readable = (name: string | undefined, request: { ConsistentRead?: boolean }) => Table;

const keyText = ({ partition, sort }: PrimaryKey): string =>
  JSON.stringify([String(partition), sort instanceof Uint8Array ? [...sort] : String(sort)]);

function checkUnique(seen: Set<string>, table: Table, key: PrimaryKey, message: string): void {
  const text = `${table.schema.name}${keyText(key)}`;
  if (seen.has(text)) throw validationError(message);
  seen.add(text);
}

function checkCount(count: number, limit: number, what: string): void {
  if (count === 0) {
    throw validationError(
      `1 validation error detected: Value at '${what}' failed to satisfy constraint: Member must have length greater than or equal to 1`,
    );
  }
  if (count > limit) {
    throw validationError(
      what === 'requestItems.keys'
        ? 'Too many items requested for the BatchGetItem call'
        : 'Too many items requested for the BatchWriteItem call',
    );
  }
}

export function batchGet(readable: Readable, input: BatchGetCommandInput) {
  const requests = Object.entries(input.RequestItems ?? {});
  checkCount(
    requests.reduce((sum, [, { Keys }]) => sum + (Keys?.length ?? 0), 0),
    BATCH_GET_LIMIT,
    'requestItems.keys',
  );
  const meter = new CapacityMeter(input.ReturnConsumedCapacity);
  const Responses: Record<string, Item[]> = {};
  const seen = new Set<string>();
  for (const [name, request] of requests) {
    checkParameters('batchGetTable', request);
    const table = readable(name, request);
    const projection =
      request.ProjectionExpression === undefined ? undefined : parsedProjection(request.ProjectionExpression);
    const scope = scopeOf(request, [projection], 'ProjectionExpression is null');
    const shape = projection ? projector(projection, scope) : copyItemOut;
    const found: Item[] = [];
    for (const raw of request.Keys ?? []) {
      const key = keyOfRequest(table.schema, raw);
      checkUnique(seen, table, key, 'Provided list of item keys contains duplicates');
      const record = table.get(key);
      meter.addTable(table.schema.name, readUnits(record?.sizeBytes ?? 0, request.ConsistentRead === true));
      if (record) found.push(shape(record.item));
    }
    Responses[name] = found;
  }
  const ConsumedCapacity = meter.list();
  return { Responses, UnprocessedKeys: {}, ...(ConsumedCapacity && { ConsumedCapacity }) };
}

export function batchWrite(find: Find, input: BatchWriteCommandInput, nowMs: number) {
  const requests = Object.entries(input.RequestItems ?? {});
  checkCount(
    requests.reduce((sum, [, writes]) => sum + writes.length, 0),
    BATCH_WRITE_LIMIT,
    'requestItems',
  );
  const seen = new Set<string>();
  const prepared: PreparedWrite[] = [];
  for (const [name, writes] of requests) {
    const table = find(name);
    for (const { PutRequest, DeleteRequest } of writes) {
      if ((PutRequest === undefined) === (DeleteRequest === undefined)) {
        throw validationError(
          'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
        );
      }
      const write = PutRequest
        ? prepareWrite(table, { kind: 'put', Item: PutRequest.Item })
        : prepareWrite(table, { kind: 'delete', Key: DeleteRequest?.Key });
      checkUnique(seen, table, write.key, 'Provided list of item keys contains duplicates');
      prepared.push(write);
    }
  }
  const meter = new CapacityMeter(input.ReturnConsumedCapacity);
  for (const write of prepared) {
    const before = write.table.get(write.key);
    const after = write.change(before);
    if (meter.isAsked) meter.addWrite(write.table.schema.name, writeUnits(write.table, before, after));
    write.table.write(write.key, after, nowMs);
  }
  const ConsumedCapacity = meter.list();
  return { UnprocessedItems: {}, ...(ConsumedCapacity && { ConsumedCapacity }) };
}

export { keyText };
