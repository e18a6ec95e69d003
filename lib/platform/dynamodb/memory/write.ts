// Put, update, delete and condition check, in two steps: `prepare...` checks the request alone, `evaluate` decides what it
// does to the item that is there. Nothing is changed here, so a transaction can evaluate all before it commits any.

import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { conditionTest } from './condition.ts';
import { validationError } from './errors.ts';
import { checkIndexKeys } from './index-keys.ts';
import { keyOfItem, keyOfRequest, type PrimaryKey } from './keys.ts';
import { parsedCondition, parsedUpdate } from './parse.ts';
import type { RealPath } from './paths.ts';
import { type Scope, scopeOf } from './scope.ts';
import { ITEM_LIMIT_BYTES } from './size.ts';
import type { StoredRecord } from './sorted-records.ts';
import { recordOf, type Table } from './table.ts';
import { prepareUpdate } from './update.ts';
import { copyItemIn, type Item } from './values.ts';

type Conditional = Pick<
  UpdateCommandInput,
  | 'ConditionExpression'
  | 'ExpressionAttributeNames'
  | 'ExpressionAttributeValues'
  | 'ReturnValuesOnConditionCheckFailure'
>;

export type WriteRequest = Conditional &
  (
    | { kind: 'put'; Item: Record<string, unknown> | undefined }
    | { kind: 'update'; Key: Record<string, unknown> | undefined; UpdateExpression?: string }
    | { kind: 'delete' | 'check'; Key: Record<string, unknown> | undefined }
  );

export interface Evaluated {
  before: StoredRecord | undefined;
  after: StoredRecord | undefined;
}

export interface PreparedWrite {
  table: Table;
  key: PrimaryKey;
  /** Paths that an update touches. */
  paths: readonly RealPath[];
  wantsItemOnFailure: boolean;
  isCheck: boolean;
  /** False: the condition does not hold. */
  test(before: Item | undefined): boolean;
  /** What stands there afterwards; undefined is nothing. @throws ValidationException when the expression does not fit the item */
  change(before: StoredRecord | undefined): StoredRecord | undefined;
}

const NO_ITEM: Item = {};
const NO_PATHS: readonly RealPath[] = [];

export function prepareWrite(table: Table, request: WriteRequest): PreparedWrite {
  const { ConditionExpression, ReturnValuesOnConditionCheckFailure } = request;
  const condition =
    ConditionExpression === undefined ? undefined : parsedCondition('ConditionExpression', ConditionExpression);
  const update =
    request.kind === 'update' && request.UpdateExpression !== undefined
      ? parsedUpdate(request.UpdateExpression)
      : undefined;
  const absent =
    request.kind === 'update' ? 'UpdateExpression and ConditionExpression are null' : 'ConditionExpression is null';
  const scope = scopeOf(request, [update, condition], absent);
  const holds = condition && conditionTest(condition, scope);
  return {
    table,
    isCheck: request.kind === 'check',
    wantsItemOnFailure: ReturnValuesOnConditionCheckFailure === 'ALL_OLD',
    test: (before) => holds === undefined || holds(before ?? NO_ITEM),
    ...changeOf(table, request, update, scope),
  };
}

type Change = Pick<PreparedWrite, 'key' | 'paths' | 'change'>;

function changeOf(
  table: Table,
  request: WriteRequest,
  update: ReturnType<typeof parsedUpdate> | undefined,
  scope: Scope,
): Change {
  if (request.kind === 'put') {
    const item = copyItemIn(request.Item ?? {});
    const key = keyOfItem(table.schema, item);
    checkIndexKeys(table, item, 'put');
    const record = recordOf(item);
    if (record.sizeBytes > ITEM_LIMIT_BYTES) throw validationError('Item size has exceeded the maximum allowed size');
    return { key, paths: NO_PATHS, change: () => record };
  }
  const key = keyOfRequest(table.schema, request.Key);
  if (request.kind === 'delete') return { key, paths: NO_PATHS, change: () => undefined };
  if (request.kind === 'check') return { key, paths: NO_PATHS, change: (before) => before };
  const prepared = update && prepareUpdate(update, scope, table.keyNames);
  return {
    key,
    paths: prepared?.paths ?? NO_PATHS,
    change(before) {
      const base = before?.item ?? key.attributes;
      const item = prepared ? prepared.apply(base) : base;
      checkIndexKeys(table, item, 'update');
      const record = recordOf(item);
      if (record.sizeBytes > ITEM_LIMIT_BYTES) {
        throw validationError('Item size to update has exceeded the maximum allowed size');
      }
      return record;
    },
  };
}
