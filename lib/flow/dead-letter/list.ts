// Listing dead letters: the index of the most selective field given, the rest as a filter, pages fetched as the caller goes
// on. Without any field the statuses are read side by side and merged, so that the answer is oldest first, too.

import type { DeadLetter, DeadLetterStatus } from '../../model/dead-letter.ts';
import { withRetries } from '../checkpoint/refusal.ts';
import type { DeadLetterFilter } from './port.ts';
import { type DeadLetterTable, toDeadLetter } from './row.ts';

const ALL_STATUSES: Record<DeadLetterStatus, true> = {
  parked: true,
  skipped: true,
  redriving: true,
  resolved: true,
  discarded: true,
  superseded: true,
};

type Field = 'eventId' | 'fingerprint' | 'consumer' | 'eventType' | 'status';

/** Most selective first. */
const INDEXES: readonly (readonly [Field, string])[] = [
  ['eventId', 'byEvent'],
  ['fingerprint', 'byFingerprint'],
  ['consumer', 'byConsumer'],
  ['eventType', 'byType'],
  ['status', 'byStatus'],
];

export async function* listDeadLetters(table: DeadLetterTable, filter: DeadLetterFilter): AsyncGenerator<DeadLetter> {
  const index = INDEXES.find(([field]) => filter[field] !== undefined);
  if (index !== undefined) {
    yield* queryIndex(table, index, filter);
    return;
  }
  const statuses = Object.keys(ALL_STATUSES) as DeadLetterStatus[];
  const byStatus: readonly [Field, string] = ['status', 'byStatus'];
  yield* mergedByAge(statuses.map((status) => queryIndex(table, byStatus, { ...filter, status })));
}

async function* queryIndex(
  table: DeadLetterTable,
  [field, indexName]: readonly [Field, string],
  filter: DeadLetterFilter,
): AsyncGenerator<DeadLetter> {
  const failedFrom = filter.failedFrom ?? 0;
  const failedTo = filter.failedTo ?? Number.MAX_SAFE_INTEGER;
  // BETWEEN refuses a lower bound above the upper one.
  if (failedFrom > failedTo) return;
  const others = INDEXES.map(([other]) => other).filter((other) => other !== field && filter[other] !== undefined);
  let startKey: Record<string, unknown> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await withRetries(table.world, () =>
      table.dynamo.query({
        TableName: table.table,
        IndexName: indexName,
        KeyConditionExpression: '#field = :field AND #failedAt BETWEEN :from AND :to',
        ...(others.length > 0 && { FilterExpression: others.map((other) => `#${other} = :${other}`).join(' AND ') }),
        ExpressionAttributeNames: {
          '#field': field,
          '#failedAt': 'firstFailedAt',
          ...Object.fromEntries(others.map((other) => [`#${other}`, other])),
        },
        ExpressionAttributeValues: {
          ':field': filter[field],
          ':from': failedFrom,
          ':to': failedTo,
          ...Object.fromEntries(others.map((other) => [`:${other}`, filter[other]])),
        },
        ...(startKey && { ExclusiveStartKey: startKey }),
      }),
    );
    for (const item of Items) yield toDeadLetter(item);
    startKey = LastEvaluatedKey;
  } while (startKey !== undefined);
}

/** Merges sequences that are each ordered by `firstFailedAt`. */
async function* mergedByAge(sequences: readonly AsyncGenerator<DeadLetter>[]): AsyncGenerator<DeadLetter> {
  const heads = await Promise.all(sequences.map(async (sequence) => ({ sequence, head: await sequence.next() })));
  for (;;) {
    const open = heads.filter(({ head }) => !head.done);
    const [first, ...rest] = open;
    if (first === undefined) return;
    const oldest = rest.reduce((a, b) => (b.head.value.firstFailedAt < a.head.value.firstFailedAt ? b : a), first);
    yield oldest.head.value;
    oldest.head = await oldest.sequence.next();
  }
}
