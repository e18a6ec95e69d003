// Appends: atomic, conditional on the expected version, one request when the head is known.

import { describe, expect, it } from '@jest/globals';
import { GENESIS_HASH } from '../../../lib/model/commit.ts';
import { ConcurrencyError } from '../../../lib/model/errors.ts';
import {
  collect,
  errorOf,
  idsOf,
  newEvent,
  newEvents,
  storedCommit,
  versionsOf,
} from '../../flow/event-store/support.ts';
import type { EventStoreFixture } from './fixture.ts';

export function appendContract(current: () => EventStoreFixture): void {
  describe('appending', () => {
    it('stores the events of one append as one item, whose hash goes on from the one before', async () => {
      const { store, dynamo, world } = current();
      const first = await store.append('order-1', newEvents(2), 0);
      expect(first).toEqual({
        streamId: 'order-1',
        firstVersion: 1,
        version: 2,
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        recordedAt: world.clock.now(),
        repeated: false,
      });
      const second = await store.append('order-1', newEvents(3, 'f'), 2);
      expect(second).toMatchObject({ firstVersion: 3, version: 5, repeated: false });
      expect(await storedCommit(dynamo, 'order-1', 1)).toMatchObject({
        count: 2,
        encoding: 'json',
        format: 1,
        previousHash: GENESIS_HASH,
        hash: first.hash,
      });
      expect(await storedCommit(dynamo, 'order-1', 3)).toMatchObject({ count: 3, previousHash: first.hash });
      expect(idsOf(await store.read('order-1'))).toEqual(['e1', 'e2', 'f1', 'f2', 'f3']);
    });

    it('fills in what was not given: timestamp, correlation and causation', async () => {
      const { store, world } = current();
      await store.append('s', [newEvent('bare', null)], 0);
      await store.append('s', [{ ...newEvent('own'), metadata: { correlationId: 'c', causationId: 'd' } }], 1);
      await store.append('s', [{ ...newEvent('half'), metadata: { correlationId: 'c' } }], 2);
      await store.append('s', [newEvent('default'), { ...newEvent('both'), metadata: { correlationId: 'c' } }], 3, {
        correlationId: 'request-7',
        causationId: 'command-7',
      });
      await store.append('s', [{ ...newEvent('t1'), metadata: { timestamp: '2024-02-29T12:00:00.5+02:00' } }], 5);
      await store.append('s', [{ ...newEvent('t2'), metadata: { timestamp: new Date(1_234) } }], 6);
      const timestamp = new Date(world.clock.now());
      const [bare, ...others] = await store.read('s');
      expect(bare).toEqual({
        id: 'bare',
        streamId: 's',
        type: 'OrderPlaced',
        data: null,
        metadata: { timestamp, version: 1, correlationId: 'bare', causationId: 'bare' },
      });
      expect(others.map(({ metadata }) => metadata)).toEqual([
        { timestamp, version: 2, correlationId: 'c', causationId: 'd' },
        { timestamp, version: 3, correlationId: 'c', causationId: 'c' },
        { timestamp, version: 4, correlationId: 'request-7', causationId: 'command-7' },
        { timestamp, version: 5, correlationId: 'c', causationId: 'command-7' },
        { timestamp: new Date('2024-02-29T10:00:00.500Z'), version: 6, correlationId: 't1', causationId: 't1' },
        { timestamp: new Date(1_234), version: 7, correlationId: 't2', causationId: 't2' },
      ]);
    });

    it('takes the events as they are at the call, whatever the caller does with its objects afterwards', async () => {
      const { store } = current();
      const event = { ...newEvent('e1'), data: { list: [1, 2] } };
      const events = [event];
      const appended = store.append('s', events, 0);
      event.data.list.push(3);
      events.length = 0;
      await appended;
      expect((await store.read('s')).map(({ data }) => data)).toEqual([{ list: [1, 2] }]);
    });

    it('keeps streams apart, also when one id begins with another', async () => {
      const { store } = current();
      await store.append('a', newEvents(1, 'x'), 0);
      await store.append('a#1', newEvents(2, 'y'), 0);
      await store.append('ä/😀 b', newEvents(1, 'z'), 0);
      expect(idsOf(await store.read('a'))).toEqual(['x1']);
      expect(idsOf(await store.read('a#1'))).toEqual(['y1', 'y2']);
      expect(idsOf(await store.read('ä/😀 b'))).toEqual(['z1']);
    });

    it('never records an earlier time than the commit before, even when the clock goes back', async () => {
      const { store, another, world } = current();
      const start = world.clock.now();
      await store.append('s', newEvents(1, 'a'), 0);
      world.clock.set(start - 300_000);
      expect((await store.append('s', newEvents(1, 'b'), 1)).recordedAt).toBe(start);
      expect((await another().append('s', newEvents(1, 'c'), 2)).recordedAt).toBe(start);
      world.clock.set(start + 5);
      expect((await store.append('s', newEvents(1, 'd'), 3)).recordedAt).toBe(start + 5);
    });
  });

  describe('cost of an append', () => {
    it('is exactly one request when this process knows the head: a put with its condition', async () => {
      const { store, dynamo } = current();
      await store.append('s', newEvents(1, 'a'), 0);
      dynamo.calls.length = 0;
      await store.append('s', newEvents(3, 'b'), 1);
      await store.append('s', newEvents(1, 'c'), 'any');
      await store.append('s', newEvents(1, 'd'), 'stream-exists');
      expect(dynamo.operations()).toEqual(['put', 'put', 'put']);
      expect(dynamo.calls[0]?.input).toMatchObject({ ConditionExpression: 'attribute_not_exists(#version)' });
    });

    it('is two reads and the put when it does not: the last commit and the directory', async () => {
      const { store, dynamo, another } = current();
      await store.append('s', newEvents(1, 'a'), 0);
      dynamo.calls.length = 0;
      await another().append('s', newEvents(1, 'b'), 1);
      expect(dynamo.operations().toSorted()).toEqual(['batchGet', 'put', 'query']);
      for (const { operation, input } of dynamo.calls) {
        if (operation === 'query') expect(input).toMatchObject({ ConsistentRead: true, Limit: 1 });
      }
    });

    it('does not grow with the length of the stream', async () => {
      const { store, dynamo, another } = current();
      const costAt = async (version: number): Promise<number> => {
        dynamo.calls.length = 0;
        await another().append('s', newEvents(1, `cost${version}-`), version);
        return dynamo.calls.length;
      };
      const atStart = await costAt(0);
      for (let version = 1; version < 120; version += 1) await store.append('s', newEvents(1, `v${version}-`), version);
      expect(await costAt(120)).toBe(atStart);
    });
  });

  describe('expected version', () => {
    it.each<[string, number, number, number]>([
      ['too high on an empty stream', 0, 1, 0],
      ['too high', 3, 4, 3],
      ['far too high', 3, 1_000, 3],
      ['too low', 3, 2, 3],
      ['of an empty stream although there are events', 3, 0, 3],
    ])('is refused when it is %s', async (_, length, expected, actualVersion) => {
      const { store, another, dynamo } = current();
      for (let version = 0; version < length; version += 1)
        await store.append('s', newEvents(1, `v${version}-`), version);
      for (const eventStore of [store, another()]) {
        const error = await errorOf(eventStore.append('s', [newEvent('late')], expected));
        expect(error).toBeInstanceOf(ConcurrencyError);
        expect(error).toMatchObject({
          code: 'CONCURRENCY_CONFLICT',
          retryable: false,
          streamId: 's',
          expectedVersion: expected,
          actualVersion,
        });
      }
      expect(await store.getVersion('s')).toBe(length);
      expect(dynamo.operations().filter((operation) => operation === 'put')).toHaveLength(length);
    });

    it('is refused when it lies inside a commit', async () => {
      const { store, another } = current();
      await store.append('s', newEvents(3), 0);
      for (const eventStore of [store, another()]) {
        expect(await errorOf(eventStore.append('s', [newEvent('late')], 2))).toMatchObject({
          code: 'CONCURRENCY_CONFLICT',
          actualVersion: 3,
        });
      }
    });

    it('reports the real head when a process with an old head loses', async () => {
      const { store, another } = current();
      await store.append('s', newEvents(1, 'a'), 0);
      const other = another();
      await other.append('s', newEvents(2, 'b'), 1);
      await other.append('s', newEvents(3, 'c'), 3);
      expect(await errorOf(store.append('s', [newEvent('late')], 1))).toMatchObject({ actualVersion: 6 });
      expect(await store.append('s', [newEvent('again')], 6)).toMatchObject({ version: 7 });
    });

    it('"no-stream" only begins a stream', async () => {
      const { store } = current();
      expect(await store.append('s', [newEvent('a')], 'no-stream')).toMatchObject({ version: 1 });
      expect(await errorOf(store.append('s', [newEvent('b')], 'no-stream'))).toMatchObject({
        code: 'CONCURRENCY_CONFLICT',
        expectedVersion: 'no-stream',
        actualVersion: 1,
      });
    });

    it('"stream-exists" never begins one, and otherwise appends at the head', async () => {
      const { store, another } = current();
      expect(await errorOf(store.append('s', [newEvent('a')], 'stream-exists'))).toMatchObject({
        code: 'CONCURRENCY_CONFLICT',
        expectedVersion: 'stream-exists',
        actualVersion: 0,
      });
      await another().append('s', newEvents(2), 0);
      expect(await store.append('s', [newEvent('a')], 'stream-exists')).toMatchObject({ firstVersion: 3 });
    });

    it('"any" appends at the head, whatever it is', async () => {
      const { store, another } = current();
      expect(await store.append('s', newEvents(2, 'a'), 'any')).toMatchObject({ firstVersion: 1 });
      expect(await another().append('s', newEvents(2, 'b'), 'any')).toMatchObject({ firstVersion: 3 });
      // The first store still thinks that the head is 2.
      expect(await store.append('s', newEvents(2, 'c'), 'any')).toMatchObject({ firstVersion: 5 });
    });
  });

  describe('appends at the same time', () => {
    it('let exactly one of many with the same expected version win', async () => {
      const { store, another } = current();
      await store.append('s', [newEvent('begin')], 0);
      const tries = Array.from({ length: 12 }, (_, index) =>
        another().append('s', newEvents(1 + (index % 3), `p${index}-`), 1),
      );
      const results = await Promise.allSettled(tries);
      const won = results.filter(({ status }) => status === 'fulfilled');
      const lost = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason.code);
      expect(won).toHaveLength(1);
      expect(lost).toEqual(Array(11).fill('CONCURRENCY_CONFLICT'));
    });

    it('all succeed with "any", without a gap and without a double', async () => {
      const { store, another } = current();
      const tries = Array.from({ length: 12 }, (_, index) =>
        another().append('s', newEvents(1 + (index % 3), `p${index}-`), 'any'),
      );
      const results = await Promise.all(tries);
      expect(results.filter(({ repeated }) => repeated)).toEqual([]);
      const events = await store.read('s');
      expect(versionsOf(events)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
      expect(new Set(idsOf(events)).size).toBe(24);
      expect(await collect(store.readCommits('s'))).toHaveLength(12);
    });
  });
}
