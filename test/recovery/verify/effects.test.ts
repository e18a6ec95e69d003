// What consumers did, against what the store says they should have done. One effect is dropped, doubled, swapped or made up in
// a system that was proved complete a moment before; and a verify() that cannot be relied on never counts as a pass.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { stockKey } from '../../../examples/order-fulfilment/inventory/react.ts';
import type { Verify } from '../../../lib/flow/consumer/verify-port.ts';
import type { EffectQuestions } from '../../../lib/recovery/verify/effects.ts';
import type { ConsumerVerdict, Verdict } from '../../../lib/recovery/verify/types.ts';
import { verify } from '../../../lib/recovery/verify/verify.ts';
import { createSmallSystem, type SmallSystem, TABLES } from '../../support/small-system.ts';
import { verifyBothWays } from './in-batches.ts';
import { addInventory, order, STOCK } from './inventory.ts';

const HOUR = 3_600_000;
const tables = {
  events: TABLES.eventsTable,
  log: TABLES.logTable,
  checkpoints: TABLES.checkpointsTable,
  deadLetters: TABLES.deadLettersTable,
  recovery: TABLES.recoveryTable,
};
type Item = Record<string, unknown>;

let system: SmallSystem;
let questions: EffectQuestions;

const verdict = (): Promise<Verdict> =>
  verifyBothWays({ dynamo: system.dynamo, tables, questions }, { now: system.clock.now(), quiet: true });
const atOnce = (): Promise<Verdict> =>
  verify({ dynamo: system.dynamo, tables, questions }, { now: system.clock.now(), quiet: true });
const of = ({ consumers }: Verdict, name: string): ConsumerVerdict =>
  consumers.find(({ consumer }) => consumer === name) as ConsumerVerdict;
const said = ({ violations }: Verdict): string[] =>
  violations.map(({ kind, streamId = '', version = '', detail }) => `${kind} ${streamId}@${version} ${detail}`);

const movements = async (streamId: string): Promise<Item[]> =>
  (await system.items(STOCK.name))
    .filter(({ pk }) => pk === `movement#${streamId}`)
    .sort((a, b) => String(a.sk).localeCompare(String(b.sk)));
const put = (item: Item) => system.dynamo.put({ TableName: STOCK.name, Item: item });

async function create(addMore: () => Promise<void> = async () => undefined): Promise<void> {
  system = await createSmallSystem({ ownTables: [STOCK] });
  questions = system.questions;
  await addInventory(system);
  await addMore();
  await order(system, 'order-1', ['OrderPlaced', 'Other', 'OrderPlaced', 'OrderPlaced', 'OrderCancelled']);
  await order(system, 'order-2', ['OrderPlaced', 'Other']);
  await system.settle();
  system.clock.advance(HOUR);
}

beforeEach(() => create());

