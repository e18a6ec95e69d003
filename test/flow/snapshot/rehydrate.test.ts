// A rehydrated state is the fold of the whole stream, whatever is in the snapshots' table; the snapshot only makes it shorter.

import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashCommit } from '../../../lib/flow/event-store/hash.ts';
import { createRehydrate, type RehydrateOptions } from '../../../lib/flow/snapshot/rehydrate.ts';
import { createSnapshots } from '../../../lib/flow/snapshot/snapshots.ts';
import type { StoredCommit } from '../../../lib/model/commit.ts';
import type { Event } from '../../../lib/model/event.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { createSmallSystem, type SmallSystem } from '../../support/small-system.ts';

interface Order {
  seen: string[];
  sum: number;
}
const initial: Order = { seen: [], sum: 0 };
const evolve = (order: Order, event: Event): Order => {
  // Changes what it was given: the copy must be its own.
  order.seen.push(event.id);
  order.sum += (event.data as { n: number }).n;
  return order;
};

let system: SmallSystem;
let calls: string[];
beforeEach(async () => {
  system = await createSmallSystem();
  calls = [];
});

const counted = (dynamo: Dynamo): Dynamo =>
  new Proxy(dynamo, {
    get: (target, name: keyof Dynamo) => (input: never) => {
      calls.push(name);
      return (target[name] as (input: never) => Promise<unknown>)(input);
    },
  });
const snapshotsOf = (dynamo: Dynamo = counted(system.dynamo)) =>
  createSnapshots({ dynamo, snapshotsTable: 'Snapshots', world: system.world });
const rehydrate = (options: Partial<RehydrateOptions<Order>> = {}, snapshots = snapshotsOf()) =>
  createRehydrate({ eventStore: system.eventStore, snapshots, clock: system.clock })('order-1', {
    initial,
    evolve,
    snapshotEvery: 4,
    ...options,
  });
const append = async (counts: number[]) => {
  for (const count of counts) {
    const version = await system.eventStore.getVersion('order-1');
    const events = Array.from({ length: count }, (_, index) => {
      const n = version + index + 1;
      return { id: `e${n}`, type: 'Added', data: { n } };
    });
    await system.eventStore.append('order-1', events, version);
  }
};
const foldOf = (version: number): Order => ({
  seen: Array.from({ length: version }, (_, index) => `e${index + 1}`),
  sum: (version * (version + 1)) / 2,
});
const put = (item: Record<string, unknown>, TableName: string) => system.dynamo.put({ TableName, Item: item });
const stored = async () => (await system.items('Snapshots'))[0] as Record<string, unknown>;

