// Numbers as DynamoDB stores them: up to 38 digits. What JavaScript holds exactly is a number, everything else keeps its text, for
// those who must be able to read, compare and put back whatever is stored.

import { NumberValue } from '@aws-sdk/lib-dynamodb';

/** @example anyNumber('7') // 7; anyNumber('0.10000000000000000001') // NumberValue { value: '0.10000000000000000001' } */
export function anyNumber(text: string): number | NumberValue {
  const number = Number(text);
  return String(number) === text ? number : NumberValue.from(text);
}