describe('verified effects', () => {
  it('are there, each once, and the stock is their sum', async () => {
    const result = await verdict();
    expect(result).toMatchObject({ ok: true, violationCount: 0 });
    expect(of(result, 'inventory').effects).toEqual({
      status: 'verified',
      streams: 2,
      events: 5,
      violations: 0,
      unsettled: 0,
    });
  });

  it.each<[string, () => Promise<unknown>, RegExp[]]>([
    [
      'a dropped effect',
      async () => {
        const [first] = await movements('order-1');
        await system.dynamo.delete({ TableName: STOCK.name, Key: { pk: first?.pk, sk: first?.sk } });
      },
      [/^effect order-1@1 0 movements of order-1-1, where 1 is right/, /^effect @ -4 pieces of tea in stock, -2/],
    ],
    [
      'a doubled effect',
      async () => {
        const [first] = await movements('order-1');
        await put({ ...first, sk: `${first?.sk}-again` });
      },
      [/^effect order-1@1 2 movements of order-1-1/, /^effect @ -4 pieces of tea in stock, -6/],
    ],
    [
      'two effects in each other’s place',
      async () => {
        const [first, second] = await movements('order-1');
        const { pk: _first, sk: _firstSk, version: _v, ...facts } = first as Item;
        const { pk: _second, sk: _secondSk, version: _w, ...others } = second as Item;
        await put({ ...second, ...facts });
        await put({ ...first, ...others });
      },
      [
        /^effect order-1@1 a movement is not that of order-1-1/,
        /^effect order-1@3 a movement is not that of order-1-3/,
      ],
    ],
    [
      'an effect of an event that it does not want',
      async () => put({ ...(await movements('order-1'))[0], sk: '2#x', version: 2, pieces: 0 }),
      [/^effect order-1@2 a movement of order-1-1, which is not an event of this consumer/],
    ],
    [
      'an effect beyond its checkpoint',
      async () => put({ ...(await movements('order-1'))[0], sk: '9#x', version: 9, pieces: 0 }),
      [/^effect order-1@9 a movement of order-1-1/],
    ],
    [
      'a stock that somebody changed',
      () => put({ ...stockKey('tea'), available: 100 }),
      [/^effect @ 100 pieces of tea in stock, -4 by its movements/],
    ],
  ])('fail after %s', async (_name, damage, expected) => {
    expect((await verdict()).ok).toBe(true);
    await damage();
    const result = await verdict();
    expect(result.ok).toBe(false);
    expect(of(result, 'inventory').effects).toMatchObject({ status: 'violated', violations: expected.length });
    const found = said(result);
    expect(found).toHaveLength(expected.length);
    for (const one of expected) expect(found).toContainEqual(expect.stringMatching(one));
  });

  it('are not demanded of an event that was given up on, nor of those behind it', async () => {
    await order(system, 'order-3', ['OrderPlaced', null, 'OrderPlaced']);
    await system.settle();
    const result = await verdict();
    expect(result).toMatchObject({ ok: true });
    expect(of(result, 'inventory')).toMatchObject({
      conservation: { parked: 1, waiting: 1 },
      effects: { status: 'verified', streams: 3, events: 6 },
    });
  });

  it('may be there more than once after a replay, and still must not be missing', async () => {
    const key = { consumer: 'inventory' as never, streamId: 'order-2' as never };
    await system.checkpoints.requestRewind(key, { to: 0 as never, requestId: 'r1', requestedAt: 1 });
    const wakeUp = { format: 1, kind: 'wake-up', consumer: 'inventory', streamId: 'order-2', version: 2 } as const;
    await system.wakeUps.send(system.queueUrlOf('inventory'), [{ message: { ...wakeUp, hops: 0, reason: 'rewind' } }]);
    await system.settle();
    const both = await movements('order-2');
    expect(both).toHaveLength(2);
    expect(await verdict()).toMatchObject({ ok: true });
    for (const { pk, sk } of both) await system.dynamo.delete({ TableName: STOCK.name, Key: { pk, sk } });
    expect(said(await verdict())).toContainEqual(expect.stringMatching(/^effect order-2@1 0 movements/));
  });
});

describe('a consumer without verify()', () => {
  it('is reported as not verified, which is no violation', async () => {
    await system.addConsumer({ name: 'mail', eventTypes: ['OrderPlaced'], effects: 'idempotent' });
    await order(system, 'order-4', ['OrderPlaced']);
    await system.settle();
    const result = await verdict();
    expect(result.violations).not.toContainEqual(expect.objectContaining({ consumer: 'mail', kind: 'effect' }));
    expect(of(result, 'mail').effects).toMatchObject({ status: 'not-verified', streams: 0 });
  });

  it('says so of everybody when nobody can be asked', async () => {
    const result = await verify({ dynamo: system.dynamo, tables }, { now: system.clock.now() });
    expect(result.ok).toBe(true);
    expect(of(result, 'inventory').effects.status).toBe('not-verified');
  });
});

