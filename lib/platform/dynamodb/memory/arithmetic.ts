// Addition and subtraction of DynamoDB numbers, which are decimal: 0.1 + 0.2 is 0.3. Whole numbers take the fast path.

import { validationError } from './errors.ts';
import { narrowed } from './values.ts';

export function add(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(a) && Number.isSafeInteger(b) && Number.isSafeInteger(sum)) return sum === 0 ? 0 : sum;
  }
  return fromDecimal(addDecimals(toDecimal(a), toDecimal(b)));
}

export const negate = (value: number | bigint): number | bigint => (value === 0 ? 0 : -value);

/** coefficient x 10^exponent */
interface Decimal {
  coefficient: bigint;
  exponent: number;
}

function toDecimal(value: number | bigint): Decimal {
  const [mantissa = '0', exponentText = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return { coefficient: BigInt(whole + fraction), exponent: Number(exponentText) - fraction.length };
}

function addDecimals(a: Decimal, b: Decimal): Decimal {
  const exponent = Math.min(a.exponent, b.exponent);
  const scaled = (d: Decimal) => d.coefficient * 10n ** BigInt(d.exponent - exponent);
  return { coefficient: scaled(a) + scaled(b), exponent };
}

function fromDecimal({ coefficient, exponent }: Decimal): number | bigint {
  if (coefficient === 0n) return 0;
  const significant = coefficient.toString().replace('-', '').replace(/0+$/, '').length;
  if (significant > 38)
    throw validationError('Number overflow. Attempting to store more than 38 significant digits in a Number');
  if (exponent >= 0) return narrowed(coefficient * 10n ** BigInt(exponent));
  return Number(`${coefficient}e${exponent}`);
}
