// What every log must do, whatever engine is under it. Runs on the memory engine and on DynamoDB Local.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BUCKET_POSITIONS, pageKey } from '../../lib/flow/log/keys.ts';
import { createLog } from '../../lib/flow/log/log.ts';
import { encodePage } from '../../lib/flow/log/pages.ts';
import type { Log, LogPage } from '../../lib/flow/log/port.ts';
import { LOG_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import { all, entry, id, nothing, position, put } from '../flow/log/support.ts';
import type { Engine, EngineTables } from '../support/engines.ts';
import { createTestWorld } from '../support/world.ts';

const logTable = LOG_TABLE.name;

export function logContract(engine: Engine): void {
  let tables: EngineTables;
  let log: Log;
  const another = () => createLog({ dynamo: tables.dynamo, logTable, world: createTestWorld({ seed: 7 }) });

  beforeEach(async () => {
    tables = await engine.createTables([LOG_TABLE]);
    log = createLog({ dynamo: tables.dynamo, logTable, world: tables.world });
  });
  afterEach(() => tables.close());

  describe('an empty log', () => {
    it('has head 0, no pages, no streams', async () => {
      expect(await log.head()).toBe(0);
      expect(await log.head({ cached: true })).toBe(0);
      expect(await all(log.pages(0))).toEqual([]);
      expect(await log.entryAt(1)).toBeUndefined();
      expect(await log.directory([id('a')])).toEqual(new Map());
      expect(await log.directory([])).toEqual(new Map());
      expect(await all(log.streamEntriesBackwards(id('a')))).toEqual([]);
      expect(await log.versionAtPosition(id('a'), position(5))).toBe(0);
    });
  });

  describe('sequencing', () => {
    it('puts commits one after the other and moves the streams of the page', async () => {
      const first = await put(log, [entry('a', 1, { count: 2 }), entry('b', 1)], 100);
      const second = await put(log, [entry('b', 2), entry('a', 3)], 200);
      expect([first.firstPosition, first.lastPosition]).toEqual([1, 3]);
      expect([second.firstPosition, second.lastPosition]).toEqual([4, 5]);
      expect(await log.head()).toBe(5);
      expect(await another().head()).toBe(5);
      expect(await log.directory([id('a'), id('b'), id('c'), id('a')])).toEqual(
        new Map([
          [id('a'), { streamId: 'a', version: 3, position: 5, hashPrefix: entry('a', 3).hashPrefix, updatedAt: 200 }],
          [id('b'), { streamId: 'b', version: 2, position: 4, hashPrefix: entry('b', 2).hashPrefix, updatedAt: 200 }],
        ]),
      );
      expect(await all(log.pages(0))).toEqual([first, second]);
    });

    it('takes 99 streams in one page and reads all of them back', async () => {
      const entries = Array.from({ length: 99 }, (_, index) => entry(`stream-${index}`, 1));
      const page = await put(log, entries);
      expect(page.lastPosition).toBe(99);
      expect((await log.directory(entries.map(({ streamId }) => streamId))).size).toBe(99);
    });

    it('reads a directory of more streams than one request takes', async () => {
      const entries = Array.from({ length: 150 }, (_, index) => entry(`stream-${index}`, 1));
      await put(log, entries.slice(0, 90));
      await put(log, entries.slice(90));
      expect((await log.directory(entries.map(({ streamId }) => streamId))).size).toBe(150);
    });

    it('loses the race when the head has moved, writes nothing, and shows the page that won', async () => {
      const winner = await put(log, [entry('a', 1)]);
      const late = await another().sequence({
        head: position(0),
        entries: [entry('b', 1)],
        expected: nothing,
        sequencedAt: 1,
      });
      expect(late).toEqual({ kind: 'lost-race', winner });
      expect(await log.directory([id('b')])).toEqual(new Map());
      expect(await log.head()).toBe(1);
    });

    it('loses the race when a stream of the page has moved, and writes nothing', async () => {
      const expected = await log.directory([id('a')]);
      await put(log, [entry('a', 1)]);
      const head = await log.head();
      const late = await log.sequence({ head, entries: [entry('b', 1), entry('a', 1)], expected, sequencedAt: 1 });
      expect(late).toEqual({ kind: 'lost-race' });
      expect(await log.directory([id('b')])).toEqual(new Map());
      expect(await log.head()).toBe(1);
    });

    it('lets exactly one of many relays write the next page', async () => {
      const relays = Array.from({ length: 8 }, another);
      const results = await Promise.all(
        relays.map((relay, index) =>
          relay.sequence({
            head: position(0),
            entries: [entry(`stream-${index}`, 1)],
            expected: nothing,
            sequencedAt: index,
          }),
        ),
      );
      expect(results.filter(({ kind }) => kind === 'sequenced')).toHaveLength(1);
      expect(await log.head()).toBe(1);
      expect((await all(log.pages(0))).flatMap(({ entries }) => entries)).toHaveLength(1);
    });

    it('refuses entries that do not follow the directory, before anything is written', async () => {
      const wrong = log.sequence({ head: position(0), entries: [entry('a', 2)], expected: nothing, sequencedAt: 1 });
      await expect(wrong).rejects.toMatchObject({ code: 'LOG_SEQUENCE_INVALID' });
      expect(await log.head()).toBe(0);
    });
  });

  describe('reading', () => {
    let pages: LogPage[];
    beforeEach(async () => {
      pages = [
        await put(log, [entry('a', 1, { types: ['X', 'Y', 'X'] }), entry('b', 1)]),
        await put(log, [entry('a', 4, { count: 2 }), entry('a', 6)]),
        await put(log, [entry('b', 2)]),
        await put(log, [entry('a', 7), entry('c', 1)]),
      ];
    });
    const placed = () => pages.flatMap(({ entries }) => entries);

    it('begins with the page that holds the next position', async () => {
      expect(await all(log.pages(0))).toEqual(pages);
      expect(await all(log.pages(3))).toEqual(pages);
      expect(await all(log.pages(4))).toEqual(pages.slice(1));
      expect(await all(log.pages(5))).toEqual(pages.slice(1));
      expect(await all(log.pages(10))).toEqual([]);
      expect(await all(log.pages(1_000))).toEqual([]);
    });

    it.each([0, 1, 2, 3])('stops after %d pages when asked', async (maxPages) => {
      expect(await all(log.pages(0, { maxPages }))).toEqual(pages.slice(0, maxPages));
    });

    it('reads more pages than one request answers', async () => {
      for (let version = 3; version < 43; version += 1) pages.push(await put(log, [entry('b', version)]));
      expect(await all(log.pages(0))).toEqual(pages);
      expect(await all(log.pages(0, { readAhead: true }))).toEqual(pages);
    });

    it('asks for the next pages while the last ones are worked on, when told to', async () => {
      for (let version = 3; version < 43; version += 1) pages.push(await put(log, [entry('b', version)]));
      const requestsBehindTheSecond = async (readAhead: boolean): Promise<number> => {
        let requests = 0;
        const dynamo = {
          ...tables.dynamo,
          query: (...input: Parameters<typeof tables.dynamo.query>) => {
            requests += 1;
            return tables.dynamo.query(...input);
          },
        };
        const reading = createLog({ dynamo, logTable, world: tables.world })
          .pages(0, { readAhead })
          [Symbol.asyncIterator]();
        await reading.next();
        await reading.next();
        await reading.return?.();
        return requests;
      };
      expect(await requestsBehindTheSecond(false)).toBe(2);
      expect(await requestsBehindTheSecond(true)).toBe(3);
    });

    it('is told of a failure only when it gets there', async () => {
      const second = pages[1] as LogPage;
      for (let version = 3; version < 43; version += 1) await put(log, [entry('b', version)]);
      const failing = async (input: Parameters<typeof tables.dynamo.query>[0]) => {
        if (String(input.ExpressionAttributeValues?.[':position']) > String(pageKey(position(30)).sk))
          throw new Error('no answer');
        return tables.dynamo.query(input);
      };
      const dynamo = { ...tables.dynamo, query: failing };
      const seen: LogPage[] = [];
      const reading = async () => {
        const broken = createLog({ dynamo, logTable, world: tables.world });
        for await (const page of broken.pages(0, { readAhead: true })) seen.push(page);
      };
      await expect(reading()).rejects.toThrow('no answer');
      expect(seen).toContainEqual(second);
    });

    it('finds the commit that covers a position, also from its middle', async () => {
      for (const expected of placed()) {
        for (let at = expected.position as number; at < expected.position + expected.count; at += 1) {
          expect(await log.entryAt(at)).toEqual(expected);
        }
      }
      expect(await log.entryAt(0)).toBeUndefined();
      expect(await log.entryAt(11)).toBeUndefined();
    });

    it('goes back over the commits of one stream', async () => {
      const ofA = placed().filter(({ streamId }) => streamId === 'a');
      expect(await all(log.streamEntriesBackwards(id('a')))).toEqual([...ofA].reverse());
      expect(await all(log.streamEntriesBackwards(id('c')))).toHaveLength(1);
    });

    it('knows the version of a stream in the middle of its last commit', async () => {
      const { firstPosition: first } = await put(log, [entry('d', 1, { count: 3 })]);
      const versions = [first - 1, first, first + 1, first + 2, first + 3].map((at) =>
        log.versionAtPosition(id('d'), position(at)),
      );
      expect(await Promise.all(versions)).toEqual([0, 1, 2, 3, 3]);
    });

    it('knows the version of a stream at every position', async () => {
      for (const streamId of ['a', 'b', 'c', 'absent']) {
        for (let at = 0; at <= 12; at += 1) {
          const before = placed().filter((found) => found.streamId === streamId && found.position <= at);
          const last = before.at(-1);
          const expected = last === undefined ? 0 : last.version + Math.min(last.count, at - last.position + 1) - 1;
          expect([streamId, at, await log.versionAtPosition(id(streamId), position(at))]).toEqual([
            streamId,
            at,
            expected,
          ]);
        }
      }
    });
  });

  describe('buckets', () => {
    /** A page where the log would be after millions of events. */
    const plant = async (first: number, last: number) => {
      const page: LogPage = {
        firstPosition: position(first),
        lastPosition: position(last),
        sequencedAt: 1,
        entries: [
          {
            ...entry('big', first, { types: Array.from({ length: last - first + 1 }, () => 'T') }),
            position: position(first),
            previousPosition: position(0),
          },
        ],
      };
      await tables.dynamo.put({
        TableName: logTable,
        Item: { ...pageKey(page.firstPosition), ...encodePage(page) },
      });
      return page;
    };

    it('finds the head in the last of many buckets, from cold', async () => {
      for (let bucket = 0; bucket < 13; bucket += 1) {
        // Only the last page of a bucket counts for finding the head.
        const end = (bucket + 1) * BUCKET_POSITIONS;
        await plant(end - 2, end);
        expect(await another().head()).toBe(end);
      }
      await plant(13 * BUCKET_POSITIONS + 1, 13 * BUCKET_POSITIONS + 5);
      expect(await another().head()).toBe(13 * BUCKET_POSITIONS + 5);
    });

    it('reads over the end of a bucket, also where a page crosses it', async () => {
      const end = BUCKET_POSITIONS;
      const crossing = await plant(end - 1, end + 3);
      expect(await another().head()).toBe(end + 3);
      const next = await put(another(), [entry('a', 1)]);
      expect(next.firstPosition).toBe(end + 4);
      expect(await all(log.pages(end - 2))).toEqual([crossing, next]);
      expect(await all(log.pages(end + 1))).toEqual([crossing, next]);
      expect(await all(log.pages(end + 3))).toEqual([next]);
      expect(await log.entryAt(end + 2)).toEqual(crossing.entries[0]);
      expect(await log.entryAt(end + 4)).toEqual(next.entries[0]);
      expect(await log.head()).toBe(end + 4);
    });

    it('remembers the head that it has seen, which may be old but never wrong', async () => {
      await put(log, [entry('a', 1)]);
      await put(another(), [entry('b', 1)]);
      expect(await log.head({ cached: true })).toBe(1);
      expect(await log.head()).toBe(2);
      expect(await log.head({ cached: true })).toBe(2);
    });

    it('says that a page is missing instead of reading over the hole', async () => {
      await put(log, [entry('a', 1)]);
      await put(log, [entry('a', 2)]);
      await put(log, [entry('a', 3)]);
      await tables.dynamo.delete({ TableName: logTable, Key: { ...pageKey(position(2)) } });
      await expect(all(log.pages(0))).rejects.toMatchObject({ code: 'LOG_DAMAGED' });
    });
  });
}
