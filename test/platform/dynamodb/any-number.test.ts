// A number is one only when JavaScript holds exactly what is stored.

import { NumberValue } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { anyNumber } from '../../../lib/platform/dynamodb/any-number.ts';

describe('a stored number', () => {
  it.each(['0', '7', '-3', '2.5', '0.1', '9007199254740991'])('%s is a number', (text) => {
    expect(anyNumber(text)).toBe(Number(text));
  });

  it.each(['9007199254740993', '0.10000000000000000001', '1234567890.12345678901', '1E+125', '-0'])(
    '%s keeps its text',
    (text) => {
      expect(anyNumber(text)).toBeInstanceOf(NumberValue);
      expect(String((anyNumber(text) as NumberValue).value)).toBe(text);
    },
  );
});
