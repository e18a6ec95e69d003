// Values in DynamoDB's wire format: as the SDK holds them in errors (binary stays bytes), and as a Lambda function
// receives them in a stream event (JSON, binary in base64).

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type Item, isBinary, isSet, setMember, type Value } from './values.ts';

type Bytes<B> = (bytes: Uint8Array) => B;

function marshal<B>(value: Value, bytes: Bytes<B>): unknown {
  switch (typeof value) {
    case 'string':
      return { S: value };
    case 'number':
    case 'bigint':
      return { N: String(value) };
    case 'boolean':
      return { BOOL: value };
    default:
      if (value === null) return { NULL: true };
      if (Array.isArray(value)) return { L: value.map((element) => marshal(element, bytes)) };
      if (isBinary(value)) return { B: bytes(value) };
      if (isSet(value)) return marshalSet([...(value as Set<string | Uint8Array>)], bytes);
      return { M: marshalMap(value, bytes) };
  }
}

function marshalSet<B>(members: (string | number | bigint | Uint8Array)[], bytes: Bytes<B>): unknown {
  const [first] = members;
  if (typeof first === 'string') return { SS: members };
  if (first instanceof Uint8Array) return { BS: (members as Uint8Array[]).map(bytes) };
  return { NS: members.map(String) };
}

function marshalMap<B>(item: Item, bytes: Bytes<B>): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  for (const name of Object.keys(item)) setMember(map as Item, name, marshal(item[name] as Value, bytes) as Value);
  return map;
}

export const toAttributeMap = (item: Item): Record<string, AttributeValue> =>
  marshalMap(item, (bytes) => bytes.slice()) as Record<string, AttributeValue>;

/** One attribute value of a Lambda stream event. */
export interface StreamAttributeValue {
  S?: string;
  N?: string;
  B?: string;
  BOOL?: boolean;
  NULL?: boolean;
  SS?: string[];
  NS?: string[];
  BS?: string[];
  L?: StreamAttributeValue[];
  M?: Record<string, StreamAttributeValue>;
}

export const toStreamImage = (item: Item): Record<string, StreamAttributeValue> =>
  marshalMap(item, (bytes) => Buffer.from(bytes).toString('base64')) as Record<string, StreamAttributeValue>;
