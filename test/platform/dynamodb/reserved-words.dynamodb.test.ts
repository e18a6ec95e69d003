// The list of reserved words against DynamoDB Local, word by word: none is missing in an expression that would fail on AWS,
// and ordinary attribute names of this project are free.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RESERVED_WORDS } from '../../../lib/platform/dynamodb/memory/reserved-words.ts';
import { type EngineTables, localEngine, memoryEngine } from '../../support/engines.ts';

const TABLE = { name: 'Words', partitionKey: { name: 'pk', type: 'S' } } as const;

/** Documented as reserved, but DynamoDB Local lets them pass. */
const LOCAL_ACCEPTS = ['convert', 'size'];
const FREE = [
  'streamId',
  'version',
  'leaseUntil',
  'leaseOwner',
  'wanted',
  'generation',
  'resolvedDigest',
  'parked',
  'sk',
  'events',
  'recordedAt',
];

describe('reserved words', () => {
  const engines: EngineTables[] = [];
  beforeAll(async () => {
    engines.push(await memoryEngine.createTables([TABLE]), await localEngine.createTables([TABLE]));
  });
  afterAll(() => Promise.all(engines.map((engine) => engine.close())));

  const refusals = (word: string): Promise<(string | undefined)[]> =>
    Promise.all(
      engines.map(({ dynamo }) =>
        dynamo.get({ TableName: 'Words', Key: { pk: 'x' }, ProjectionExpression: word }).then(
          () => undefined,
          (error: Error) => error.message,
        ),
      ),
    );

  it('are 573', () => expect(RESERVED_WORDS.size).toBe(573));

  it('are refused as bare names by both engines, in any case', async () => {
    const passed = { memory: [] as string[], local: [] as string[] };
    for (const word of RESERVED_WORDS) {
      const [memory, local] = await refusals(word.length % 2 ? word.toUpperCase() : word);
      if (!memory?.includes('reserved keyword')) passed.memory.push(word);
      // Keywords of the grammar itself (ADD, SET, AND ...) are a syntax error there.
      if (!/reserved keyword|Syntax error/.test(local ?? '')) passed.local.push(word);
    }
    expect(passed).toEqual({ memory: [], local: LOCAL_ACCEPTS });
  });

  it.each(FREE)('do not include %s', async (word) => {
    expect(await refusals(word)).toEqual([undefined, undefined]);
  });
});
