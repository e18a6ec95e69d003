// From the append to the log and the bus, with the DynamoDB stream of the engine itself. Runs on the memory engine and on
// DynamoDB Local.

import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createEventStore } from '../../lib/flow/event-store/event-store.ts';
import type { EventStore } from '../../lib/flow/event-store/port.ts';
import type { Json } from '../../lib/model/event.ts';
import { EVENTS_TABLE, LOG_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import { openRelay } from '../flow/relay/support.ts';
import type { Engine } from '../support/engines.ts';

export function relayContract(engine: Engine): void {
  let relay: Awaited<ReturnType<typeof openRelay>>;
  let store: EventStore;
  const event = (id: string, data: Json = { id }) => ({ id, type: 'Happened', data });
  const order = (events: { streamId: string; id: string; metadata: { position?: number } }[]) =>
    events.map(({ streamId, id, metadata }) => `${metadata.position} ${streamId} ${id}`);

  beforeEach(async () => {
    relay = await openRelay({ engine });
    store = createEventStore({
      dynamo: relay.tables.dynamo,
      eventsTable: EVENTS_TABLE.name,
      logTable: LOG_TABLE.name,
      world: relay.world,
    });
  });
  afterEach(() => relay.tables.close());

  it('relays what was appended, and the store reads it back in the order of the log', async () => {
    await store.append('a', [event('a1'), event('a2')], 'no-stream');
    await store.append('b', [event('b1')], 'no-stream');
    await store.append('a', [event('a3')], 2);
    expect(await relay.batch(await relay.records())).toMatchObject({
      commits: 3,
      events: 4,
      failures: [],
      damaged: [],
    });
    expect(order(await store.readAll(0, 100))).toEqual(['1 a a1', '2 a a2', '3 b b1', '4 a a3']);
    expect(order(await store.readAll(2, 1))).toEqual(['3 b b1']);
    expect(relay.events().map(({ id, position }) => `${position} ${id}`)).toEqual(['1 a1', '2 a2', '3 b1', '4 a3']);
  });

  it('carries compressed commits from the image and from the store', async () => {
    const data = { text: 'all work and no play makes a dull event '.repeat(300) };
    for (let version = 0; version < 3; version += 1) await store.append('a', [event(`a${version}`, data)], version);
    const records = await relay.records();
    expect(JSON.stringify(records)).toContain('"B":');
    expect(await relay.batch(records.slice(2))).toMatchObject({ commits: 3, backfilled: 2, failures: [], damaged: [] });
    expect(relay.events().map((detail) => detail.data)).toEqual([data, data, data]);
  });

  it('gives two relays with the same records one log', async () => {
    const twin = await openRelay({ tables: relay.tables });
    for (let index = 0; index < 60; index += 1) await store.append(`stream-${index % 7}`, [event(`e${index}`)], 'any');
    const records = await relay.records();
    const reports = await Promise.all([
      relay.batch(records.slice(0, 40)),
      twin.batch([...records].reverse()),
      relay.batch(records.slice(30)),
    ]);
    expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
    const entries = await relay.entries();
    expect(entries.map(({ position }) => position)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    expect(await relay.incidents()).toEqual([]);
    expect((await store.readAll(0, 100)).map(({ id }) => id).sort()).toEqual(
      Array.from({ length: 60 }, (_, index) => `e${index}`).sort(),
    );
  });

  it('ignores that commits were removed, and finds the hole when the next record arrives', async () => {
    for (let version = 0; version < 4; version += 1) await store.append('a', [event(`a${version}`)], version);
    await relay.tables.dynamo.delete({ TableName: EVENTS_TABLE.name, Key: { streamId: 'a', version: 2 } });
    const records = await relay.records();
    expect(records.at(-1)?.eventName).toBe('REMOVE');
    expect(await relay.batch(records.slice(3))).toMatchObject({ commits: 1, damaged: ['a'], failures: [] });
    expect(await relay.incidents()).toMatchObject([{ kind: 'missing-commit', streamId: 'a', version: 2 }]);
  });
}
