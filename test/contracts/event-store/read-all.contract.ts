// Reading across all streams, in the order of the log.

import { describe, expect, it } from '@jest/globals';
import { padded } from '../../../lib/flow/log/keys.ts';
import { errorOf, idsOf, logTable, newEvents, removeCommit, tamper } from '../../flow/event-store/support.ts';
import type { EventStoreFixture } from './fixture.ts';
import { sequenceAll } from './sequence-all.ts';

export function readAllContract(current: () => EventStoreFixture): void {
  /** a: 3 + 1 events, b: 2 + 2; in the log a1 a2 a3 a4 b1 b2 b3 b4. */
  const twoStreams = async (): Promise<EventStoreFixture> => {
    const fixture = current();
    const { store } = fixture;
    await store.append('a', newEvents(3, 'a'), 0);
    await store.append('a', newEvents(1, 'a', 4), 3);
    await store.append('b', newEvents(2, 'b'), 0);
    await store.append('b', newEvents(2, 'b', 3), 2);
    await sequenceAll(fixture, 'a');
    await sequenceAll(fixture, 'b');
    return fixture;
  };

  describe('reading everything', () => {
    it('gives nothing before anything is sequenced, and nothing past the head', async () => {
      const { store } = current();
      await store.append('a', newEvents(1), 0);
      expect(await store.readAll(0, 10)).toEqual([]);
      await sequenceAll(current(), 'a');
      expect(await store.readAll(0, 10)).toHaveLength(1);
      expect(await store.readAll(1, 10)).toEqual([]);
      expect(await store.readAll(99, 10)).toEqual([]);
    });

    it('gives events in the order of the log, each with its position, from any position', async () => {
      const { store } = await twoStreams();
      const order = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'b3', 'b4'];
      for (let from = 0; from <= 9; from += 1) {
        for (const batchSize of [1, 2, 3, 8, 1_000]) {
          const events = await store.readAll(from, batchSize);
          expect(idsOf(events)).toEqual(order.slice(from, from + batchSize));
          expect(events.map(({ metadata }) => metadata.position)).toEqual(events.map((_, index) => from + index + 1));
        }
      }
      const [first] = await store.readAll(0, 1);
      const [same] = await store.read('a', 1, { limit: 1 });
      expect(first).toEqual({ ...same, metadata: { ...same?.metadata, position: 1 } });
    });

    it('reads many commits in batches', async () => {
      const fixture = current();
      const { store, dynamo } = fixture;
      for (let version = 0; version < 230; version += 1) await store.append('a', newEvents(1, `v${version}-`), version);
      await sequenceAll(fixture, 'a');
      dynamo.calls.length = 0;
      expect(await store.readAll(0, 1_000)).toHaveLength(230);
      expect(dynamo.operations().filter((operation) => operation === 'batchGet')).toHaveLength(3);
    });

    it('fetches no commit that the batch does not need', async () => {
      const { store, dynamo } = await twoStreams();
      const fetched = async (from: number, batchSize: number): Promise<number> => {
        dynamo.calls.length = 0;
        await store.readAll(from, batchSize);
        const requests = dynamo.calls.filter(({ operation }) => operation === 'batchGet');
        return requests.flatMap(({ input }) => (input.RequestItems as { Events: { Keys: unknown[] } }).Events.Keys)
          .length;
      };
      expect([await fetched(0, 1), await fetched(0, 3), await fetched(0, 4), await fetched(4, 2)]).toEqual([
        1, 1, 2, 1,
      ]);
    });

    it('asks again for what DynamoDB left unprocessed', async () => {
      const { store, dynamo } = await twoStreams();
      dynamo.intercept = async ({ operation, input }, apply) => {
        if (operation !== 'batchGet') return apply();
        dynamo.intercept = undefined;
        const { Events } = input.RequestItems as Record<string, { Keys: unknown[] }>;
        return { Responses: { Events: [] }, UnprocessedKeys: { Events } };
      };
      expect(await store.readAll(0, 10)).toHaveLength(8);
    });

    it('fails at a commit that the log names and that is missing or another one, and names it', async () => {
      const { store, dynamo } = await twoStreams();
      await tamper(dynamo, 'b', 1, ({ events }) => ({ events: String(events).replace('b1', 'b9') }));
      expect(await errorOf(store.readAll(4, 10))).toMatchObject({ code: 'STREAM_DAMAGED', streamId: 'b', version: 1 });
      expect(idsOf(await store.readAll(0, 4))).toEqual(['a1', 'a2', 'a3', 'a4']);
      await removeCommit(dynamo, 'b', 1);
      expect(await errorOf(store.readAll(0, 10))).toMatchObject({
        code: 'STREAM_DAMAGED',
        streamId: 'b',
        version: 1,
        damage: expect.stringContaining('log position 5'),
      });
    });

    it('fails at a commit that is whole but not the one that was sequenced', async () => {
      const fixture = await twoStreams();
      await removeCommit(fixture.dynamo, 'a', 4);
      await fixture.dynamo.delete({ TableName: 'Log', Key: { pk: 'stream#a', sk: 'head' } });
      await fixture.another().append('a', newEvents(1, 'forged'), 3);
      expect(await errorOf(fixture.store.readAll(0, 10))).toMatchObject({
        code: 'STREAM_DAMAGED',
        streamId: 'a',
        version: 4,
      });
    });

    it('fails at a page of the log that says otherwise about a commit than what is stored', async () => {
      const { store, dynamo } = await twoStreams();
      const key = { TableName: logTable, Key: { pk: 'page#0#0', sk: padded(5) } };
      const { Item: page } = await dynamo.get(key);
      const entries = JSON.parse(page?.entries as string);
      const changed = JSON.stringify({ ...entries, recordedAt: entries.recordedAt - 1 });
      await dynamo.put({ TableName: logTable, Item: { ...page, entries: changed } });
      expect(await errorOf(store.readAll(0, 10))).toMatchObject({
        code: 'STREAM_DAMAGED',
        streamId: 'b',
        version: 1,
        damage: expect.stringContaining('log position 5'),
      });
    });

    it.each([
      [-1, 10, 'INVALID_POSITION'],
      [0.5, 10, 'INVALID_POSITION'],
      ['0', 10, 'INVALID_POSITION'],
      [0, 0, 'INVALID_BATCH_SIZE'],
      [0, 1_001, 'INVALID_BATCH_SIZE'],
      [0, 1.5, 'INVALID_BATCH_SIZE'],
      [0, undefined, 'INVALID_BATCH_SIZE'],
    ])('refuses position %s with batch size %s', async (from, batchSize, code) => {
      const { store, dynamo } = current();
      expect(await errorOf(store.readAll(from as number, batchSize as number))).toMatchObject({ code });
      expect(dynamo.calls).toEqual([]);
    });
  });
}
