// The four operations on one item.

import type { DeleteCommandInput, GetCommandInput, PutCommandInput, UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { CapacityMeter, readUnits, writeUnits } from './capacity.ts';
import { conditionFailed, unsupported, validationError } from './errors.ts';
import { keyOfRequest } from './keys.ts';
import { toAttributeMap } from './marshal.ts';
import { checkOneOf } from './parameters.ts';
import { parsedProjection } from './parse.ts';
import { projector, projectorOf } from './projection.ts';
import { scopeOf } from './scope.ts';
import type { StoredRecord } from './sorted-records.ts';
import type { Table } from './table.ts';
import { copyItemOut, type Item } from './values.ts';
import { type PreparedWrite, prepareWrite, type WriteRequest } from './write.ts';

export function get(table: Table, input: GetCommandInput) {
  const projection =
    input.ProjectionExpression === undefined ? undefined : parsedProjection(input.ProjectionExpression);
  const scope = scopeOf(input, [projection], 'ProjectionExpression is null');
  const shape = projection ? projector(projection, scope) : copyItemOut;
  const record = table.get(keyOfRequest(table.schema, input.Key));
  const meter = new CapacityMeter(input.ReturnConsumedCapacity);
  meter.addTable(table.schema.name, readUnits(record?.sizeBytes ?? 0, input.ConsistentRead === true));
  const ConsumedCapacity = meter.single();
  return {
    ...(record && { Item: shape(record.item) }),
    ...(ConsumedCapacity && { ConsumedCapacity }),
  };
}

type SingleWriteInput = PutCommandInput | DeleteCommandInput | UpdateCommandInput;

/** Put, update or delete. */
export function writeOne(table: Table, request: WriteRequest, input: SingleWriteInput, nowMs: number) {
  checkReturnValues(request.kind, input.ReturnValues);
  checkOneOf('returnValuesOnConditionCheckFailure', input.ReturnValuesOnConditionCheckFailure, ['ALL_OLD', 'NONE']);
  const prepared = prepareWrite(table, request);
  checkReturnedPaths(input.ReturnValues, prepared);
  const before = table.get(prepared.key);
  if (!prepared.test(before?.item)) {
    throw conditionFailed(prepared.wantsItemOnFailure && before ? toAttributeMap(before.item) : undefined);
  }
  const after = prepared.change(before);
  const meter = new CapacityMeter(input.ReturnConsumedCapacity);
  if (meter.isAsked) meter.addWrite(table.schema.name, writeUnits(table, before, after));
  table.write(prepared.key, after, nowMs);
  const Attributes = attributesOf(input.ReturnValues, prepared, before, after);
  const ConsumedCapacity = meter.single();
  return { ...(Attributes && { Attributes }), ...(ConsumedCapacity && { ConsumedCapacity }) };
}

const UPDATE_RETURNS = ['NONE', 'ALL_OLD', 'UPDATED_OLD', 'ALL_NEW', 'UPDATED_NEW'];

function checkReturnValues(kind: WriteRequest['kind'], value: string | undefined): void {
  checkOneOf('returnValues', value, UPDATE_RETURNS);
  if (kind !== 'update' && value !== undefined && value !== 'NONE' && value !== 'ALL_OLD') {
    throw validationError('Return values set to invalid value');
  }
}

/** DynamoDB Local returns the whole attribute, AWS documents only "the updated attributes": nobody may depend on either. */
function checkReturnedPaths(value: string | undefined, { paths }: PreparedWrite): void {
  if ((value === 'UPDATED_OLD' || value === 'UPDATED_NEW') && paths.some((path) => path.length > 1)) {
    throw unsupported(`ReturnValues ${value} of nested paths`, paths);
  }
}

function attributesOf(
  returnValues: string | undefined,
  { paths }: PreparedWrite,
  before: StoredRecord | undefined,
  after: StoredRecord | undefined,
): Item | undefined {
  switch (returnValues) {
    case 'ALL_OLD':
      return before && copyItemOut(before.item);
    case 'ALL_NEW':
      return after && copyItemOut(after.item);
    case 'UPDATED_OLD':
      return before && nonEmpty(projectorOf(paths)(before.item));
    case 'UPDATED_NEW':
      return after && nonEmpty(projectorOf(paths)(after.item));
    default:
      return undefined;
  }
}

const nonEmpty = (item: Item): Item | undefined => (Object.keys(item).length > 0 ? item : undefined);
