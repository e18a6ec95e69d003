// Query and Scan: which records, in which order; `page.ts` does the rest.

import type { QueryCommandInput, ScanCommandInput } from '@aws-sdk/lib-dynamodb';
import { validationError } from './errors.ts';
import { type KeyRange, keyRange } from './key-condition.ts';
import { partitionHash, partitionId } from './keys.ts';
import { type Page, preparePage, type Source, sourceOf, startKeyOf } from './page.ts';
import { parsedCondition } from './parse.ts';
import type { Partition, SortTuple, StoredRecord } from './sorted-records.ts';
import type { Table } from './table.ts';
import type { Item, Value } from './values.ts';

export function query(table: Table, input: QueryCommandInput): Page {
  if (input.KeyConditionExpression === undefined) {
    throw validationError(
      'Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.',
    );
  }
  const source = sourceOf(table, input);
  const condition = parsedCondition('KeyConditionExpression', input.KeyConditionExpression);
  const reader = preparePage(source, input, condition);
  const range = keyRange(condition, reader.scope, source.schema);
  const startKey = startKeyOf(source, input);
  if (startKey) checkStartInside(source, range, startKey);
  const partition = source.records.partitions.get(partitionId(range.partition));
  const backwards = input.ScanIndexForward === false;
  return reader.read(partition ? inRange(source, partition, range, startKey, backwards) : []);
}

function checkStartInside({ schema }: Source, range: KeyRange, startKey: Item): void {
  const inPartition = partitionId(startKey[schema.partitionKey.name] as Value) === partitionId(range.partition);
  if (!inPartition) {
    throw validationError('The provided starting key is outside query boundaries based on provided conditions');
  }
  if (schema.sortKey && range.placeOf && range.placeOf(startKey[schema.sortKey.name] as Value) !== 'inside') {
    throw validationError('The provided starting key does not match the range key predicate');
  }
}

const tupleOf = (source: Source, key: Item): SortTuple => source.records.tupleOf(key);

function* inRange(
  source: Source,
  partition: Partition,
  range: KeyRange,
  startKey: Item | undefined,
  backwards: boolean,
): Generator<StoredRecord> {
  const { records } = partition;
  const sortName = source.schema.sortKey?.name;
  let from = 0;
  let to = records.length;
  if (sortName !== undefined && range.placeOf) {
    const { placeOf } = range;
    from = firstWhere(records, (record) => placeOf(record.item[sortName] as Value) !== 'below');
    to = firstWhere(records, (record) => placeOf(record.item[sortName] as Value) === 'above');
  }
  if (startKey) {
    const tuple = tupleOf(source, startKey);
    if (backwards) to = Math.min(to, source.records.lowerBound(partition, tuple));
    else from = Math.max(from, source.records.upperBound(partition, tuple));
  }
  if (backwards) for (let i = to - 1; i >= from; i -= 1) yield records[i] as StoredRecord;
  else for (let i = from; i < to; i += 1) yield records[i] as StoredRecord;
}

/** Binary search: `isAtOrAfter` is false for a prefix of the records and true for the rest. */
function firstWhere(records: readonly StoredRecord[], isAtOrAfter: (record: StoredRecord) => boolean): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAtOrAfter(records[middle] as StoredRecord)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function scan(table: Table, input: ScanCommandInput): Page {
  const source = sourceOf(table, input);
  const inSegment = segmentOf(input);
  const reader = preparePage(source, input);
  return reader.read(inScanOrder(source, startKeyOf(source, input), inSegment));
}

function* inScanOrder(
  source: Source,
  startKey: Item | undefined,
  inSegment: (hash: number) => boolean,
): Generator<StoredRecord> {
  const partitions = source.records.inScanOrder();
  const startId = startKey && partitionId(startKey[source.schema.partitionKey.name] as Value);
  const startHash = startId === undefined ? -1 : partitionHash(startId);
  for (const partition of partitions) {
    if (!inSegment(partition.hash)) continue;
    const isStart = startId !== undefined && partition.id === startId;
    const isBefore =
      startId !== undefined &&
      !isStart &&
      (partition.hash < startHash || (partition.hash === startHash && partition.id < startId));
    if (isBefore) continue;
    const from = isStart ? source.records.upperBound(partition, tupleOf(source, startKey as Item)) : 0;
    for (let i = from; i < partition.records.length; i += 1) yield partition.records[i] as StoredRecord;
  }
}

const HASH_SPACE = 2 ** 32;

function segmentOf({ Segment, TotalSegments }: ScanCommandInput): (hash: number) => boolean {
  if (Segment === undefined && TotalSegments === undefined) return () => true;
  if (Segment === undefined) {
    throw validationError(
      'The Segment parameter is required but was not present in the request when parameter TotalSegments is present',
    );
  }
  if (TotalSegments === undefined) {
    throw validationError(
      'The TotalSegments parameter is required but was not present in the request when Segment parameter is present',
    );
  }
  if (Segment >= TotalSegments) {
    throw validationError(
      `The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: ${Segment} is not less than TotalSegments: ${TotalSegments}`,
    );
  }
  const width = HASH_SPACE / TotalSegments;
  return (hash) => Math.floor(hash / width) === Segment;
}
