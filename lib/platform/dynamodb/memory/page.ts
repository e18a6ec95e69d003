// One page of a query or scan: reads records until the limit or 1 MB, filters, projects, and says where to go on.
// Source: API reference, Query: "A single Query operation can return a maximum of 1 MB of data. This limit applies before
// any FilterExpression or ProjectionExpression is applied to the results."

import type { QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import type { TableSchema } from '../table-schema.ts';
import type { Condition, Path } from './ast.ts';
import { CapacityMeter, readUnits } from './capacity.ts';
import { conditionTest } from './condition.ts';
import { validationError } from './errors.ts';
import { projectIndexed } from './indexed.ts';
import type { KeySchema } from './keys.ts';
import { checkOneOf } from './parameters.ts';
import { type Parsed, parsedCondition, parsedProjection } from './parse.ts';
import { type Projector, projector } from './projection.ts';
import { nameOf, type Scope, scopeOf } from './scope.ts';
import { itemSize } from './size.ts';
import type { SortedRecords, StoredRecord } from './sorted-records.ts';
import type { Index, Table } from './table.ts';
import { copyIn, copyItemOut, type Item, typeOf, type Value } from './values.ts';

export const PAGE_LIMIT_BYTES = 1024 * 1024;

export type PagedInput = Pick<
  QueryCommandInput,
  | 'IndexName'
  | 'FilterExpression'
  | 'ProjectionExpression'
  | 'ExpressionAttributeNames'
  | 'ExpressionAttributeValues'
  | 'ConsistentRead'
  | 'Limit'
  | 'Select'
  | 'ExclusiveStartKey'
  | 'ReturnConsumedCapacity'
>;

/** What is read: the table itself or one of its indexes. */
export interface Source {
  table: Table;
  index: Index | undefined;
  records: SortedRecords;
  schema: KeySchema;
  /** What LastEvaluatedKey holds. */
  keyNames: readonly string[];
}

export function sourceOf(table: Table, input: PagedInput): Source {
  const { IndexName } = input;
  if (IndexName === undefined) {
    return { table, index: undefined, records: table.records, schema: table.schema, keyNames: table.keyNames };
  }
  const index = table.indexes.get(IndexName);
  if (!index) throw validationError(`The table does not have the specified index: ${IndexName}`);
  if (input.ConsistentRead) throw validationError('Consistent reads are not supported on global secondary indexes');
  return { table, index, records: index.records, schema: index.schema, keyNames: index.keyNames };
}

export interface PageReader {
  scope: Scope;
  /** @param records lazily, in reading order */
  read(records: Iterable<StoredRecord>): Page;
}

export interface Page {
  Items?: Item[];
  Count: number;
  ScannedCount: number;
  LastEvaluatedKey?: Item;
  ConsumedCapacity?: ReturnType<CapacityMeter['single']>;
}

export function preparePage(source: Source, input: PagedInput, keyCondition?: Parsed<unknown>): PageReader {
  checkOneOf('select', input.Select, ['ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES', 'COUNT', 'SPECIFIC_ATTRIBUTES']);
  const { Limit } = input;
  if (Limit !== undefined && !(Number.isInteger(Limit) && Limit >= 1)) {
    throw validationError(
      `1 validation error detected: Value '${Limit}' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1`,
    );
  }
  const filter =
    input.FilterExpression === undefined ? undefined : parsedCondition('FilterExpression', input.FilterExpression);
  const projection =
    input.ProjectionExpression === undefined ? undefined : parsedProjection(input.ProjectionExpression);
  checkSelect(source, input);
  const scope = scopeOf(input, [filter, projection, keyCondition], 'FilterExpression is null');
  checkProjected(source, input, filter, projection, scope);
  const passes = filter && conditionTest(filter, scope);
  const shape = projection ? projector(projection, scope) : copyItemOut;
  return { scope, read: (records) => readPage(source, input, records, passes, shape) };
}

function checkSelect({ index }: Source, { Select, ProjectionExpression }: PagedInput): void {
  if (ProjectionExpression !== undefined && Select !== undefined && Select !== 'SPECIFIC_ATTRIBUTES') {
    throw validationError(
      `Cannot specify the ProjectionExpression when choosing to get ${Select === 'COUNT' ? 'only the Count' : Select}`,
    );
  }
  if (Select === 'SPECIFIC_ATTRIBUTES' && ProjectionExpression === undefined) {
    throw validationError(
      'Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES',
    );
  }
  if (Select === 'ALL_PROJECTED_ATTRIBUTES' && !index) {
    throw validationError('ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName');
  }
  if (Select === 'ALL_ATTRIBUTES' && index?.schema.projection === 'KEYS_ONLY') {
    throw validationError(
      `One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index ${index.schema.name} because its projection type is not ALL`,
    );
  }
}

/** A query's filter must leave the keys alone; a keys-only index has nothing else to show or to filter by. */
function checkProjected(
  { index, schema, keyNames }: Source,
  input: PagedInput,
  filter: Parsed<Condition> | undefined,
  projection: Parsed<Path[]> | undefined,
  scope: Scope,
): void {
  const rootsOf = (parsed: Parsed<unknown> | undefined) =>
    [...(parsed?.references.roots ?? [])].map((root) => nameOf(root, scope));
  if (filter && 'KeyConditionExpression' in input) {
    const key = rootsOf(filter).find((name) => name === schema.partitionKey.name || name === schema.sortKey?.name);
    if (key !== undefined) {
      throw validationError(
        `Filter Expression can only contain non-primary key attributes: Primary key attribute: ${key}`,
      );
    }
  }
  if (index?.schema.projection !== 'KEYS_ONLY') return;
  const missing = (parsed: Parsed<unknown> | undefined) => rootsOf(parsed).filter((name) => !keyNames.includes(name));
  const [shown, tested] = [missing(projection), missing(filter)];
  const about = 'One or more parameter values were invalid:';
  if (shown.length > 0) {
    throw validationError(
      `${about} Global secondary index ${index.schema.name} does not project [${shown.join(', ')}]`,
    );
  }
  if (tested.length > 0) {
    throw validationError(
      `${about} Secondary index ${index.schema.name} does not project one or more filter attributes: [${tested.join(', ')}]`,
    );
  }
}

function readPage(
  source: Source,
  input: PagedInput,
  records: Iterable<StoredRecord>,
  passes: ((item: Item) => boolean) | undefined,
  shape: Projector,
): Page {
  const items: Item[] = [];
  const countOnly = input.Select === 'COUNT';
  let scanned = 0;
  let count = 0;
  let bytes = 0;
  let last: Item | undefined;
  let more = false;
  for (const { item: stored, sizeBytes } of records) {
    if (bytes >= PAGE_LIMIT_BYTES) {
      more = true;
      break;
    }
    const item = source.index ? projectIndexed(source.index, stored) : stored;
    scanned += 1;
    bytes += item === stored ? sizeBytes : itemSize(item);
    if (!passes || passes(item)) {
      count += 1;
      if (!countOnly) items.push(shape(item));
    }
    last = item;
    // A full page says "go on" even when nothing follows.
    if (scanned === input.Limit) {
      more = true;
      break;
    }
  }
  const capacity = capacityOf(source, input, bytes);
  return {
    ...(!countOnly && { Items: items }),
    Count: count,
    ScannedCount: scanned,
    ...(more && last && { LastEvaluatedKey: pickKey(source, last) }),
    ...(capacity && { ConsumedCapacity: capacity }),
  };
}

function capacityOf({ table, index }: Source, input: PagedInput, bytes: number) {
  const meter = new CapacityMeter(input.ReturnConsumedCapacity);
  const units = readUnits(bytes, input.ConsistentRead === true);
  if (index) meter.addIndex(table.schema.name, index.schema.name, units);
  else meter.addTable(table.schema.name, units);
  return meter.single();
}

const pickKey = ({ keyNames: names }: Source, item: Item): Item =>
  copyItemOut(Object.fromEntries(names.map((name) => [name, item[name] as Value])));

/** The key to start after, checked against the schema; undefined at the beginning. */
export function startKeyOf(source: Source, input: PagedInput): Item | undefined {
  const raw = input.ExclusiveStartKey as Record<string, unknown> | undefined;
  if (raw === undefined) return undefined;
  const types = new Map(keyTypes(source.table.schema, source.schema));
  const given = Object.keys(raw).filter((name) => raw[name] !== undefined);
  const key: Item = {};
  for (const name of given) key[name] = copyIn(raw[name]);
  const valid =
    given.length === types.size &&
    [...types].every(([name, type]) => Object.hasOwn(key, name) && typeOf(key[name] as Value) === type);
  if (!valid) throw validationError('The provided starting key is invalid');
  return key;
}

const keyTypes = (...schemas: (TableSchema | KeySchema)[]): [string, string][] =>
  schemas.flatMap(({ partitionKey, sortKey }) =>
    [partitionKey, ...(sortKey ? [sortKey] : [])].map(({ name, type }): [string, string] => [name, type]),
  );
