// Bad input: a stable code that names what, got, allowed and remedy, and not one request.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryEventStore } from '../../../lib/flow/event-store/memory-event-store.ts';
import type { AppendOptions, EventStore, ExpectedVersion } from '../../../lib/flow/event-store/port.ts';
import { InvalidInputError } from '../../../lib/model/errors.ts';
import type { NewEvent } from '../../../lib/model/event.ts';
import { createTestWorld } from '../../support/world.ts';
import { collect, errorOf, newEvent, newEvents, type RecordingDynamo, recording, storeOn } from './support.ts';

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const deep = (levels: number): unknown => {
  let value: unknown = 0;
  for (let level = 0; level < levels; level += 1) value = { value };
  return value;
};

describe('bad input', () => {
  let store: EventStore;
  let dynamo: RecordingDynamo;
  beforeEach(() => {
    const world = createTestWorld();
    dynamo = recording(createMemoryEventStore({ world }).dynamo);
    store = storeOn(dynamo, world);
  });

  const expectRefused = async (call: Promise<unknown>, code: string, what: RegExp = /./): Promise<void> => {
    const error = await errorOf(call);
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({
      code,
      retryable: false,
      what: expect.stringMatching(what),
      allowed: expect.stringMatching(/.{3}/),
      remedy: expect.stringMatching(/.{3}/),
    });
    expect(Object.keys(error)).toContain('got');
    expect(error.message.length).toBeLessThan(600);
    expect(error.message).not.toMatch(/\n/);
    expect(dynamo.calls).toEqual([]);
  };

  it.each<[string, unknown]>([
    ['empty', ''],
    ['over-long', 'x'.repeat(257)],
    ['over-long in bytes', '€'.repeat(86)],
    ['reserved', '$all'],
    ['with a control character', 'a\nb'],
    ['with half a surrogate pair', 'a\ud800'],
    ['no string', 5],
    ['missing', undefined],
  ])('refuses a stream id that is %s, in every method', async (_, id) => {
    const streamId = id as string;
    await expectRefused(store.append(streamId, [newEvent('e')], 0), 'INVALID_STREAM_ID');
    await expectRefused(store.read(streamId), 'INVALID_STREAM_ID');
    await expectRefused(collect(store.readStream(streamId)), 'INVALID_STREAM_ID');
    await expectRefused(collect(store.readCommits(streamId)), 'INVALID_STREAM_ID');
    await expectRefused(store.getVersion(streamId), 'INVALID_STREAM_ID');
    await expectRefused(store.readByTimeRange(streamId, new Date(0), new Date(1)), 'INVALID_STREAM_ID');
  });

  it.each<[unknown, string]>([
    [[], 'EMPTY_APPEND'],
    [newEvents(1_001), 'TOO_MANY_EVENTS'],
    [undefined, 'INVALID_EVENTS'],
    [newEvent('e'), 'INVALID_EVENTS'],
    [[null], 'INVALID_EVENT'],
    [['e'], 'INVALID_EVENT'],
    [[{ ...newEvent('e'), metadata: 'x' }], 'INVALID_EVENT'],
    [[newEvent('a'), newEvent('b'), newEvent('a')], 'DUPLICATE_EVENT_ID'],
    [[newEvent('')], 'INVALID_EVENT_ID'],
    [[newEvent('x'.repeat(129))], 'INVALID_EVENT_ID'],
    [[newEvent('$x')], 'INVALID_EVENT_ID'],
    [[{ type: 'T', data: 1 }], 'INVALID_EVENT_ID'],
    [[newEvent('e', 1, '')], 'INVALID_EVENT_TYPE'],
    [[newEvent('e', 1, '$StreamMoved')], 'INVALID_EVENT_TYPE'],
    [[newEvent('e', 1, 'x'.repeat(129))], 'INVALID_EVENT_TYPE'],
  ])('refuses the events %j with %s', async (events, code) => {
    await expectRefused(store.append('s', events as NewEvent[], 0), code);
  });

  it.each<[string, unknown, RegExp]>([
    ['undefined', undefined, /^events\[1\]\.data$/],
    ['an undefined member', { a: { b: undefined } }, /^events\[1\]\.data\.a\.b$/],
    ['a BigInt', { total: 12n }, /\.total$/],
    ['NaN', { total: Number.NaN }, /\.total$/],
    ['Infinity', [Number.POSITIVE_INFINITY], /\[0\]$/],
    ['a cycle', cyclic, /\.self$/],
    ['a Date', { at: new Date(0) }, /\.at$/],
    ['a Map', { map: new Map() }, /\.map$/],
    ['a function', { f: () => 1 }, /\.f$/],
    // biome-ignore lint/suspicious/noSparseArray: sparse arrays are what is tested
    ['a sparse array', [1, , 2], /\[1\]$/],
    ['251 levels', deep(251), /value$/],
    ['100,000 levels', deep(100_000), /value$/],
  ])('refuses data that is not JSON: %s', async (_, data, what) => {
    const events = [newEvent('good'), { ...newEvent('bad'), data } as NewEvent];
    await expectRefused(store.append('s', events, 0), 'DATA_NOT_JSON', what);
  });

  it('takes data that is 250 levels deep', async () => {
    const data = deep(250) as NewEvent['data'];
    await store.append('s', [newEvent('e', data)], 0);
    expect((await store.read('s'))[0]?.data).toEqual(data);
  });

  it.each<[unknown]>([[-1], [0.5], [Number.NaN], [2 ** 53], ['0'], ['newest'], [null], [undefined], [1n]])(
    'refuses the expected version %p',
    async (expected) => {
      await expectRefused(store.append('s', [newEvent('e')], expected as ExpectedVersion), 'INVALID_EXPECTED_VERSION');
    },
  );

  it.each<[unknown]>([[0], [-3], [1.5], [Number.NaN], ['1'], [null]])('refuses fromVersion %p', async (from) => {
    const fromVersion = from as number;
    await expectRefused(store.read('s', fromVersion), 'INVALID_FROM_VERSION');
    await expectRefused(store.read('s', fromVersion, { direction: 'backwards' }), 'INVALID_FROM_VERSION');
    await expectRefused(collect(store.readStream('s', fromVersion)), 'INVALID_FROM_VERSION');
    await expectRefused(collect(store.readCommits('s', fromVersion)), 'INVALID_FROM_VERSION');
  });

  it.each<[object]>([
    [{ limit: 0 }],
    [{ limit: 1.5 }],
    [{ limit: '3' }],
    [{ direction: 'up' }],
    [{ consistent: 'yes' }],
  ])('refuses the read options %j', async (options) => {
    await expectRefused(store.read('s', 1, options), 'INVALID_READ_OPTIONS');
  });

  it.each<[unknown]>([
    ['yesterday'],
    ['2025-01-01'],
    ['2025-01-01T10:00:00'],
    ['2025-13-01T10:00:00Z'],
    [new Date(Number.NaN)],
    [5],
    [null],
  ])('refuses the timestamp %p', async (timestamp) => {
    const events = [{ ...newEvent('e'), metadata: { timestamp: timestamp as string } }];
    await expectRefused(store.append('s', events, 0), 'INVALID_TIMESTAMP', /^events\[0\]\.metadata\.timestamp$/);
  });

  it.each<[AppendOptions, string]>([
    [{ correlationId: '' }, 'INVALID_CORRELATION_ID'],
    [{ correlationId: 'x'.repeat(257) }, 'INVALID_CORRELATION_ID'],
    [{ correlationId: 5 as unknown as string }, 'INVALID_CORRELATION_ID'],
    [{ causationId: 'a\u0000b' }, 'INVALID_CAUSATION_ID'],
    [{ causationId: '\udc00' }, 'INVALID_CAUSATION_ID'],
  ])('refuses the tracing ids %j', async (ids, code) => {
    await expectRefused(store.append('s', [newEvent('e')], 0, ids), code, /^options\./);
    await expectRefused(store.append('s', [{ ...newEvent('e'), metadata: ids }], 0), code, /^events\[0\]\.metadata\./);
  });

  it('writes nothing, neither the good events of a bad append nor the append itself', async () => {
    await errorOf(store.append('s', [newEvent('good'), { ...newEvent('bad'), data: undefined } as never], 0));
    expect(await store.getVersion('s')).toBe(0);
    expect(await store.append('s', [newEvent('good')], 0)).toMatchObject({ version: 1, repeated: false });
  });

  it('says who forgot the client', async () => {
    const { createEventStore } = await import('../../../lib/runtime.ts');
    expect(() => createEventStore({ eventsTable: 'E', logTable: 'L' })).toThrow(/pass a DynamoDBClient as client/);
  });
});
