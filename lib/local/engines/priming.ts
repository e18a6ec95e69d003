// The priming item: DynamoDB Local gets slower with every stream record that other tables produced before a table's
// first one, so each streamed table gets one item at once, and loses it again. Readers of the stream skip it.

/** No id of ours begins with `$`, so this key can mean nothing else. */
const PRIMING_KEY = '$local-priming';

type KeyValue = { S: string } | { N: string } | { B: string };

/** A key for the priming item, for whatever key types a table has. */
export const primingKey = (types: Readonly<Record<string, string>>): Record<string, KeyValue> =>
  Object.fromEntries(
    Object.entries(types).map(([name, type]) => {
      if (type === 'N') return [name, { N: '0' }];
      if (type === 'B') return [name, { B: Buffer.from(PRIMING_KEY).toString('base64') }];
      return [name, { S: PRIMING_KEY }];
    }),
  );

export const isPriming = (keys: unknown): boolean => JSON.stringify(keys ?? null).includes(PRIMING_KEY);
