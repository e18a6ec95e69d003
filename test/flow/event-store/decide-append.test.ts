import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkAppend } from '../../../lib/flow/event-store/check-input.ts';
import {
  damageBelow,
  decideOnFound,
  decideOnHead,
  equalJson,
  isEnough,
} from '../../../lib/flow/event-store/decide-append.ts';
import { createHeadCache, EMPTY_HEAD, type Head } from '../../../lib/flow/event-store/head.ts';
import type { ExpectedVersion } from '../../../lib/flow/event-store/port.ts';
import { type Commit, GENESIS_HASH } from '../../../lib/model/commit.ts';
import type { Event, Json, NewEvent } from '../../../lib/model/event.ts';
import { type EventId, type EventType, streamId, type Version } from '../../../lib/model/ids.ts';
import { newEvent } from './support.ts';

const head = (version: number, hash = `hash${version}`): Head => ({ version: version as Version, hash, recordedAt: 1 });

describe('deciding on the head', () => {
  it.each<[ExpectedVersion, number, string]>([
    [0, 0, 'write'],
    [3, 3, 'write'],
    ['no-stream', 0, 'write'],
    ['any', 0, 'write'],
    ['any', 9, 'write'],
    ['stream-exists', 1, 'write'],
    ['stream-exists', 0, 'conflict'],
    [4, 3, 'conflict'],
    [1, 0, 'conflict'],
    [2, 3, 'taken'],
    [0, 1, 'taken'],
    ['no-stream', 5, 'taken'],
  ])('expected %s, stream ends at %s: %s', (expected, version, kind) => {
    expect(decideOnHead(expected, head(version)).kind).toBe(kind);
  });

  it('says at which version the place is taken', () => {
    expect(decideOnHead(2, head(7))).toEqual({ kind: 'taken', version: 3 });
  });

  it.each<[ExpectedVersion, number | undefined, boolean]>([
    [3, 3, true],
    [3, 2, false],
    [3, 4, false],
    [0, undefined, false],
    ['any', undefined, false],
    ['any', 0, true],
    ['stream-exists', 0, false],
    ['stream-exists', 1, true],
    ['no-stream', 0, true],
    ['no-stream', 1, false],
  ])('expected %s, known head %s: enough to write without a read is %s', (expected, version, enough) => {
    expect(isEnough(expected, version === undefined ? undefined : head(version))).toBe(enough);
  });

  it('sees damage where the stream ends before, or otherwise than, somebody knows', () => {
    const floor = { version: 5, hashPrefix: 'abcd', knownBy: 'the directory' };
    expect(damageBelow(head(4), floor)).toMatchObject({ version: 5, damage: expect.stringContaining('the directory') });
    expect(damageBelow(EMPTY_HEAD, floor)).toMatchObject({ version: 1 });
    expect(damageBelow(head(5, 'abce00'), floor)).toMatchObject({ version: 5 });
    expect(damageBelow(head(5, 'abcd00'), floor)).toBeUndefined();
    expect(damageBelow(head(6, 'anything'), floor)).toBeUndefined();
  });
});

describe('deciding on the commit in the way', () => {
  const stored = (version: number, events: NewEvent[]): Commit => ({
    streamId: streamId('s'),
    version: version as Version,
    count: events.length,
    format: 1,
    recordedAt: 5,
    previousHash: GENESIS_HASH,
    hash: 'h',
    events: events.map(
      ({ id, type, data }, index): Event => ({
        id: id as EventId,
        streamId: streamId('s'),
        type: type as EventType,
        data,
        metadata: { timestamp: new Date(5), version: (version + index) as Version, correlationId: id, causationId: id },
      }),
    ),
  });
  const decide = (events: NewEvent[], version: number, found: Commit | undefined) =>
    decideOnFound(checkAppend('s', events, 0).events, version, found);
  const [a, b, c] = [newEvent('a'), newEvent('b'), newEvent('c')] as const;

  it.each<[string, NewEvent[], Commit | undefined, string]>([
    ['the same events', [a, b], stored(3, [a, b]), 'repeated'],
    ['events with other ids', [a, b], stored(3, [c]), 'other'],
    ['a commit that holds the version in its middle', [a], stored(2, [b, c]), 'other'],
    ['a commit that holds the version in its middle, with our event', [a], stored(2, [b, a]), 'id-reused'],
    ['the same events, but from a version before', [b, a], stored(2, [b, a]), 'id-reused'],
    ['more events than ours', [a], stored(3, [a, b]), 'id-reused'],
    ['fewer events than ours', [a, b], stored(3, [a]), 'id-reused'],
    ['our events in another order', [a, b], stored(3, [b, a]), 'id-reused'],
    ['our id with another type', [a], stored(3, [{ ...a, type: 'Other' }]), 'id-reused'],
    ['our id with other data', [a], stored(3, [{ ...a, data: { n: 'A' } }]), 'id-reused'],
    ['nothing', [a], undefined, 'hole'],
    ['a commit that ends before', [a], stored(1, [b, c]), 'hole'],
  ])('%s', (_, events, found, kind) => {
    expect(decide(events, 3, found).kind).toBe(kind);
  });

  it('names the ids that were used before and the difference', () => {
    expect(decide([a, b], 3, stored(3, [b, c]))).toEqual({
      kind: 'id-reused',
      ids: ['b'],
      difference: 'event 1 has the id "b" there, "a" here',
    });
  });
});

describe('comparing JSON', () => {
  it('finds a value equal to itself with its members in another order, and to nothing else', () => {
    const reversed = (value: Json): Json => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== 'object' || value === null) return value;
      const entries = Object.entries(value).reverse();
      return JSON.parse(
        `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${JSON.stringify(reversed(member))}`)}}`,
      );
    };
    const asStored = (value: Json): unknown => JSON.parse(JSON.stringify(value));
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        const [one, other] = [left as Json, right as Json];
        expect(equalJson(one, reversed(one))).toBe(true);
        expect(equalJson(one, other)).toBe(isDeepStrictEqual(asStored(one), asStored(other)));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[unknown, unknown]>([
    [[1], { 0: 1 }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1, b: 2 }, { a: 1 }],
    [JSON.parse('{"__proto__":{}}'), {}],
    [{}, JSON.parse('{"__proto__":{}}')],
    [{ toString: 1 }, { valueOf: 1 }],
    [
      [1, 2],
      [2, 1],
    ],
    [null, {}],
    ['1', 1],
    [0, false],
  ])('%j is not %j', (left, right) => {
    expect(equalJson(left as Json, right as Json)).toBe(false);
  });
});

describe('known heads', () => {
  it('never go back, and are forgotten in the order in which they were used', () => {
    const heads = createHeadCache(2);
    heads.raise('a', head(3));
    heads.raise('a', head(2));
    expect(heads.get('a')).toEqual(head(3));
    heads.raise('b', head(1));
    heads.get('a');
    heads.raise('c', head(1));
    expect([heads.get('a')?.version, heads.get('b'), heads.get('c')?.version]).toEqual([3, undefined, 1]);
  });

  it('stay within their bound', () => {
    const heads = createHeadCache(100);
    for (let index = 0; index < 1_000; index += 1) heads.raise(`s${index}`, head(1));
    const kept = Array.from({ length: 1_000 }, (_, index) => heads.get(`s${index}`)).filter(
      (found) => found !== undefined,
    );
    expect(kept).toHaveLength(100);
  });
});
