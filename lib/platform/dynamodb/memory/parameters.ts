// Which request parameters this engine implements. Any other one throws: a parameter that is silently ignored would let a
// test pass that fails on AWS.

import { unsupported, validationError } from './errors.ts';

const EXPRESSIONS = ['ExpressionAttributeNames', 'ExpressionAttributeValues'];
const CONDITION = ['ConditionExpression', 'ReturnValuesOnConditionCheckFailure', ...EXPRESSIONS];
const READ = ['TableName', 'ReturnConsumedCapacity', 'ConsistentRead', 'ProjectionExpression'];
const PAGED = [...READ, ...EXPRESSIONS, 'IndexName', 'FilterExpression', 'Limit', 'ExclusiveStartKey', 'Select'];
const WRITE = ['TableName', 'ReturnConsumedCapacity', 'ReturnItemCollectionMetrics', 'ReturnValues', ...CONDITION];

const ALLOWED = {
  get: new Set([...READ, 'Key', 'ExpressionAttributeNames']),
  put: new Set([...WRITE, 'Item']),
  update: new Set([...WRITE, 'Key', 'UpdateExpression']),
  delete: new Set([...WRITE, 'Key']),
  query: new Set([...PAGED, 'KeyConditionExpression', 'ScanIndexForward']),
  scan: new Set([...PAGED, 'Segment', 'TotalSegments']),
  batchGet: new Set(['RequestItems', 'ReturnConsumedCapacity']),
  batchGetTable: new Set(['Keys', 'ConsistentRead', 'ProjectionExpression', 'ExpressionAttributeNames']),
  batchWrite: new Set(['RequestItems', 'ReturnConsumedCapacity', 'ReturnItemCollectionMetrics']),
  transactWrite: new Set([
    'TransactItems',
    'ReturnConsumedCapacity',
    'ReturnItemCollectionMetrics',
    'ClientRequestToken',
  ]),
  transactItem: new Set(['Put', 'Update', 'Delete', 'ConditionCheck']),
  Put: new Set(['TableName', 'Item', ...CONDITION]),
  Update: new Set(['TableName', 'Key', 'UpdateExpression', ...CONDITION]),
  Delete: new Set(['TableName', 'Key', ...CONDITION]),
  ConditionCheck: new Set(['TableName', 'Key', ...CONDITION]),
} satisfies Record<string, Set<string>>;

export type RequestKind = keyof typeof ALLOWED;

export function checkParameters(kind: RequestKind, input: object): void {
  const allowed: ReadonlySet<string> = ALLOWED[kind];
  for (const name of Object.keys(input)) {
    if (!allowed.has(name) && (input as Record<string, unknown>)[name] !== undefined) {
      throw unsupported(`parameter ${name} of ${kind}`, (input as Record<string, unknown>)[name]);
    }
  }
  const { ReturnItemCollectionMetrics: metrics, ReturnConsumedCapacity: capacity } = input as Record<string, unknown>;
  if (metrics !== undefined && metrics !== 'NONE') throw unsupported('parameter ReturnItemCollectionMetrics', metrics);
  checkOneOf('returnConsumedCapacity', capacity, ['INDEXES', 'TOTAL', 'NONE']);
}

export function checkOneOf(what: string, value: unknown, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value as string)) return;
  throw validationError(
    `1 validation error detected: Value '${String(value)}' at '${what}' failed to satisfy constraint: Member must satisfy enum value set: [${allowed.join(', ')}]`,
  );
}
