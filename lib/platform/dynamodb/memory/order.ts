// Equality and order of attribute values as DynamoDB defines them: strings by UTF-8 bytes, binary by unsigned bytes,
// numbers by value, sets without order. Values of different types are unequal and have no order.

import { type AttributeSet, isBinary, isSet, type Value, type ValueMap } from './values.ts';

/** Negative, zero or positive; undefined when the two types have no order between them. */
export function compare(a: Value, b: Value): number | undefined {
  if (typeof a === 'string') return typeof b === 'string' ? compareStrings(a, b) : undefined;
  if (typeof a === 'number' || typeof a === 'bigint') {
    if (typeof b !== 'number' && typeof b !== 'bigint') return undefined;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return isBinary(a) && isBinary(b) ? compareBytes(a, b) : undefined;
}

const FIRST_SURROGATE = 0xd800;
const FIRST_AFTER_SURROGATES = 0xe000;

/** By code point, which is the order of the UTF-8 bytes; JavaScript's `<` puts surrogate pairs before U+E000. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const surrogates =
      (x >= FIRST_SURROGATE && x < FIRST_AFTER_SURROGATES) !== (y >= FIRST_SURROGATE && y < FIRST_AFTER_SURROGATES);
    return surrogates && x >= FIRST_SURROGATE && y >= FIRST_SURROGATE ? y - x : x - y;
  }
  return a.length - b.length;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equal(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((element, i) => equal(element, b[i] as Value));
  }
  if (isBinary(a)) return isBinary(b) && a.length === b.length && compareBytes(a, b) === 0;
  if (isSet(a)) return isSet(b) && equalSets(a, b);
  return !Array.isArray(b) && !isBinary(b) && !isSet(b) && equalMaps(a, b);
}

function equalSets(a: AttributeSet, b: AttributeSet): boolean {
  if (a.size !== b.size) return false;
  for (const member of a) if (!hasMember(b, member)) return false;
  return true;
}

export function equalMaps(a: ValueMap, b: ValueMap): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && equal(a[name] as Value, b[name] as Value));
}

export function hasMember(set: AttributeSet, member: Value): boolean {
  if (!isBinary(member)) return (set as Set<unknown>).has(member);
  for (const other of set)
    if (isBinary(other) && other.length === member.length && compareBytes(other, member) === 0) return true;
  return false;
}
