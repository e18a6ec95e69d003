// A damaged stream is never extended, and what is read from it is never handed out as if it were whole.

import { describe, expect, it } from '@jest/globals';
import { hashCommit } from '../../../lib/flow/event-store/hash.ts';
import {
  collect,
  errorOf,
  idsOf,
  logTable,
  newEvent,
  newEvents,
  removeCommit,
  tamper,
} from '../../flow/event-store/support.ts';
import type { EventStoreFixture } from './fixture.ts';
import { sequenceAll } from './sequence-all.ts';

/** Three commits of 2 events: versions 1-2, 3-4, 5-6. */
async function threeCommits({ store }: EventStoreFixture, streamId = 's'): Promise<void> {
  for (const version of [0, 2, 4]) await store.append(streamId, newEvents(2, `v${version}-`), version);
}

export function damageContract(current: () => EventStoreFixture): void {
  describe('an append to a damaged stream', () => {
    it('is refused when the last commit does not fit its hash', async () => {
      const fixture = current();
      await threeCommits(fixture);
      await tamper(fixture.dynamo, 's', 5, ({ events }) => ({ events: String(events).replace('v4-1', 'v4-9') }));
      for (const expected of [6, 5, 4, 3, 0, 9, 'any', 'stream-exists', 'no-stream'] as const) {
        expect(await errorOf(fixture.another().append('s', [newEvent('x')], expected))).toMatchObject({
          code: 'STREAM_DAMAGED',
          streamId: 's',
          version: 5,
        });
      }
    });

    it('is refused when its place is a hole', async () => {
      const fixture = current();
      await threeCommits(fixture);
      await removeCommit(fixture.dynamo, 's', 3);
      for (const expected of [2, 3]) {
        expect(await errorOf(fixture.another().append('s', [newEvent('x')], expected))).toMatchObject({
          code: 'STREAM_DAMAGED',
          version: expected + 1,
        });
      }
      expect(await errorOf(fixture.another().append('s', [newEvent('x')], 1))).toMatchObject({
        code: 'CONCURRENCY_CONFLICT',
      });
    });

    it.each([[4], [0]])(
      'is refused when the stream was cut off at version %s although more was sequenced',
      async (length) => {
        const fixture = current();
        await threeCommits(fixture);
        await sequenceAll(fixture, 's');
        for (const version of [1, 3, 5]) if (version > length) await removeCommit(fixture.dynamo, 's', version);
        for (const expected of [length, 6, 'any'] as const) {
          expect(await errorOf(fixture.another().append('s', [newEvent('x')], expected))).toMatchObject({
            code: 'STREAM_DAMAGED',
            version: length + 1,
            damage: expect.stringContaining('the stream directory knows version 6'),
          });
        }
        // Reading first does not make a process trust the shortened stream.
        const reader = fixture.another();
        await reader.read('s');
        expect(await reader.getVersion('s')).toBe(length);
        expect(await errorOf(reader.append('s', [newEvent('x')], length))).toMatchObject({ code: 'STREAM_DAMAGED' });
      },
    );

    it('is refused when the stream was cut off below what this process wrote itself', async () => {
      const fixture = current();
      await threeCommits(fixture);
      await removeCommit(fixture.dynamo, 's', 5);
      expect(await errorOf(fixture.store.append('s', [newEvent('x')], 4))).toMatchObject({
        code: 'STREAM_DAMAGED',
        damage: expect.stringContaining('this process knows version 6'),
      });
    });

    it('is refused when the last commit is another one than was sequenced', async () => {
      const fixture = current();
      await threeCommits(fixture);
      await sequenceAll(fixture, 's');
      await removeCommit(fixture.dynamo, 's', 5);
      await fixture.dynamo.delete({ TableName: logTable, Key: { pk: 'stream#s', sk: 'head' } });
      await fixture.another().append('s', newEvents(2, 'forged'), 4);
      await fixture.dynamo.put({
        TableName: logTable,
        Item: {
          pk: 'stream#s',
          sk: 'head',
          version: 6,
          position: 5,
          hashPrefix: '0123456789abcdef',
          updatedAt: 1,
          format: 1,
        },
      });
      expect(await errorOf(fixture.another().append('s', [newEvent('x')], 6))).toMatchObject({
        code: 'STREAM_DAMAGED',
        version: 6,
        damage: expect.stringContaining('the stream directory knows 0123456789abcdef'),
      });
    });

    it('is refused when the commit at its place is damaged, so that nobody knows whether it is a retry', async () => {
      const fixture = current();
      await threeCommits(fixture);
      await tamper(fixture.dynamo, 's', 3, () => ({ recordedAt: 1 }));
      expect(await errorOf(fixture.another().append('s', newEvents(2, 'v2-'), 2))).toMatchObject({
        code: 'STREAM_DAMAGED',
        version: 3,
      });
    });

    it('leaves other streams alone', async () => {
      const fixture = current();
      await threeCommits(fixture);
      await threeCommits(fixture, 'healthy');
      await tamper(fixture.dynamo, 's', 5, () => ({ count: 3 }));
      expect(await fixture.another().append('healthy', [newEvent('x')], 6)).toMatchObject({ version: 7 });
    });

    it('is not seen where the relay was only faster than the read of the last commit', async () => {
      const fixture = current();
      await threeCommits(fixture);
      const { dynamo, store, another } = fixture;
      let lastCommitRead: Promise<unknown> | undefined;
      dynamo.intercept = async ({ operation }, apply) => {
        if (operation === 'query') {
          lastCommitRead = apply();
          return lastCommitRead;
        }
        if (operation !== 'batchGet') return apply();
        // After the read of the last commit and before that of the directory somebody appends, and the relay sequences.
        dynamo.intercept = undefined;
        await lastCommitRead;
        await store.append('s', newEvents(1, 'fast'), 6);
        await sequenceAll(fixture, 's');
        return apply();
      };
      expect(await another().append('s', [newEvent('x')], 7)).toMatchObject({ firstVersion: 8, repeated: false });
    });
  });

  describe('reading a damaged stream', () => {
    it.each<[string, Record<string, unknown>]>([
      ['version of its layout', { format: 0 }],
      ['count', { count: 3 }],
      ['time', { recordedAt: 5 }],
      ['link', { previousHash: 'f'.repeat(64) }],
      ['hash', { hash: 'f'.repeat(64) }],
      ['coding', { encoding: 'br' }],
      ['events', { events: '[]' }],
      ['type of its events', { events: new Uint8Array([91, 93]) }],
    ])('fails before events of a commit with a changed %s are handed out', async (_, change) => {
      const fixture = current();
      await threeCommits(fixture);
      await tamper(fixture.dynamo, 's', 3, () => change);
      const { store } = fixture;
      for (const damaged of [
        () => store.read('s'),
        () => store.read('s', 4),
        () => store.read('s', undefined, { direction: 'backwards' }),
        () => collect(store.readCommits('s', 3)),
      ]) {
        expect(await errorOf(damaged())).toMatchObject({ code: 'STREAM_DAMAGED', streamId: 's', version: 3 });
      }
      expect(idsOf(await store.read('s', 1, { limit: 2 }))).toEqual(['v0-1', 'v0-2']);
      expect(idsOf(await store.read('s', 5))).toEqual(['v4-1', 'v4-2']);
    });

    it('hands out what is before the damage, and nothing after it', async () => {
      const fixture = current();
      await threeCommits(fixture);
      await tamper(fixture.dynamo, 's', 3, () => ({ count: 3 }));
      const seen: string[] = [];
      const reading = (async () => {
        for await (const { id } of fixture.store.readStream('s')) seen.push(id);
      })();
      expect(await errorOf(reading)).toMatchObject({ code: 'STREAM_DAMAGED', version: 3 });
      expect(seen).toEqual(['v0-1', 'v0-2']);
      const pages: number[][] = [];
      const byPage = (async () => {
        for await (const commits of fixture.store.readCommitPages('s'))
          pages.push(commits.map(({ version }) => version));
      })();
      expect(await errorOf(byPage)).toMatchObject({ code: 'STREAM_DAMAGED', version: 3 });
      expect(pages).toEqual([[1]]);
    });

    it.each([
      ['in the middle', 3, [1, 2, 3, 4]],
      ['at the beginning', 1, [1, 2]],
    ])('fails at a hole %s, wherever reading begins', async (_, removed, fromVersions) => {
      const fixture = current();
      await threeCommits(fixture);
      await removeCommit(fixture.dynamo, 's', removed);
      for (const fromVersion of fromVersions) {
        expect(await errorOf(fixture.store.read('s', fromVersion))).toMatchObject({
          code: 'STREAM_DAMAGED',
          version: Math.max(removed, fromVersion),
        });
      }
      expect(await errorOf(fixture.store.read('s', undefined, { direction: 'backwards' }))).toMatchObject({
        code: 'STREAM_DAMAGED',
      });
      expect(await errorOf(fixture.store.read('s', 6, { direction: 'backwards' }))).toMatchObject({
        code: 'STREAM_DAMAGED',
      });
    });

    it('fails where a commit is not linked to the one before it, although each has a right hash', async () => {
      const fixture = current();
      await threeCommits(fixture);
      await threeCommits(fixture, 'other');
      // A whole, self-consistent commit that belongs to another history of the same stream.
      const { store, dynamo, another } = fixture;
      await removeCommit(dynamo, 's', 1);
      const forger = another();
      await dynamo.delete({ TableName: 'Events', Key: { streamId: 's', version: 3 } });
      await dynamo.delete({ TableName: 'Events', Key: { streamId: 's', version: 5 } });
      await forger.append('s', newEvents(2, 'forged'), 0);
      const forged = (await dynamo.get({ TableName: 'Events', Key: { streamId: 's', version: 1 } })).Item;
      await removeCommit(dynamo, 's', 1);
      for (const version of [0, 2, 4]) await another().append('s', newEvents(2, `v${version}-`), version);
      await dynamo.put({ TableName: 'Events', Item: forged });
      expect(await errorOf(store.read('s'))).toMatchObject({
        code: 'STREAM_DAMAGED',
        version: 3,
        damage: expect.stringContaining('previousHash'),
      });
      expect(await errorOf(store.read('s', undefined, { direction: 'backwards' }))).toMatchObject({
        code: 'STREAM_DAMAGED',
      });
    });

    it('fails in getVersion and readByTimeRange as well', async () => {
      const fixture = current();
      await threeCommits(fixture);
      await tamper(fixture.dynamo, 's', 5, () => ({ count: 9 }));
      const range = [new Date(0), new Date(fixture.world.clock.now())] as const;
      expect(await errorOf(fixture.store.getVersion('s'))).toMatchObject({ code: 'STREAM_DAMAGED', version: 5 });
      expect(await errorOf(fixture.store.readByTimeRange('s', ...range))).toMatchObject({ code: 'STREAM_DAMAGED' });
    });

    it('is no empty time range: neither where the last commit was put back in time nor where the search meets a hole', async () => {
      const fixture = current();
      const start = fixture.world.clock.now();
      for (const version of [0, 1, 2, 3, 4]) {
        await fixture.store.append('s', newEvents(1, `v${version}-`), version);
        fixture.world.clock.advance(1_000);
      }
      const from = (second: number) => fixture.store.readByTimeRange('s', new Date(start + second * 1_000), new Date());
      await removeCommit(fixture.dynamo, 's', 3);
      // The search looks at version 2, then at 3.
      expect(await errorOf(from(3))).toMatchObject({ code: 'STREAM_DAMAGED', version: 3 });
      await tamper(fixture.dynamo, 's', 5, () => ({ recordedAt: start }));
      expect(await errorOf(from(4))).toMatchObject({ code: 'STREAM_DAMAGED', version: 5 });
    });

    it('says so when a commit has a newer layout, and calls it no damage', async () => {
      const fixture = current();
      await threeCommits(fixture);
      await tamper(fixture.dynamo, 's', 5, (commit) => ({ format: 2, hash: hashCommit({ ...commit, format: 2 }) }));
      expect(await errorOf(fixture.store.read('s'))).toMatchObject({ code: 'NEWER_FORMAT', retryable: true });
    });
  });
}