describe('a verify() that cannot be relied on', () => {
  const readAll: Verify = async ({ events }) => {
    for await (const _ of events);
    return [];
  };

  /** A second consumer whose verify() is the given one. */
  async function withVerify(verify: Verify): Promise<Verdict> {
    await create(() =>
      system.addConsumer({ name: 'billing', eventTypes: ['OrderPlaced'], effects: 'idempotent' }, () => undefined, {
        verify,
      }),
    );
    return verdict();
  }

  it('passes when it looks and finds nothing', async () => {
    expect(await withVerify(readAll)).toMatchObject({ ok: true });
  });

  it.each<[string, Verify, RegExp]>([
    ['throws', () => Promise.reject(new TypeError('no table')), /VERIFY_THREW: TypeError: no table/],
    [
      'throws at once',
      () => {
        throw new Error('at once');
      },
      /VERIFY_THREW: Error: at once/,
    ],
    [
      'answers nothing',
      (stream, context) => readAll(stream, context).then(() => undefined as never),
      /VERIFY_ANSWERED_NONSENSE: answered undefined/,
    ],
    [
      'answers true',
      (stream, context) => readAll(stream, context).then(() => true as never),
      /VERIFY_ANSWERED_NONSENSE: answered boolean/,
    ],
    ['answers texts', async () => ['wrong'] as never, /VERIFY_ANSWERED_NONSENSE: answered "wrong"/],
    ['answers a hole', async () => [undefined] as never, /VERIFY_ANSWERED_NONSENSE/],
    ['answers a version that is none', async () => [{ version: 0, detail: 'x' }], /VERIFY_ANSWERED_NONSENSE/],
    ['does not look at the events', async () => [], /VERIFY_ANSWERED_NONSENSE: verify\(\) did not read the events/],
    [
      'stops in the middle of the events',
      async ({ events }) => {
        for await (const _ of events) break;
        return [];
      },
      /VERIFY_ANSWERED_NONSENSE: verify\(\) did not read the events/,
    ],
  ])('fails by name when it %s', async (_name, bad, expected) => {
    const result = await withVerify(bad);
    expect(result.ok).toBe(false);
    expect(of(result, 'billing').effects.status).toBe('failed');
    expect(of(result, 'inventory').effects.status).toBe('verified');
    const found = said(result);
    expect(found.length).toBeGreaterThan(0);
    for (const one of found) expect(one).toMatch(/^effect-not-verified /);
    expect(found.join('\n')).toMatch(expected);
  });

  it('cannot hide that the events could not be read', async () => {
    const swallowing: Verify = async ({ events }) => {
      try {
        for await (const _ of events);
      } catch {
        // As if nothing had been there.
      }
      return [];
    };
    expect(await withVerify(swallowing)).toMatchObject({ ok: true });
    await system.dynamo.delete({ TableName: tables.events, Key: { streamId: 'order-1', version: 3 } });
    const found = said(await verdict()).filter((one) => one.startsWith('effect-not-verified order-1'));
    expect(found.join('\n')).toMatch(/EVENTS_UNREADABLE/);
  });
});

describe('a function that does not answer', () => {
  it('fails by name, also when it was given up on', async () => {
    for (let index = 10; index < 30; index += 1) await order(system, `order-${index}`, ['OrderPlaced']);
    await system.settle();
    questions = { ask: () => Promise.reject(new Error('AccessDenied')) };
    const result = await atOnce();
    expect(result.ok).toBe(false);
    expect(of(result, 'inventory').effects).toMatchObject({ status: 'failed', streams: 0 });
    expect(said(result)).toContainEqual(expect.stringMatching(/given up after 10 failures, 12 streams/));
  });

  it('has failed although no single stream of it was named', async () => {
    let calls = 0;
    questions = {
      ask: async (name, request) => {
        calls += 1;
        if (request.whole) throw new Error('out of memory');
        return system.questions.ask(name, request);
      },
    };
    const result = await atOnce();
    expect(calls).toBe(2);
    expect(result).toMatchObject({ ok: false, violations: [{ kind: 'effect-not-verified', consumer: 'inventory' }] });
  });
});

describe('a store of many streams', () => {
  it('is verified to its last stream, a bounded number of them at a time', async () => {
    const STREAMS = 450;
    for (let index = 0; index < STREAMS; index += 1) {
      const streamId = `z-${String(index).padStart(4, '0')}`;
      const data = { orderId: streamId, customerId: 'ada', sku: 'cups', quantity: 1 };
      await system.eventStore.append(streamId, [{ id: streamId, type: 'OrderPlaced', data }], 'no-stream');
    }
    await system.settle();
    const [last] = await movements('z-0449');
    await system.dynamo.delete({ TableName: STOCK.name, Key: { pk: last?.pk, sk: last?.sk } });
    let inFlight = 0;
    let most = 0;
    const pages: number[] = [];
    const watched = new Proxy(system.dynamo, {
      get: (target, name) => {
        const operation = Reflect.get(target, name);
        if (typeof operation !== 'function') return operation;
        return async (...input: unknown[]) => {
          inFlight += 1;
          most = Math.max(most, inFlight);
          try {
            return await operation.apply(target, input);
          } finally {
            inFlight -= 1;
          }
        };
      },
    });
    questions = {
      ask: (name, request) => {
        pages.push(request.streams.length);
        return system.questions.ask(name, request);
      },
    };
    const result = await verify({ dynamo: watched, tables, questions }, { now: system.clock.now() });
    expect(result).toMatchObject({ ok: false, streams: STREAMS + 2 });
    expect(of(result, 'inventory').effects).toMatchObject({ status: 'violated', streams: STREAMS + 2 });
    expect(said(result)).toContainEqual(expect.stringMatching(/^effect z-0449@1 0 movements/));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(16);
    expect(Math.max(...pages)).toBe(100);
  }, 60_000);
});
