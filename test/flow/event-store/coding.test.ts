import { brotliDecompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { benchEvents } from '../../../lib/cli/bench/events.ts';
import { type CheckedEvent, checkAppend } from '../../../lib/flow/event-store/check-input.ts';
import {
  codeEvents,
  decodeEvents,
  encodeEvents,
  eventsText,
  writeUnits,
} from '../../../lib/flow/event-store/coding.ts';
import { GENESIS_HASH, type StoredCommit } from '../../../lib/model/commit.ts';
import type { Json } from '../../../lib/model/event.ts';
import { streamId, type Version } from '../../../lib/model/ids.ts';
import { itemSize } from '../../../lib/platform/dynamodb/memory/size.ts';
import type { Item } from '../../../lib/platform/dynamodb/memory/values.ts';
import { newEvent } from './support.ts';

const header = (count: number) => ({
  streamId: streamId('s'),
  version: 5 as Version,
  count,
  format: 1,
  recordedAt: 1_767_225_600_123,
});

function store(events: readonly CheckedEvent[]): StoredCommit & { itemBytes: number } {
  const facts = header(events.length);
  return {
    ...facts,
    ...codeEvents(facts, eventsText(encodeEvents(events))),
    previousHash: GENESIS_HASH,
    hash: GENESIS_HASH,
  };
}

const checked = (events: Parameters<typeof encodeEvents>[0] | ReturnType<typeof newEvent>[]): CheckedEvent[] =>
  checkAppend('s', events, 0).events;

/** JSON values with everything that is awkward: lone surrogates, keys of the language, numbers at the edges. */
const awkwardText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '', '\u2028', '\ud800', '1', '-0'),
);
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    awkwardText,
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .array(fc.tuple(awkwardText, tie('value')), { maxLength: 5 })
      // Built from text: an own member "__proto__" cannot be assigned.
      .map((members) =>
        JSON.parse(`{${members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)}}`),
      ),
  ) as fc.Arbitrary<Json>,
}));

describe('events as they are stored', () => {
  it('come back as they were given, for any JSON and any metadata', () => {
    const event = fc.record({
      data: json.value,
      type: fc.constantFrom('OrderPlaced', 'Ünïcode', '__proto__'),
      metadata: fc.record(
        {
          timestamp: fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }),
          correlationId: fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
          causationId: fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
        },
        { requiredKeys: [] },
      ),
    });
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 6 }), (events) => {
        const given = events.map((each, index) => ({ ...each, id: `e${index}` }));
        const stored = store(checked(given));
        const decoded = decodeEvents(stored);
        expect(decoded.map(({ data }) => JSON.stringify(data))).toEqual(given.map(({ data }) => JSON.stringify(data)));
        for (const [index, { id, type, metadata }] of decoded.entries()) {
          const {
            timestamp = new Date(stored.recordedAt),
            correlationId = `e${index}`,
            causationId = correlationId,
          } = given[index]?.metadata ?? {};
          expect({ id, type, metadata }).toEqual({
            id: `e${index}`,
            type: given[index]?.type,
            metadata: { timestamp, version: 5 + index, correlationId, causationId },
          });
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('keep a member named __proto__, and do not let it become a prototype', () => {
    const data = JSON.parse('{"__proto__":{"admin":true},"a":{"constructor":{"prototype":1}}}');
    const [event] = decodeEvents(store(checked([newEvent('e', data)])));
    expect(JSON.stringify(event?.data)).toBe('{"__proto__":{"admin":true},"a":{"constructor":{"prototype":1}}}');
    expect(event?.data).not.toHaveProperty('admin');
  });

  it('are one readable JSON text that leaves out what follows from the rest', () => {
    const events = checked([
      newEvent('e1', { sku: 'A1' }),
      { ...newEvent('e2', 2), metadata: { timestamp: new Date(0), correlationId: 'c', causationId: 'e1' } },
      { ...newEvent('e3', 3), metadata: { correlationId: 'e3', causationId: 'e3' } },
    ]);
    expect(store(events)).toMatchObject({
      encoding: 'json',
      events:
        '[{"id":"e1","type":"OrderPlaced","data":{"sku":"A1"}},' +
        '{"id":"e2","type":"OrderPlaced","timestamp":"1970-01-01T00:00:00.000Z","correlationId":"c","causationId":"e1","data":2},' +
        '{"id":"e3","type":"OrderPlaced","data":3}]',
    });
  });

  it('are compressed exactly when that lowers ceil(item bytes / 1,024)', () => {
    const data = fc
      .tuple(fc.string({ maxLength: 2_000 }), fc.integer({ min: 0, max: 40 }))
      .map(([text, n]) => text.repeat(n));
    fc.assert(
      fc.property(data, (text) => {
        const events = checked([newEvent('e', text)]);
        const source = eventsText(encodeEvents(events));
        const stored = store(events);
        const { itemBytes, ...item } = stored;
        const bytes = (encoding: 'json' | 'br', value: string | Uint8Array) =>
          itemSize({ ...item, encoding, events: value } as unknown as Item);
        const json = bytes('json', source.text);
        const brotli = bytes('br', stored.encoding === 'br' ? stored.events : source.compressed('small'));
        const saves = writeUnits(brotli) < writeUnits(json);
        expect([stored.encoding, itemBytes]).toEqual(saves ? ['br', brotli] : ['json', json]);
      }),
      { numRuns: 300 },
    );
  });

  it('take as few units as the best compression that is tried would give, nearly always', () => {
    // The quick try decides where the slow one cannot help: over many sizes that must cost next to nothing.
    let units = 0;
    let best = 0;
    for (let size = 200; size < 30_000; size += 83) {
      const events = checked(benchEvents(1, size, `e${size}`));
      const stored = store(events);
      const source = eventsText(encodeEvents(events));
      const small = itemSize({
        ...header(1),
        encoding: 'br',
        events: source.compressed('small'),
        previousHash: GENESIS_HASH,
        hash: GENESIS_HASH,
      });
      units += writeUnits(stored.itemBytes);
      best += Math.min(writeUnits(small), writeUnits(stored.itemBytes));
    }
    expect(units).toBeLessThanOrEqual(best * 1.005);
  });

  it('are plain Brotli of the same text when they are compressed, for whoever reads the table without us', () => {
    const events = checked([newEvent('e', 'again '.repeat(1_000))]);
    const stored = store(events);
    expect(stored.encoding).toBe('br');
    expect(brotliDecompressSync(stored.events as Uint8Array).toString()).toBe(encodeEvents(events));
  });
});
