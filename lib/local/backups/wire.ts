// Items in the JSON of DynamoDB's wire, as stream records and export files hold them, and as the SDK's client takes them:
// the same, but for binary values, which are base64 on the wire and bytes in the SDK.

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { WireItem } from './timeline.ts';

export const fromWire = (item: WireItem): Record<string, AttributeValue> =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, valueFromWire(value)]));

function valueFromWire(value: Record<string, unknown>): AttributeValue {
  const [[type, content] = []] = Object.entries(value);
  if (type === 'B') return { B: bytes(content) };
  if (type === 'BS') return { BS: (content as string[]).map(bytes) };
  if (type === 'L') return { L: (content as Record<string, unknown>[]).map(valueFromWire) };
  if (type === 'M') return { M: fromWire(content as WireItem) };
  return value as unknown as AttributeValue;
}

const bytes = (base64: unknown): Uint8Array => Buffer.from(String(base64), 'base64');
