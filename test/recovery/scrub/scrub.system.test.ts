// The deployed scrub on one machine: its function, permissions, schedule target and bus, over DynamoDB Local.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocument, NumberValue } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type LocalSystem, startLocalSystem } from '../../../lib/local/index.ts';
import { waitUntil } from '../../../lib/recovery/drill/wait-until.ts';
import type { Examination } from '../../../lib/recovery/scrub/examine-streams.ts';
import type { LastScrub, ScrubAnswer } from '../../../lib/recovery/scrub/request.ts';

let system: LocalSystem;
let dynamo: DynamoDBDocument;
let events: { TableName: string };

const asked = { requestedBy: 'test', reason: 'system test' };
const scrub = (input: object) =>
  system.invoke(system.outputs.ScrubEventsFunctionName as string, { ...input, ...asked }) as Promise<ScrubAnswer>;
const last = async () => (await scrub({ last: true })) as LastScrub;
const places = async () =>
  (await last()).findings.map(({ kind, streamId, from, to }) => `${kind} ${streamId} ${from}-${to}`);

beforeAll(async () => {
  system = await startLocalSystem();
  dynamo = DynamoDBDocument.from(new DynamoDBClient(system.clientConfig));
  events = { TableName: system.outputs.EventsTableName as string };
  for (const streamId of ['scrubbed-1', 'scrubbed-2']) {
    for (let version = 0; version < 5; version += 1) {
      await system.eventStore.append(
        streamId,
        [{ id: `${streamId}-${version}`, type: 'Noted', data: version }],
        version,
      );
    }
  }
  await waitUntil('the log to have everything', async () => (await system.eventStore.readAll(0, 100)).length === 10);
  // DynamoDB Local shows the items of a transaction one after the other: the page may be there before the directory.
  const log = { TableName: system.outputs.LogTableName as string, ConsistentRead: true };
  for (const streamId of ['scrubbed-1', 'scrubbed-2']) {
    await waitUntil(`the directory to know ${streamId}`, async () => {
      const { Item } = await dynamo.get({ ...log, Key: { pk: `stream#${streamId}`, sk: 'head' } });
      return Item?.version === 5;
    });
  }
}, 180_000);
afterAll(() => system?.stop());

describe('the deployed scrub', () => {
  it('finds nothing in a store that is whole', async () => {
    expect(await scrub({ rotate: true })).toMatchObject({ kind: 'scrubbed', result: { state: { pass: 'idle' } } });
    expect(await last()).toMatchObject({ open: 0, state: { last: { counts: { streams: 2, items: 10, heads: 2 } } } });
  });

  it('finds a flipped byte, a lost tail and garbage that no number of JavaScript can hold, and tells the bus', async () => {
    const { Item } = await dynamo.get({ ...events, Key: { streamId: 'scrubbed-1', version: 2 } });
    await dynamo.put({ ...events, Item: { ...Item, events: String(Item?.events).replace('Noted', 'Nored') } });
    await dynamo.delete({ ...events, Key: { streamId: 'scrubbed-2', version: 5 } });
    const huge = NumberValue.from('1234567890123456789012345678901234567');
    await dynamo.put({ ...events, Item: { streamId: 'garbage', version: huge, count: huge } });
    expect(await scrub({ rotate: true })).toMatchObject({ result: { open: 3, state: { pass: 'idle' } } });
    expect((await places()).sort()).toEqual([
      'foreign-item garbage 0-0',
      'hash-mismatch scrubbed-1 2-2',
      'truncated-stream scrubbed-2 5-5',
    ]);
    for (const { announcedAt } of (await last()).findings) expect(announcedAt).toBeGreaterThan(0);

    await dynamo.put({ ...events, Item });
    const examined = (await scrub({ streamIds: ['scrubbed-1', 'scrubbed-2'] })) as Examination;
    expect(examined.streams.map(({ damages }) => damages.length)).toEqual([0, 1]);
    expect(examined.closed).toBe(1);
    expect((await places()).sort()).toEqual(['foreign-item garbage 0-0', 'truncated-stream scrubbed-2 5-5']);
  });

  it('answers bad input with its code', async () => {
    expect(await scrub({ streamIds: ['$all'] })).toMatchObject({ error: { code: 'INVALID_STREAM_ID' } });
  });
});
