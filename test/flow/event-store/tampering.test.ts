// Any single change to what is stored is seen: a byte of the events, a character or a digit of any attribute, an attribute
// that is missing or of another type, a commit that is removed, moved, copied or exchanged.

import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createMemoryEventStore, type MemoryEventStore } from '../../../lib/flow/event-store/memory-event-store.ts';
import type { StoredCommit } from '../../../lib/model/commit.ts';
import { createTestWorld } from '../../support/world.ts';
import { errorOf, eventsTable, idsOf, newEvent, newEvents, storedCommit } from './support.ts';

const VERSIONS = [1, 3, 6, 7, 8];
const LENGTH = 9;

describe('what is changed in a stored stream', () => {
  let store: MemoryEventStore;
  const commits = new Map<number, StoredCommit>();
  const keyOf = (version: number) => ({ streamId: 's', version });
  const restore = () => {
    for (const { version } of store.dynamo.items(eventsTable))
      store.dynamo.removeItem(eventsTable, keyOf(version as number));
    for (const commit of commits.values()) store.dynamo.replaceItem(eventsTable, { ...commit });
  };

  beforeAll(async () => {
    const world = createTestWorld();
    store = createMemoryEventStore({ world });
    const compressed = newEvent('big', 'the same again, '.repeat(200));
    const appends = [newEvents(2, 'a'), newEvents(3, 'b'), [compressed], newEvents(1, 'c'), newEvents(2, 'd')];
    let version = 0;
    for (const events of appends) {
      world.clock.advance(1_000);
      ({ version } = await store.append('s', events, version));
    }
    expect(version).toBe(LENGTH);
    for (const first of VERSIONS) commits.set(first, await storedCommit(store.dynamo, 's', first));
    expect(commits.get(6)?.encoding).toBe('br');
  });

  const expectSeen = async (): Promise<void> => {
    expect(await errorOf(store.read('s'))).toMatchObject({ code: 'STREAM_DAMAGED', streamId: 's' });
    expect(await errorOf(store.read('s', undefined, { direction: 'backwards' }))).toMatchObject({
      code: 'STREAM_DAMAGED',
    });
  };

  const commit = fc.constantFrom(...VERSIONS);
  type Attribute = Exclude<keyof StoredCommit, 'streamId' | 'version'>;
  const attribute = fc.constantFrom<Attribute>(
    'count',
    'events',
    'encoding',
    'format',
    'recordedAt',
    'previousHash',
    'hash',
  );

  /** Another value of the same type that differs in one byte, one character, or by one number. */
  function changed(value: unknown, where: number, by: number): unknown {
    if (typeof value === 'number') return value + (by % 2 === 0 ? by + 1 : -by - 1);
    if (typeof value === 'string') {
      const at = where % value.length;
      const code = value.charCodeAt(at) ^ (1 + (by % 127));
      return value.slice(0, at) + String.fromCharCode(code) + value.slice(at + 1);
    }
    const bytes = new Uint8Array(value as Uint8Array);
    const at = where % bytes.length;
    bytes[at] = (bytes[at] as number) ^ (1 + (by % 255));
    return bytes;
  }

  it('is seen when it is one byte, one character or one number of one attribute', async () => {
    await fc.assert(
      fc.asyncProperty(commit, attribute, fc.nat(100_000), fc.nat(1_000), async (version, name, where, by) => {
        const original = commits.get(version) as StoredCommit;
        store.dynamo.replaceItem(eventsTable, { ...original, [name]: changed(original[name], where, by) });
        try {
          await expectSeen();
        } finally {
          store.dynamo.replaceItem(eventsTable, { ...original });
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('is seen for every single byte of the compressed events', async () => {
    const original = commits.get(6) as StoredCommit;
    const bytes = original.events as Uint8Array;
    for (let at = 0; at < bytes.length; at += 1) {
      store.dynamo.replaceItem(eventsTable, { ...original, events: changed(bytes, at, at) as Uint8Array });
      await expectSeen();
    }
    restore();
  });

  it('is seen when an attribute is missing, cut, longer or of another type', async () => {
    const others = fc.constantFrom<unknown>(undefined, null, '', 0, true, 'x', new Uint8Array([1]), [1], { a: 1 });
    await fc.assert(
      fc.asyncProperty(commit, attribute, others, async (version, name, other) => {
        const original = commits.get(version) as StoredCommit;
        fc.pre(original[name] !== other);
        store.dynamo.replaceItem(eventsTable, { ...original, [name]: other });
        try {
          await expectSeen();
        } finally {
          store.dynamo.replaceItem(eventsTable, { ...original });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is seen when a commit is removed, exchanged with another, or overwritten by a copy of another', async () => {
    const damage = fc.constantFrom('remove', 'exchange', 'copy');
    await fc.assert(
      fc.asyncProperty(commit, commit, damage, async (version, other, kind) => {
        fc.pre(kind === 'remove' || version !== other);
        const [one, two] = [commits.get(version) as StoredCommit, commits.get(other) as StoredCommit];
        if (kind === 'remove') store.dynamo.removeItem(eventsTable, keyOf(version));
        else store.dynamo.replaceItem(eventsTable, { ...two, version: one.version });
        if (kind === 'exchange') store.dynamo.replaceItem(eventsTable, { ...one, version: two.version });
        try {
          if (kind === 'remove' && version === 8) {
            // Without its last commit a stream is whole in itself: the directory knows, and refuses the next append.
            expect(idsOf(await store.read('s'))).toHaveLength(7);
            expect(await errorOf(store.append('s', [newEvent('next')], 7))).toMatchObject({ code: 'STREAM_DAMAGED' });
          } else await expectSeen();
        } finally {
          restore();
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is seen when a commit is moved to a version, or into a stream, that it was not written for', async () => {
    const original = commits.get(8) as StoredCommit;
    store.dynamo.removeItem(eventsTable, keyOf(8));
    store.dynamo.replaceItem(eventsTable, { ...original, version: 9 });
    await expectSeen();
    restore();
    store.dynamo.replaceItem(eventsTable, { ...(commits.get(1) as StoredCommit), streamId: 'thief' });
    expect(await errorOf(store.read('thief'))).toMatchObject({ code: 'STREAM_DAMAGED', streamId: 'thief', version: 1 });
  });

  it('is all put back by the tests above', async () => {
    restore();
    expect(await store.read('s')).toHaveLength(LENGTH);
  });
});
