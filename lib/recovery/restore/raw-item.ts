// An item exactly as it is stored, whatever it holds: a digest over all of its attributes, the condition that it still is what
// was seen, and a text form that keeps every attribute, for the quarantine.

import { createHash } from 'node:crypto';
import { convertToAttr, convertToNative } from '@aws-sdk/util-dynamodb';
import { hashCommit } from '../../flow/event-store/hash.ts';
import type { StoredCommit } from '../../model/commit.ts';
import { anyNumber } from '../../platform/dynamodb/any-number.ts';

export type RawItem = Record<string, unknown>;

const KEY_ATTRIBUTES: ReadonlySet<string> = new Set(['streamId', 'version']);
/** What a commit is stored as, and nothing else. */
export const COMMIT_ATTRIBUTES: ReadonlySet<string> = new Set([
  ...KEY_ATTRIBUTES,
  ...['count', 'events', 'encoding', 'format', 'recordedAt', 'previousHash', 'hash'],
]);

/** DynamoDB's JSON, attributes in the order of their names, binary values in base64. */
export function textOf(item: RawItem): string {
  const names = Object.keys(item).sort();
  const wire = Object.fromEntries(
    names.filter((name) => item[name] !== undefined).map((name) => [name, convertToAttr(item[name], MARSHALL)]),
  );
  return JSON.stringify(wire, (_key, value: unknown) =>
    value instanceof Uint8Array
      ? Buffer.from(value).toString('base64')
      : isBufferJson(value)
        ? Buffer.from(value.data).toString('base64')
        : value,
  );
}

const MARSHALL = { convertEmptyValues: false, removeUndefinedValues: true } as const;
/** A Buffer becomes this before a JSON replacer sees it. */
const isBufferJson = (value: unknown): value is { type: 'Buffer'; data: number[] } =>
  (value as { type?: unknown } | null)?.type === 'Buffer' && Array.isArray((value as { data?: unknown }).data);

export function itemOf(text: string): RawItem {
  const wire = JSON.parse(text) as Record<string, Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(wire).map(([name, value]) => [
      name,
      typeof value.B === 'string'
        ? Buffer.from(value.B, 'base64')
        : convertToNative(value as never, { wrapNumbers: anyNumber }),
    ]),
  );
}

/** SHA-256 in hex over everything that the item holds. */
export const digestOf = (item: RawItem): string => createHash('sha256').update(textOf(item)).digest('hex');

/** The hash of a commit over what is stored, whatever the item's own `hash` says; of garbage the digest. */
export const hashOfStored = (item: RawItem): string =>
  typeof item.events === 'string' || item.events instanceof Uint8Array
    ? hashCommit(item as unknown as StoredCommit)
    : digestOf(item);

export interface ItemCondition {
  ConditionExpression: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, unknown>;
}

/**
 * Holds while the item is exactly what was seen; without `seen`: while there is none.
 * @param keys the table's key attributes
 * @param attributes those that are absent must stay absent
 */
export function isStillAsSeen(
  seen: RawItem | undefined,
  keys: ReadonlySet<string> = KEY_ATTRIBUTES,
  attributes: ReadonlySet<string> = COMMIT_ATTRIBUTES,
): ItemCondition {
  const [key] = [...keys].slice(-1);
  if (seen === undefined) {
    return { ConditionExpression: 'attribute_not_exists(#key)', ExpressionAttributeNames: { '#key': String(key) } };
  }
  const names = [...new Set([...attributes, ...Object.keys(seen)])].filter((name) => !keys.has(name));
  const isThere = (name: string): boolean => seen[name] !== undefined;
  const clauses = names.map((name, at) => (isThere(name) ? `#a${at} = :v${at}` : `attribute_not_exists(#a${at})`));
  const values = Object.fromEntries(names.flatMap((name, at) => (isThere(name) ? [[`:v${at}`, seen[name]]] : [])));
  return {
    ConditionExpression: ['attribute_exists(#key)', ...clauses].join(' AND '),
    ExpressionAttributeNames: {
      '#key': String(key),
      ...Object.fromEntries(names.map((name, at) => [`#a${at}`, name])),
    },
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
  };
}
