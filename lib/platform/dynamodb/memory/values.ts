// Attribute values as the memory engine holds them: plain JavaScript values, never shared with a caller and never changed
// after they were stored. What the document client refuses (NaN, empty sets, class instances) is refused here as well.

import { validationError } from './errors.ts';

export type AttributeSet = Set<string> | Set<number | bigint> | Set<Uint8Array>;
export type Value = string | number | bigint | boolean | null | Uint8Array | AttributeSet | Value[] | ValueMap;
export interface ValueMap {
  [name: string]: Value;
}
export type Item = ValueMap;
export type TypeCode = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'SS' | 'NS' | 'BS' | 'L' | 'M';

/** Developer Guide, "Constraints in Amazon DynamoDB": nested attributes are supported up to 32 levels deep. */
const NESTING_LIMIT = 32;
/** Same page: numbers have up to 38 digits of precision, and magnitudes from 1E-130 to 9.99E+125. */
const NUMBER_DIGITS = 38;
const SMALLEST_NUMBER = 1e-130;

export const isSet = (value: Value): value is AttributeSet => value instanceof Set;
export const isBinary = (value: unknown): value is Uint8Array => value instanceof Uint8Array;
export const isMap = (value: Value): value is ValueMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isBinary(value) && !isSet(value);

export function typeOf(value: Value): TypeCode {
  switch (typeof value) {
    case 'string':
      return 'S';
    case 'number':
    case 'bigint':
      return 'N';
    case 'boolean':
      return 'BOOL';
    default:
      if (value === null) return 'NULL';
      if (Array.isArray(value)) return 'L';
      if (isBinary(value)) return 'B';
      return isSet(value) ? setTypeOf(value) : 'M';
  }
}

function setTypeOf(set: AttributeSet): TypeCode {
  for (const member of set) return typeof member === 'string' ? 'SS' : isBinary(member) ? 'BS' : 'NS';
  return 'SS';
}

/** Reads an own member: `constructor` or `__proto__` are names like any other. */
export const member = (map: ValueMap, name: string): Value | undefined =>
  Object.hasOwn(map, name) ? map[name] : undefined;

/** Sets an own member, also `__proto__`. */
export function setMember(map: ValueMap, name: string, value: Value): void {
  if (name === '__proto__') {
    Object.defineProperty(map, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    map[name] = value;
  }
}

/** A caller's item, checked and copied. Members that are `undefined` are left out, as the document client does. */
export function copyItemIn(item: unknown): Item {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    throw validationError('One or more parameter values were invalid: an item must be a map of attributes');
  }
  return mapIn(item as Record<string, unknown>, 0);
}

/** A caller's value, checked and copied. */
export function copyIn(value: unknown, depth = 0): Value {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return numberIn(value);
    case 'bigint':
      return bigintIn(value);
    case 'object':
      return value === null ? null : objectIn(value, depth);
    case 'undefined':
      throw new Error('Pass options.removeUndefinedValues=true to remove undefined values from map/array/set.');
    default:
      throw unsupportedType(value);
  }
}

const unsupportedType = (value: unknown): Error =>
  new Error(
    `Unsupported type passed: ${String(value)}. Pass options.convertClassInstanceToMap=true to marshall typeof object as map attribute.`,
  );

function numberIn(value: number): number {
  if (!Number.isFinite(value)) throw new Error(`Special numeric value ${value} is not allowed`);
  if (value > Number.MAX_SAFE_INTEGER) {
    throw new Error(
      `Number ${value} is greater than Number.MAX_SAFE_INTEGER. Use NumberValue from @aws-sdk/lib-dynamodb.`,
    );
  }
  if (value < Number.MIN_SAFE_INTEGER) {
    throw new Error(
      `Number ${value} is lesser than Number.MIN_SAFE_INTEGER. Use NumberValue from @aws-sdk/lib-dynamodb.`,
    );
  }
  if (value !== 0 && Math.abs(value) < SMALLEST_NUMBER) {
    throw validationError('Number underflow. Attempting to store a number with magnitude smaller than supported range');
  }
  return value === 0 ? 0 : value;
}

function bigintIn(value: bigint): number | bigint {
  const digits = (value < 0n ? -value : value).toString();
  if (digits.length > 126) {
    throw validationError('Number overflow. Attempting to store a number with magnitude larger than supported range');
  }
  if (digits.replace(/0+$/, '').length > NUMBER_DIGITS) {
    throw validationError('Attempting to store more than 38 significant digits in a Number');
  }
  return narrowed(value);
}

/** What the document client gives back: a number where it is exact, otherwise a bigint. */
export const narrowed = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

function objectIn(value: object, depth: number): Value {
  if (depth >= NESTING_LIMIT) {
    throw validationError(
      'Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit',
    );
  }
  if (Array.isArray(value)) {
    const list: Value[] = [];
    for (const element of value) {
      if (element !== undefined && typeof element !== 'function') list.push(copyIn(element, depth + 1));
    }
    return list;
  }
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  if (value instanceof Set) return setIn(value);
  if (value instanceof Map) return mapIn(Object.fromEntries(value), depth);
  const prototype = Object.getPrototypeOf(value);
  // The document client looks at the constructor's name, so that objects of another realm (jest) pass.
  if (prototype === null || prototype.constructor?.name === 'Object') {
    return mapIn(value as Record<string, unknown>, depth);
  }
  throw unsupportedType(value);
}

function mapIn(source: Record<string, unknown>, depth: number): ValueMap {
  const map: ValueMap = {};
  for (const name of Object.keys(source)) {
    const value = source[name];
    if (value === undefined || typeof value === 'function') continue;
    if (name === '' && depth > 0) throw validationError('Empty attribute name');
    const type = typeof value;
    const copy = type === 'string' || type === 'boolean' ? (value as Value) : copyIn(value, depth + 1);
    if (name === '__proto__') setMember(map, name, copy);
    else map[name] = copy;
  }
  return map;
}

function setIn(source: Set<unknown>): AttributeSet {
  const members = [...source].filter((value) => value !== undefined).map((value) => copyIn(value));
  if (members.length === 0) throw new Error('Pass a non-empty set, or options.convertEmptyValues=true.');
  const kinds = new Set(members.map(typeOf));
  const kind = kinds.size === 1 ? typeOf(members[0] as Value) : undefined;
  if (kind !== 'S' && kind !== 'N' && kind !== 'B') {
    throw new Error('Only Number Set (NS), Binary Set (BS) or String Set (SS) are allowed.');
  }
  if (
    kind === 'B' &&
    new Set(members.map((value) => Buffer.from(value as Uint8Array).toString('latin1'))).size < members.length
  ) {
    throw validationError(
      'One or more parameter values were invalid: Input collection of type BS contains duplicates.',
    );
  }
  return new Set(members) as AttributeSet;
}

/** A copy that a caller may change. */
export function copyOut(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOut);
  if (isBinary(value)) return value.slice();
  if (isSet(value)) {
    return new Set(
      [...(value as Set<string | Uint8Array>)].map((one) => (isBinary(one) ? one.slice() : one)),
    ) as AttributeSet;
  }
  return copyItemOut(value);
}

export function copyItemOut(item: Item): Item {
  const copy: Item = {};
  for (const name of Object.keys(item)) {
    const value = item[name] as Value;
    const own = typeof value === 'object' && value !== null ? copyOut(value) : value;
    if (name === '__proto__') setMember(copy, name, own);
    else copy[name] = own;
  }
  return copy;
}
