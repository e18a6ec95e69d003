// The retry of an append is recognised by ids and content, and by nothing else.

import { describe, expect, it } from '@jest/globals';
import { connectionReset, errorOf, failingPuts, idsOf, newEvent, newEvents } from '../../flow/event-store/support.ts';
import type { EventStoreFixture } from './fixture.ts';

export function retryContract(current: () => EventStoreFixture): void {
  describe('the retry of an append', () => {
    it('is a no-op that answers what the first try stored', async () => {
      const { store, another, world } = current();
      const first = await store.append('s', newEvents(3), 0);
      world.clock.advance(11 * 60_000);
      for (const eventStore of [store, another()]) {
        expect(await eventStore.append('s', newEvents(3), 0)).toEqual({ ...first, repeated: true });
        expect(await eventStore.append('s', newEvents(3), 'no-stream')).toEqual({ ...first, repeated: true });
      }
      expect(await store.getVersion('s')).toBe(3);
    });

    it('is recognised after other appends followed, also by a process that knows a higher head', async () => {
      const { store, another } = current();
      await store.append('s', newEvents(1, 'a'), 0);
      const second = await store.append('s', newEvents(2, 'b'), 1);
      await store.append('s', newEvents(2, 'c'), 3);
      for (const eventStore of [store, another()]) {
        expect(await eventStore.append('s', newEvents(2, 'b'), 1)).toEqual({ ...second, repeated: true });
      }
      expect(await store.getVersion('s')).toBe(5);
    });

    it('is recognised whatever the order of members, and with other correlation ids', async () => {
      const { store } = current();
      await store.append('s', [{ ...newEvent('e', { a: 1, b: [{ c: 2, d: 3 }] }) }], 0, { correlationId: 'try-1' });
      const again = { ...newEvent('e', { b: [{ d: 3, c: 2 }], a: 1 }), metadata: { correlationId: 'try-2' } };
      expect(await store.append('s', [again], 0)).toMatchObject({ repeated: true });
    });

    it('is recognised by the timestamp as well when one is given', async () => {
      const { store } = current();
      const at = (timestamp: string) => [{ ...newEvent('e'), metadata: { timestamp } }];
      await store.append('s', at('2025-01-01T00:00:00Z'), 0);
      expect(await store.append('s', at('2025-01-01T01:00:00+01:00'), 0)).toMatchObject({ repeated: true });
      expect(await store.append('s', [newEvent('e')], 0)).toMatchObject({ repeated: true });
      expect(await errorOf(store.append('s', at('2025-01-02T00:00:00Z'), 0))).toMatchObject({
        code: 'EVENT_ID_REUSED',
      });
    });

    const [e1, e2, e3] = newEvents(3) as [
      ReturnType<typeof newEvent>,
      ReturnType<typeof newEvent>,
      ReturnType<typeof newEvent>,
    ];
    it.each([
      ['other data', [e1, { ...e2, data: { n: 'other' } }], ['e1', 'e2']],
      ['another type', [e1, { ...e2, type: 'OrderCancelled' }], ['e1', 'e2']],
      ['another order', [e2, e1], ['e2', 'e1']],
      ['fewer events', [e1], ['e1']],
      ['more events', [e1, e2, e3], ['e1', 'e2']],
      ['a part of the events', [e2, e3], ['e2']],
    ])('is refused as a reuse of ids when it has %s', async (_, events, ids) => {
      const { store, another } = current();
      await store.append('s', [e1, e2], 0);
      await store.append('s', newEvents(1, 'later'), 2);
      for (const eventStore of [store, another()]) {
        expect(await errorOf(eventStore.append('s', events, 0))).toMatchObject({
          code: 'EVENT_ID_REUSED',
          retryable: false,
          facts: { streamId: 's', version: 1, ids },
        });
      }
      expect(await store.getVersion('s')).toBe(3);
    });

    it('is a plain conflict when the ids are new although the content is the same', async () => {
      const { store } = current();
      await store.append('s', [newEvent('e1', { same: true })], 0);
      expect(await errorOf(store.append('s', [newEvent('e2', { same: true })], 0))).toMatchObject({
        code: 'CONCURRENCY_CONFLICT',
      });
    });
  });

  describe('a lost answer', () => {
    it.each([0, 'no-stream', 'any'] as const)(
      'after the write is found again (expected version %s)',
      async (expected) => {
        const { store, dynamo } = current();
        dynamo.intercept = failingPuts(1, 'after', connectionReset);
        expect(await store.append('s', newEvents(2), expected)).toMatchObject({ version: 2, repeated: true });
        expect(dynamo.operations().filter((operation) => operation === 'put')).toHaveLength(2);
        dynamo.intercept = undefined;
        expect(await store.append('s', newEvents(1, 'next'), 2)).toMatchObject({ version: 3, repeated: false });
      },
    );

    it('after the write is found again although the caller has changed its objects meanwhile', async () => {
      const { store, dynamo } = current();
      const events = [newEvent('e1', { quantity: 1 }), newEvent('e2')];
      dynamo.intercept = async ({ operation }, apply) => {
        if (operation !== 'put') return apply();
        dynamo.intercept = undefined;
        await apply();
        Object.assign(events[0]?.data as object, { quantity: 99 });
        events.pop();
        throw connectionReset();
      };
      expect(await store.append('s', events, 0)).toMatchObject({ version: 2, repeated: true });
      expect((await store.read('s'))[0]?.data).toEqual({ quantity: 1 });
    });

    it('before the write is written by the next try', async () => {
      const { store, dynamo } = current();
      dynamo.intercept = failingPuts(3, 'before', connectionReset);
      expect(await store.append('s', newEvents(2), 0)).toMatchObject({ version: 2, repeated: false });
      expect(await store.getVersion('s')).toBe(2);
    });

    it.each(['before', 'after'] as const)(
      'of every try (%s the write) is reported as unknown, and the same append later tells',
      async (when) => {
        const { store, dynamo } = current();
        dynamo.intercept = failingPuts(99, when, connectionReset);
        const error = await errorOf(store.append('s', newEvents(2), 'any'));
        expect(error).toMatchObject({
          code: 'APPEND_OUTCOME_UNKNOWN',
          retryable: true,
          facts: { streamId: 's', version: 1, awsError: 'TimeoutError' },
        });
        expect(error.cause).toMatchObject({ code: 'ECONNRESET' });
        dynamo.intercept = undefined;
        const retried = await store.append('s', newEvents(2), 0);
        expect(retried).toMatchObject({ version: 2, repeated: when === 'after' });
      },
    );

    it('does not let "any" append twice when somebody else appends right after the lost write', async () => {
      const { store, another, dynamo } = current();
      const other = another();
      dynamo.intercept = async ({ operation }, apply) => {
        if (operation !== 'put') return apply();
        dynamo.intercept = undefined;
        await apply();
        await other.append('s', newEvents(2, 'other'), 'any');
        throw connectionReset();
      };
      expect(await store.append('s', newEvents(2, 'mine'), 'any')).toMatchObject({ firstVersion: 1, repeated: true });
      expect(idsOf(await store.read('s'))).toEqual(['mine1', 'mine2', 'other1', 'other2']);
    });
  });
}
