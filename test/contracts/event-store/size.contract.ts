// The limits on what one append may hold, at the limit and one to each side of it, and when a commit is compressed.

import { describe, expect, it } from '@jest/globals';
import type { CheckedEvent } from '../../../lib/flow/event-store/check-input.ts';
import {
  type CodedEvents,
  codeEvents,
  type EventsText,
  encodeEvents,
  eventsText,
} from '../../../lib/flow/event-store/coding.ts';
import { COMMIT_MAX_BYTES } from '../../../lib/flow/event-store/limits.ts';
import type { Json } from '../../../lib/model/event.ts';
import { streamId as toStreamId, type Version } from '../../../lib/model/ids.ts';
import { itemSize } from '../../../lib/platform/dynamodb/memory/size.ts';
import type { Item } from '../../../lib/platform/dynamodb/memory/values.ts';
import { errorOf, eventsTable, newEvent, newEvents, noise, storedCommit } from '../../flow/event-store/support.ts';
import type { EventStoreFixture } from './fixture.ts';

/** Data whose item has 1 to 200 bytes less than the limit, with a stream id of a few bytes. */
function almostFull(begin: string, code: (source: EventsText, streamId: string) => CodedEvents) {
  // Base64 text keeps about three quarters of its size under Brotli: a few steps come close enough.
  let length = 540_000;
  for (let step = 0; step < 10; step += 1) {
    const data = begin + noise(length, 7);
    const source = eventsText(encodeEvents([{ ...newEvent('e', data) } as CheckedEvent]));
    const bytesIn = (streamId: string) => code(source, streamId).itemBytes;
    const missing = COMMIT_MAX_BYTES - bytesIn('x');
    if (missing >= 20 && missing <= 200) return { data, bytesIn };
    length += Math.trunc(((missing - 100) * 4) / 3);
  }
  throw new Error('no data of that size was found');
}

export function sizeContract(current: () => EventStoreFixture): void {
  const sizeOf = async (version: number): Promise<number> =>
    itemSize((await storedCommit(current().dynamo, 's', version)) as unknown as Item);

  describe('size of a commit', () => {
    it.each([
      ['one byte each', '', 'x'],
      ['several bytes each', 'ä€😀', 'ä€😀'],
    ])('may be 400 KB as DynamoDB counts it, and not a byte more (characters of %s)', async (_, inData, inStreamId) => {
      const { store, dynamo, world } = current();
      const header = { version: 1 as Version, count: 1, format: 1, recordedAt: world.clock.now() };
      const { data, bytesIn } = almostFull(inData, (source, id) =>
        codeEvents({ ...header, streamId: toStreamId(id) }, source),
      );
      // The stream id is not compressed: its length brings the item to the byte.
      const missing = COMMIT_MAX_BYTES - bytesIn(inStreamId);
      const [atLimit, over] = [
        inStreamId.padEnd(inStreamId.length + missing, '-'),
        `${inStreamId}${'-'.repeat(missing + 1)}`,
      ];
      expect([bytesIn(atLimit), bytesIn(over)]).toEqual([COMMIT_MAX_BYTES, COMMIT_MAX_BYTES + 1]);

      await store.append(atLimit, [newEvent('e', data)], 0);
      expect((await store.read(atLimit)).map((event) => event.data)).toEqual([data]);
      expect(itemSize((await storedCommit(dynamo, atLimit, 1)) as unknown as Item)).toBe(COMMIT_MAX_BYTES);
      dynamo.calls.length = 0;
      expect(await errorOf(store.append(over, [newEvent('e', data)], 0))).toMatchObject({
        code: 'COMMIT_TOO_LARGE',
        retryable: false,
        got: COMMIT_MAX_BYTES + 1,
      });
      expect(dynamo.operations()).not.toContain('put');
      // DynamoDB counts the same: the item that was not sent would have been refused.
      const stored = await storedCommit(dynamo, atLimit, 1);
      const refused = await errorOf(dynamo.put({ TableName: eventsTable, Item: { ...stored, streamId: over } }));
      expect(refused).toMatchObject({ name: 'ValidationException', message: expect.stringMatching(/item size/i) });
    });

    it('counts what is stored, so that text of megabytes is taken when it compresses below the limit', async () => {
      const { store, dynamo } = current();
      const data = { log: 'the same line again and again\n'.repeat(100_000) };
      await store.append('s', [newEvent('e', data)], 0);
      expect(await storedCommit(dynamo, 's', 1)).toMatchObject({ encoding: 'br' });
      expect((await store.read('s'))[0]?.data).toEqual(data);
    });

    it('is bounded before compression too', async () => {
      const { store, dynamo } = current();
      const half = 'x'.repeat(8 * 1024 * 1024 - 100);
      const events = [newEvent('e1', half), newEvent('e2', half)];
      expect(await store.append('s', events, 0)).toMatchObject({ version: 2 });
      dynamo.calls.length = 0;
      expect(await errorOf(store.append('s', [...events, newEvent('e3', 'x'.repeat(200))], 2))).toMatchObject({
        code: 'COMMIT_TOO_LARGE',
      });
      expect(dynamo.calls).toEqual([]);
    });

    it('may be 1,000 events and no more', async () => {
      const { store, dynamo } = current();
      expect(await store.append('s', newEvents(1_000), 0)).toMatchObject({ version: 1_000 });
      expect(await store.read('s', 1_000)).toHaveLength(1);
      dynamo.calls.length = 0;
      expect(await errorOf(store.append('s', newEvents(1_001, 'f'), 1_000))).toMatchObject({
        code: 'TOO_MANY_EVENTS',
        got: 1_001,
      });
      expect(dynamo.calls).toEqual([]);
    });
  });

  describe('compression', () => {
    it('is used exactly when it saves a write unit', async () => {
      const { store } = current();
      const { dynamo } = current();
      let version = 0;
      const stored = async (data: Json) => {
        await store.append('s', [newEvent(`e${version}`, data)], version);
        version += 1;
        return { commit: await storedCommit(dynamo, 's', version), bytes: await sizeOf(version) };
      };
      // Up to 1 KB there is nothing to save, however well it would compress.
      const small = await stored('a'.repeat(600));
      expect(small.bytes).toBeLessThanOrEqual(1_024);
      expect(small.commit.encoding).toBe('json');
      // Just over 1 KB of repetitive text: one unit instead of two.
      const saves = await stored('a'.repeat(1_000));
      expect(saves.commit.encoding).toBe('br');
      expect(saves.bytes).toBeLessThanOrEqual(1_024);
      // Compresses by a quarter, from 1.9 KB to 1.5 KB: two units either way, so it stays readable.
      const useless = await stored(noise(1_600, 3));
      expect(useless.commit.encoding).toBe('json');
      expect(useless.bytes).toBeLessThanOrEqual(2_048);
      expect((await store.read('s')).map(({ data }) => (data as string).length)).toEqual([600, 1_000, 1_600]);
    });
  });
}
