// The writes that a transactional consumer's react returned, checked before they are sent: their number, their shape, values
// that DynamoDB can hold, and that none of them touches a table of ours. Pure. What fails here fails for ever.

import type { Write } from '../../platform/dynamodb/port.ts';

/** TransactWriteItems takes 100 items; ours are the checkpoint and, after a redrive, the dead letter's row. */
export const WRITES_PER_EVENT = 98;
/** TransactWriteItems takes 4 MB of items; an eighth is left for what cannot be seen in the request. */
export const GROUP_BYTES = 3_500_000;
/** DynamoDB: nested attributes up to 32 levels; a request adds three of its own. */
const DEPTH = 40;

export type CheckedWrites =
  | { kind: 'ok'; writes: readonly Write[]; bytes: number }
  | {
      kind: 'wrong';
      code: 'INVALID_WRITES' | 'TOO_MANY_WRITES' | 'WRITE_TO_OWN_TABLE' | 'UNEXPECTED_WRITES';
      message: string;
    };

export interface WriteRules {
  effects: 'transactional' | 'idempotent';
  ownTables: readonly string[];
}

const KINDS = ['Put', 'Update', 'Delete', 'ConditionCheck'] as const;

export function checkWrites(returned: unknown, { effects, ownTables }: WriteRules): CheckedWrites {
  if (returned === undefined || returned === null) return { kind: 'ok', writes: [], bytes: 0 };
  if (!Array.isArray(returned)) return wrong('INVALID_WRITES', `got ${typeof returned}; allowed: an array, or nothing`);
  if (effects === 'idempotent' && returned.length > 0) {
    const remedy = 'write them in react, or declare the effects "transactional"';
    return wrong(
      'UNEXPECTED_WRITES',
      `an idempotent consumer's react returned writes, which nobody commits; remedy: ${remedy}`,
    );
  }
  if (returned.length > WRITES_PER_EVENT) {
    return wrong('TOO_MANY_WRITES', `got ${returned.length}; allowed: up to ${WRITES_PER_EVENT} writes per event`);
  }
  let bytes = 0;
  for (const [index, write] of returned.entries()) {
    const found = KINDS.filter((kind) => write?.[kind] !== undefined);
    const [kind] = found;
    if (kind === undefined || found.length > 1) {
      return wrong('INVALID_WRITES', `write ${index}: allowed: exactly one of ${KINDS.join(', ')}`);
    }
    const table: unknown = write[kind].TableName;
    if (typeof table !== 'string' || table === '')
      return wrong('INVALID_WRITES', `write ${index}: TableName is missing`);
    if (ownTables.includes(tableNameOf(table))) {
      return wrong(
        'WRITE_TO_OWN_TABLE',
        `write ${index}: table "${table}" belongs to the event recovery itself; allowed: your own tables`,
      );
    }
    const size = sizeOf(write, DEPTH);
    if (typeof size === 'string') return wrong('INVALID_WRITES', `write ${index}: ${size}`);
    bytes += size;
  }
  return { kind: 'ok', writes: returned as readonly Write[], bytes };
}

const wrong = (code: Extract<CheckedWrites, { kind: 'wrong' }>['code'], message: string): CheckedWrites => ({
  kind: 'wrong',
  code,
  message: `writes of react: ${message}`,
});

/** `arn:aws:dynamodb:<region>:<account>:table/<name>` is allowed where a name is. */
const tableNameOf = (table: string): string =>
  table.startsWith('arn:') ? (table.split(':table/')[1] ?? table) : table;

const NUMBER_BYTES = 21;

/** Roughly the bytes of a value, or what makes it unfit for DynamoDB. */
function sizeOf(value: unknown, depth: number): number | string {
  if (depth === 0) return 'it is nested too deeply';
  switch (typeof value) {
    case 'string':
      return Buffer.byteLength(value);
    case 'number':
      return Number.isFinite(value) ? NUMBER_BYTES : `it holds ${value}, which no item can hold`;
    case 'bigint':
      return NUMBER_BYTES;
    case 'boolean':
    case 'undefined':
      return 1;
    case 'object':
      return value === null ? 1 : objectSize(value, depth);
    default:
      return `it holds a ${typeof value}`;
  }
}

function objectSize(value: object, depth: number): number | string {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  const entries =
    value instanceof Set ? [...value].map((member, index) => [String(index), member]) : Object.entries(value);
  let bytes = 0;
  for (const [name, member] of entries) {
    const size = sizeOf(member, depth - 1);
    if (typeof size === 'string') return size;
    bytes += size + Buffer.byteLength(name);
  }
  return value instanceof Date ? 'it holds a Date; remedy: an ISO string or a number' : bytes;
}
