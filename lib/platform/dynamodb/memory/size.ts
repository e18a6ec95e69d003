// How many bytes an item counts for, for the 400 KB limit, 1 MB pages and capacity units.
// Source: Developer Guide, "DynamoDB item sizes and formats".

import { type Item, isBinary, isSet, type Value, type ValueMap } from './values.ts';

export const KB = 1024;
/** Developer Guide, "Constraints": 400 KB, attribute names included. */
export const ITEM_LIMIT_BYTES = 400 * KB;

/** Short strings are counted here, because a call into the runtime costs more than the loop. */
const SHORT = 48;

export function utf8Length(text: string): number {
  if (text.length > SHORT) return Buffer.byteLength(text);
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) >= 0x80) return Buffer.byteLength(text);
  }
  return text.length;
}

export function sizeOf(value: Value): number {
  switch (typeof value) {
    case 'string':
      return utf8Length(value);
    case 'number':
    case 'bigint':
      return numberSize(value);
    case 'boolean':
      return 1;
    default:
      if (value === null) return 1;
      if (isBinary(value)) return value.length;
      if (Array.isArray(value)) return value.reduce<number>((sum, element) => sum + sizeOf(element) + 1, 3);
      if (isSet(value)) return [...(value as Set<string>)].reduce((sum, one) => sum + sizeOf(one), 0);
      return 3 + Object.keys(value).length + membersSize(value);
  }
}

export function membersSize(map: ValueMap): number {
  let bytes = 0;
  for (const name of Object.keys(map)) bytes += utf8Length(name) + sizeOf(map[name] as Value);
  return bytes;
}

export const itemSize = (item: Item): number => membersSize(item);

/** "approximately (length of attribute name) + (1 byte per two significant digits) + (1 byte)", one more when negative. */
function numberSize(value: number | bigint): number {
  return Number.isSafeInteger(value) ? wholeNumberSize(value as number) : decimalSize(value);
}

/** Digits in pairs, without the pairs of zeros at the end. */
function wholeNumberSize(value: number): number {
  if (value === 0) return 1;
  let rest = Math.abs(value);
  while (rest % 100 === 0) rest /= 100;
  let bytes = value < 0 ? 2 : 1;
  for (; rest > 0; rest = Math.floor(rest / 100)) bytes += 1;
  return bytes;
}

function decimalSize(value: number | bigint): number {
  const [mantissa = '', exponentText] = String(value).replace('-', '').split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  let exponent = Number(exponentText ?? 0) - fraction.length;
  let digits = (whole + fraction).replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  exponent += digits.length - trimmed.length;
  digits = trimmed;
  // Digits are stored in pairs around the decimal point: an odd exponent splits one more pair.
  const pairs = exponent % 2 === 0 ? Math.ceil(digits.length / 2) : Math.ceil((digits.length + 1) / 2);
  return pairs + 1 + (value < 0 ? 1 : 0);
}
