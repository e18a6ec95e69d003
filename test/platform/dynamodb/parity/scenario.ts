// A parity scenario: steps that are run on both engines, and everything that can be observed of them: results, errors with
// messages, reasons and items, what the tables hold afterwards, and the DynamoDB stream.

import type { Dynamo } from '../../../../lib/platform/dynamodb/port.ts';
import type { TableSchema } from '../../../../lib/platform/dynamodb/table-schema.ts';
import type { Engine } from '../../../support/engines.ts';

/** Composite key, both kinds of index, a stream with both images. */
const MAIN: TableSchema = {
  name: 'Main',
  partitionKey: { name: 'pk', type: 'S' },
  sortKey: { name: 'sk', type: 'N' },
  indexes: [
    {
      name: 'byOwner',
      partitionKey: { name: 'holder', type: 'S' },
      sortKey: { name: 'grade', type: 'N' },
    },
    { name: 'byKind', partitionKey: { name: 'kind', type: 'S' }, projection: 'KEYS_ONLY' },
  ],
  stream: 'NEW_AND_OLD_IMAGES',
};
/** Partition key only. */
const HASH: TableSchema = { name: 'Hash', partitionKey: { name: 'id', type: 'S' } };
/** Numbers and text. */
const NUMERIC: TableSchema = {
  name: 'Numeric',
  partitionKey: { name: 'pk', type: 'N' },
  sortKey: { name: 'sk', type: 'S' },
};
/** Bytes. */
const BINARY: TableSchema = {
  name: 'Binary',
  partitionKey: { name: 'pk', type: 'B' },
  sortKey: { name: 'sk', type: 'B' },
};
const SCHEMAS = { Main: MAIN, Hash: HASH, Numeric: NUMERIC, Binary: BINARY } as const;

export type TableName = keyof typeof SCHEMAS;
type Method = keyof Dynamo;
export interface Step {
  method: Method;
  input: Record<string, unknown>;
  /** Compare the items of the answer without their order (scans). */
  unordered?: boolean;
}

export interface Scenario {
  name: string;
  steps: readonly Step[];
}

export const scenario = (name: string, ...steps: readonly Step[]): Scenario => ({ name, steps });

type Input = Record<string, unknown>;
const step =
  (method: Method) =>
  (input: Input): Step => ({
    method,
    input: method.startsWith('batch') || method === 'transactWrite' ? input : { TableName: 'Main', ...input },
  });

export const get = step('get');
export const put = step('put');
export const update = step('update');
export const remove = step('delete');
export const query = step('query');
export const scan = (input: Input): Step => ({ ...step('scan')(input), unordered: true });
export const batchGet = (input: Input): Step => ({ ...step('batchGet')(input), unordered: true });
export const batchWrite = step('batchWrite');
export const transact = (...items: Input[]): Step => ({ method: 'transactWrite', input: { TransactItems: items } });
export const transactWith = (input: Input): Step => ({ method: 'transactWrite', input });

/** One item of Main under { pk: 'a', sk: 1 }. */
export const item = (attributes: Input = {}): Step => put({ Item: { pk: 'a', sk: 1, ...attributes } });
export const KEY = { pk: 'a', sk: 1 };

export interface Observed {
  outcomes: unknown[];
  tables: Record<string, unknown[]>;
  stream: unknown[];
}

export async function observe(engine: Engine, { steps }: Scenario): Promise<Observed> {
  const used = tablesOf(steps);
  const { dynamo, items, streamRecords, close } = await engine.createTables(used.map((name) => SCHEMAS[name]));
  try {
    const outcomes: unknown[] = [];
    for (const one of steps) outcomes.push(await outcomeOf(dynamo, one));
    const tables: Record<string, unknown[]> = {};
    for (const name of used) tables[name] = sorted(await items(name));
    const stream = used.includes('Main') ? (await streamRecords('Main')).map(streamed) : [];
    return { outcomes, tables, stream };
  } finally {
    await close();
  }
}

/** Only the tables that the scenario names: creating them is most of its time. */
function tablesOf(steps: readonly Step[]): TableName[] {
  const text = shown(
    steps.map(({ input }) => (input.RequestItems ? { RequestItems: Object.keys(input.RequestItems) } : input)),
  );
  const named = (Object.keys(SCHEMAS) as TableName[]).filter(
    (name) => text.includes(`"TableName":"${name}"`) || text.includes(`["${name}"`) || text.includes(`,"${name}"`),
  );
  return named.length > 0 ? named : ['Main'];
}

async function outcomeOf(dynamo: Dynamo, { method, input, unordered }: Step): Promise<unknown> {
  try {
    const call = dynamo[method] as (input: unknown) => Promise<Record<string, unknown>>;
    const { $metadata, ConsumedCapacity, ...rest } = await call(input);
    // DynamoDB Local reports the delete of a missing item also when nobody asked.
    const asked = (input.ReturnConsumedCapacity ?? 'NONE') !== 'NONE';
    const answer = asked ? { ...rest, ConsumedCapacity } : rest;
    return unordered ? withoutOrder(answer) : answer;
  } catch (error) {
    const { name, message, Item, CancellationReasons } = error as Record<string, unknown>;
    return { error: { name, message, Item: setsSorted(Item), CancellationReasons: setsSorted(CancellationReasons) } };
  }
}

function withoutOrder(answer: Record<string, unknown>): Record<string, unknown> {
  const copy = { ...answer };
  if (Array.isArray(copy.Items)) copy.Items = sorted(copy.Items);
  if (copy.Responses) {
    copy.Responses = Object.fromEntries(
      Object.entries(copy.Responses as Record<string, unknown[]>).map(([name, items]) => [name, sorted(items)]),
    );
  }
  return copy;
}

/** `, #n = status`: for names of scenarios that differ in these only. */
export const withNames = (names: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(names ?? {})
    .map(([placeholder, name]) => `, ${placeholder} = ${name}`)
    .join('');

export const shown = (value: unknown): string =>
  JSON.stringify(value, (_, one) => {
    if (one instanceof Set) return [...one].map(shown).sort();
    if (one instanceof Uint8Array) return `bytes ${one}`;
    if (typeof one === 'bigint') return `${one}n`;
    if (one !== null && typeof one === 'object' && !Array.isArray(one)) {
      return Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    return one;
  });

export const sorted = (items: readonly unknown[]): unknown[] =>
  [...items].sort((a, b) => (shown(a) < shown(b) ? -1 : 1));

function streamed({ eventName, dynamodb }: { eventName: string; dynamodb: Record<string, unknown> }): unknown {
  const { Keys, NewImage, OldImage } = dynamodb;
  return { eventName, Keys, NewImage: setsSorted(NewImage), OldImage: setsSorted(OldImage) };
}

/** The members of a set have no order; a number has several texts (DynamoDB Local streams 0.0 for a difference of equals). */
function setsSorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(setsSorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      if (name === 'N' && typeof one === 'string') return [name, Number(one)];
      return [name, /^[SNB]S$/.test(name) && Array.isArray(one) ? [...one].sort() : setsSorted(one)];
    }),
  );
}
