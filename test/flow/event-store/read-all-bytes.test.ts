// How much one readAll keeps in memory, whatever the size of the commits.

import { describe, expect, it } from '@jest/globals';
import { createMemoryEventStore } from '../../../lib/flow/event-store/memory-event-store.ts';
import { createTestWorld } from '../../support/world.ts';
import { idsOf, newEvent, noise } from './support.ts';

describe('reading everything in large commits', () => {
  it('ends early after 16 MB, and goes on from the position of its last event', async () => {
    const store = createMemoryEventStore({ world: createTestWorld() });
    const data = noise(230_000, 1);
    const ids = Array.from({ length: 120 }, (_, index) => `e${index + 1}`);
    for (const [version, id] of ids.entries()) await store.append('s', [newEvent(id, data)], version);
    // 100 commits of about 172 KB as they are stored are the first fetch, and more than 16 MB.
    const first = await store.readAll(0, 1_000);
    expect(idsOf(first)).toEqual(ids.slice(0, 100));
    const rest = await store.readAll(first.at(-1)?.metadata.position ?? 0, 1_000);
    expect(idsOf(rest)).toEqual(ids.slice(100));
  });
});
