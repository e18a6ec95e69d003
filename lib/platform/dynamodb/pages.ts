// Pagination as async iterables. A page can be empty and still not be the last: only a missing LastEvaluatedKey ends it.

import type { QueryCommandInput, QueryCommandOutput, ScanCommandInput, ScanCommandOutput } from '@aws-sdk/lib-dynamodb';
import type { Dynamo } from './port.ts';

type Page<Output> = Omit<Output, '$metadata'>;
/** The caller's `break` ends the reading; nothing is read ahead. */
type Item = Record<string, unknown>;

export async function* queryPages(
  dynamo: Pick<Dynamo, 'query'>,
  input: QueryCommandInput,
): AsyncGenerator<Page<QueryCommandOutput>> {
  let start = input.ExclusiveStartKey;
  do {
    const page = await dynamo.query({ ...input, ExclusiveStartKey: start });
    yield page;
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
}

export async function* scanPages(
  dynamo: Pick<Dynamo, 'scan'>,
  input: ScanCommandInput,
): AsyncGenerator<Page<ScanCommandOutput>> {
  let start = input.ExclusiveStartKey;
  do {
    const page = await dynamo.scan({ ...input, ExclusiveStartKey: start });
    yield page;
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
}

/** Every item of the query, in order. `Limit` is the page size, not the number of items. */
export async function* queryAll<T extends Item = Item>(
  dynamo: Pick<Dynamo, 'query'>,
  input: QueryCommandInput,
): AsyncGenerator<T> {
  for await (const { Items = [] } of queryPages(dynamo, input)) yield* Items as T[];
}

/** Every item of the scan, in no order. */
export async function* scanAll<T extends Item = Item>(
  dynamo: Pick<Dynamo, 'scan'>,
  input: ScanCommandInput,
): AsyncGenerator<T> {
  for await (const { Items = [] } of scanPages(dynamo, input)) yield* Items as T[];
}
