// Random sequences of operations on few keys, so that they meet each other's items.

import fc from 'fast-check';
import { attributes, condition, type Fragment, rendered, updateExpression } from './arbitrary-expressions.ts';
import { get, put, query, remove, type Step, scan, transact, update } from './scenario.ts';

const key = fc.record({ pk: fc.constantFrom('a', 'b'), sk: fc.integer({ min: 1, max: 3 }) });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const ask = { ReturnConsumedCapacity: 'INDEXES', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };

const puts = fc
  .tuple(key, attributes, maybe(condition))
  .map(([Key, item, test]) =>
    put({ Item: { ...Key, ...item }, ReturnValues: 'ALL_OLD', ...ask, ...rendered({ ConditionExpression: test }) }),
  );

const updates = fc
  .tuple(key, updateExpression, maybe(condition), fc.constantFrom('ALL_OLD', 'ALL_NEW'))
  .map(([Key, change, test, ReturnValues]) =>
    update({ Key, ReturnValues, ...ask, ...rendered({ UpdateExpression: change, ConditionExpression: test }) }),
  );

const removes = fc
  .tuple(key, maybe(condition))
  .map(([Key, test]) => remove({ Key, ReturnValues: 'ALL_OLD', ...ask, ...rendered({ ConditionExpression: test }) }));

const gets = key.map((Key) => get({ Key, ConsistentRead: true, ReturnConsumedCapacity: 'TOTAL' }));

const IN_PARTITION: Fragment[] = [
  { text: 'pk = ?', values: ['a'] },
  { text: 'pk = ? AND sk > ?', values: ['a', 1] },
  { text: 'pk = ? AND sk BETWEEN ? AND ?', values: ['b', 1, 2] },
];
const queries = fc
  .tuple(fc.constantFrom(...IN_PARTITION), maybe(condition), fc.boolean(), maybe(fc.integer({ min: 1, max: 3 })))
  .map(([range, filter, ScanIndexForward, Limit]) =>
    query({
      ScanIndexForward,
      // On the item at the upper bound itself the two disagree whether a next page may follow; both keep the contract.
      Limit: range.text.includes('BETWEEN') ? undefined : Limit,
      ConsistentRead: true,
      ...rendered({ KeyConditionExpression: range, FilterExpression: filter }),
    }),
  );

const scans = maybe(condition).map((filter) => scan({ ...rendered({ FilterExpression: filter }) }));
const indexScans = fc.constantFrom('byOwner', 'byKind').map((IndexName) => scan({ IndexName }));

/** Of what an update expression does to an item that it does not fit, the two speak differently inside a transaction. */
const transactions = fc
  .uniqueArray(key, { minLength: 1, maxLength: 3, selector: ({ pk, sk }) => `${pk}${sk}` })
  .chain((keys) =>
    fc.tuple(
      ...keys.map((Key) =>
        fc
          .tuple(fc.constantFrom('Put', 'Delete', 'Update', 'ConditionCheck'), attributes, maybe(condition))
          .map(([kind, item, test]) => {
            const base = { TableName: 'Main', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };
            if (kind === 'Put')
              return { Put: { ...base, Item: { ...Key, ...item }, ...rendered({ ConditionExpression: test }) } };
            if (kind === 'Delete') return { Delete: { ...base, Key, ...rendered({ ConditionExpression: test }) } };
            const set = { text: 'SET n = ?', values: [7] };
            if (kind === 'Update')
              return { Update: { ...base, Key, ...rendered({ UpdateExpression: set, ConditionExpression: test }) } };
            const check = test ?? { text: 'attribute_exists(pk)', values: [] };
            return { ConditionCheck: { ...base, Key, ...rendered({ ConditionExpression: check }) } };
          }),
      ),
    ),
  )
  .map((items) => transact(...items));

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: puts },
    { weight: 5, arbitrary: updates },
    { weight: 1, arbitrary: removes },
    { weight: 1, arbitrary: gets },
    { weight: 2, arbitrary: queries },
    { weight: 1, arbitrary: scans },
    { weight: 1, arbitrary: indexScans },
    { weight: 2, arbitrary: transactions },
  ),
  { minLength: 5, maxLength: 30 },
);