describe('rehydrate', () => {
  it('of an empty stream is the initial state at version 0', async () => {
    expect(await rehydrate()).toEqual({
      state: initial,
      version: 0,
      snapshotVersion: 0,
      events: 0,
      snapshot: 'not-due',
    });
    expect(initial).toEqual({ seen: [], sum: 0 });
  });

  it('stores a snapshot when enough events came, and begins from it the next time', async () => {
    await append([1, 2]);
    expect(await rehydrate()).toMatchObject({ state: foldOf(3), version: 3, events: 3, snapshot: 'not-due' });
    await append([2]);
    expect(await rehydrate()).toMatchObject({ state: foldOf(5), version: 5, events: 5, snapshot: 'stored' });
    await append([1]);
    const again = { state: foldOf(6), version: 6, snapshotVersion: 5, events: 1, snapshot: 'not-due' };
    expect(await rehydrate()).toEqual(again);
    expect(await rehydrate()).toEqual(again);
    expect(initial).toEqual({ seen: [], sum: 0 });
  });

  it('gives the version to append at', async () => {
    await append([5]);
    const { version } = await rehydrate();
    await append([1]);
    await expect(
      system.eventStore.append('order-1', [{ id: 'x', type: 'Added', data: { n: 0 } }], version),
    ).rejects.toMatchObject({
      code: 'CONCURRENCY_CONFLICT',
    });
  });

  it('ignores a snapshot of another schema version, and keeps one for each', async () => {
    await append([5]);
    await rehydrate();
    expect(await rehydrate({ schemaVersion: 2 })).toMatchObject({ snapshotVersion: 0, events: 5, snapshot: 'stored' });
    expect(await rehydrate({ schemaVersion: 2 })).toMatchObject({ snapshotVersion: 5 });
    expect(await rehydrate()).toMatchObject({ snapshotVersion: 5 });
    expect(await rehydrate({ name: 'other' })).toMatchObject({ snapshotVersion: 0 });
  });

  it('ignores a snapshot of a history that was rewritten, and replaces it', async () => {
    await append([2, 3]);
    await rehydrate();
    const commit = (await system.items('Events')).find(({ version }) => version === 3) as Record<string, unknown>;
    const other = { ...commit, events: String(commit.events).replaceAll('"n":', '"n":1') };
    await put({ ...other, hash: hashCommit(other as unknown as StoredCommit) }, 'Events');
    const sum = 1 + 2 + 13 + 14 + 15;
    expect(await rehydrate()).toMatchObject({ state: { sum }, snapshotVersion: 0, events: 5, snapshot: 'stored' });
    expect(await rehydrate()).toMatchObject({ state: { sum }, snapshotVersion: 5, events: 0 });
  });

  it('ignores a snapshot that is further than the stream, and replaces it', async () => {
    await append([5]);
    await append([5]);
    await rehydrate();
    await system.dynamo.delete({ TableName: 'Events', Key: { streamId: 'order-1', version: 6 } });
    expect(await rehydrate()).toMatchObject({ state: foldOf(5), version: 5, snapshotVersion: 0, snapshot: 'stored' });
    expect(await rehydrate()).toMatchObject({ snapshotVersion: 5, events: 0 });
  });

  it('ignores a snapshot inside of a commit: it was never at a commit that ends there', async () => {
    await append([5]);
    const snapshots = snapshotsOf();
    const { hash } = (await system.items('Events'))[0] as { hash: string };
    const key = { streamId: 'order-1' as never, name: 'state', schemaVersion: 1 };
    await snapshots.write({ ...key, version: 4 as never, commitHash: hash, state: { seen: [], sum: 999 }, takenAt: 0 });
    expect(await rehydrate({}, snapshots)).toMatchObject({ state: foldOf(5), snapshotVersion: 0 });
  });

  it('is right without the table of snapshots: it only takes longer', async () => {
    await append([5]);
    const broken = new Proxy(system.dynamo, { get: () => () => Promise.reject(new Error('no table')) });
    expect(await rehydrate({}, snapshotsOf(broken))).toMatchObject({ state: foldOf(5), snapshot: 'failed' });
  });

  it('does not store a state that is too large, and says so', async () => {
    await append([5]);
    const large = { initial: { seen: [], sum: 0 }, evolve: (order: Order) => ({ ...order, seen: noise(order.seen) }) };
    expect(await rehydrate(large)).toMatchObject({ version: 5, snapshot: 'too-large' });
  });

  it('refuses a state that is not JSON, naming the place', async () => {
    await append([5]);
    const evolving = { initial: { seen: [], sum: 0 }, evolve: (order: Order) => ({ ...order, at: new Date(0) }) };
    await expect(rehydrate(evolving as never)).rejects.toMatchObject({ code: 'SNAPSHOT_STATE_NOT_JSON' });
    await expect(rehydrate(evolving as never)).rejects.toThrow(/state\.at/);
  });

  it('fails for a damaged stream as every read does', async () => {
    await append([1, 1, 1, 1, 1]);
    await system.dynamo.delete({ TableName: 'Events', Key: { streamId: 'order-1', version: 2 } });
    await expect(rehydrate()).rejects.toMatchObject({ code: 'STREAM_DAMAGED' });
  });

  it.each([
    [{ snapshotEvery: 0 }],
    [{ snapshotEvery: 1.5 }],
    [{ snapshotEvery: 2_000_000 }],
    [{ schemaVersion: 0 }],
    [{ schemaVersion: '1' }],
    [{ name: 'a#b' }],
    [{ name: '' }],
    [{ evolve: 'no' }],
  ])('refuses %j before it reads anything', async (options) => {
    await expect(rehydrate(options as never)).rejects.toMatchObject({ code: 'INVALID_REHYDRATE_OPTIONS' });
    expect(calls).toEqual([]);
  });

  it('writes nothing while no snapshot is due', async () => {
    await append([3]);
    await rehydrate();
    expect(calls).toEqual(['get']);
  });
});

describe('many at once', () => {
  it('never give a wrong state and never store an older snapshot over a later one', async () => {
    const step = fc.constantFrom<'append' | 'rehydrate' | 'rehydrate-2' | 'garbage'>(
      'append',
      'rehydrate',
      'rehydrate-2',
      'garbage',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        system = await createSmallSystem();
        let version = 0;
        let highest = 0;
        for (const each of steps) {
          if (each === 'append') {
            await append([1 + (version % 3)]);
            version = await system.eventStore.getVersion('order-1');
          } else if (each === 'garbage') {
            const item = await stored();
            if (item) await put({ ...item, state: '{"seen":[],"sum":-1}' }, 'Snapshots');
            highest = 0;
          } else {
            const many = await Promise.all([rehydrate(), rehydrate({ snapshotEvery: 1 }), rehydrate()]);
            for (const one of many) expect(one).toMatchObject({ state: foldOf(version), version });
            const at = Number((await stored())?.version ?? 0);
            expect(at).toBeGreaterThanOrEqual(highest);
            highest = at;
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

/** Does not compress. */
function noise(before: readonly string[]): string[] {
  let seed = before.length + 1;
  return Array.from({ length: 120_000 }, () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return seed.toString(36);
  });
}
