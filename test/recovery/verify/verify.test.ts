// The verifier must fail when one event is dropped, doubled or reordered in store, log, checkpoint or dead letters: each is
// done once, to a system that was proved complete a moment before. In one invocation and in batches: the same verdict.

import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../../lib/recovery/verify/types.ts';
import { verify } from '../../../lib/recovery/verify/verify.ts';
import { createSmallSystem, type SmallSystem, TABLES } from '../../support/small-system.ts';
import { verifyBothWays } from './in-batches.ts';

const HOUR = 3_600_000;
let system: SmallSystem;

const tables = {
  events: TABLES.eventsTable,
  log: TABLES.logTable,
  checkpoints: TABLES.checkpointsTable,
  deadLetters: TABLES.deadLettersTable,
  recovery: TABLES.recoveryTable,
};
const verdict = (): Promise<Verdict> =>
  verifyBothWays({ dynamo: system.dynamo, tables }, { now: system.clock.now(), quiet: true });
const kinds = ({ violations }: Verdict): string[] => [...new Set(violations.map(({ kind }) => kind))].sort();

type Item = Record<string, unknown>;
const item = async (table: string, isIt: (item: Item) => boolean): Promise<Item> =>
  (await system.items(table)).find(isIt) as Item;
async function change(table: string, isIt: (item: Item) => boolean, to: (item: Item) => Item): Promise<void> {
  await system.dynamo.put({ TableName: table, Item: to(await item(table, isIt)) });
}
const commitAt = (version: number) => (each: Item) => each.streamId === 'order-1' && each.version === version;
const lastPage = async (): Promise<Item> =>
  (await system.items(tables.log))
    .filter(({ pk }) => String(pk).startsWith('page#'))
    .sort((a, b) => String(a.sk).localeCompare(String(b.sk)))
    .at(-1) as Item;
const checkpointOf = (consumer: string) => (each: Item) => each.pk === `${consumer}#order-1`;

beforeEach(async () => {
  system = await createSmallSystem();
  await system.addConsumer({ name: 'inventory', eventTypes: ['Placed'], effects: 'idempotent' });
  await system.addConsumer(
    { name: 'billing', eventTypes: ['Placed'], effects: 'idempotent', maxAttempts: 1 },
    ({ metadata }) => {
      if (metadata.version === 3) throw new Error('poison');
      return undefined;
    },
  );
  await system.append('order-1', ['Placed', 'Other', 'Placed', 'Placed', 'Other']);
  await system.append('order-2', ['Placed']);
  await system.settle();
  system.clock.advance(HOUR);
});

describe('the verification', () => {
  it('accounts for every event of every consumer, the parked one and those behind it included', async () => {
    const result = await verdict();
    expect(result).toMatchObject({ ok: true, streams: 2, events: 6, logHead: 6, violationCount: 0 });
    expect(result.consumers.map(({ consumer, conservation }) => [consumer, conservation])).toEqual([
      ['billing', expect.objectContaining({ appended: 6, resolved: 3, parked: 1, waiting: 2, gap: 0 })],
      ['inventory', expect.objectContaining({ appended: 6, resolved: 6, parked: 0, gap: 0 })],
    ]);
  });

  it('judges a rewound event by what became of it then, not by the dead letter of its earlier generation', async () => {
    let isFixed = false;
    await system.addConsumer(
      { name: 'mail', eventTypes: ['Placed'], effects: 'idempotent', maxAttempts: 1, onPoison: 'skip' },
      ({ metadata }) => {
        if (metadata.version === 3 && !isFixed) throw new Error('poison');
      },
    );
    await system.append('order-3', ['Placed', 'Placed', 'Placed']);
    await system.settle();
    const discard = system.deadLetters.statusWrite('mail#1#3#order-3', ['skipped'], 'discarded', 1);
    await system.dynamo.transactWrite({ TransactItems: [discard] });
    const mail = ({ consumers }: Verdict) => consumers.find(({ consumer }) => consumer === 'mail')?.conservation;
    const only = { now: system.clock.now(), streamIds: ['order-3'], consumers: ['mail'] };
    const before = await verify({ dynamo: system.dynamo, tables }, only);
    expect([before.ok, mail(before)]).toEqual([true, expect.objectContaining({ resolved: 2, skipped: 1 })]);

    isFixed = true;
    const key = { consumer: 'mail' as never, streamId: 'order-3' as never };
    await system.checkpoints.requestRewind(key, { to: 0 as never, requestId: 'r1', requestedAt: 1 });
    const wakeUp = { format: 1, kind: 'wake-up', consumer: 'mail', streamId: 'order-3', version: 3, hops: 0 } as const;
    await system.wakeUps.send(system.queueUrlOf('mail'), [{ message: { ...wakeUp, reason: 'rewind' } }]);
    await system.settle();
    const after = await verify({ dynamo: system.dynamo, tables }, only);
    expect(after.violations).toEqual([]);
    expect(mail(after)).toMatchObject({ resolved: 3, skipped: 0 });
  });

  it.each<[string, () => Promise<void>, string[]]>([
    [
      'an event dropped from the middle of the store',
      async () =>
        void (await system.dynamo.delete({ TableName: tables.events, Key: { streamId: 'order-1', version: 2 } })),
      ['store-chain', 'store-hole'],
    ],
    [
      'an event dropped from the end of the store',
      async () =>
        void (await system.dynamo.delete({ TableName: tables.events, Key: { streamId: 'order-1', version: 5 } })),
      ['log-unknown-commit'],
    ],
    [
      'an event doubled in the store',
      () => change(tables.events, commitAt(5), (each) => ({ ...each, version: 6 })),
      ['store-chain', 'store-hash'],
    ],
    [
      'two events swapped in the store',
      async () => {
        const [third, fourth] = [await item(tables.events, commitAt(3)), await item(tables.events, commitAt(4))];
        await system.dynamo.put({ TableName: tables.events, Item: { ...fourth, version: 3 } });
        await system.dynamo.put({ TableName: tables.events, Item: { ...third, version: 4 } });
      },
      ['store-chain', 'store-hash'],
    ],
    [
      'a byte changed in the store',
      () =>
        change(tables.events, commitAt(1), (each) => ({
          ...each,
          events: String(each.events).replace('"n":1', '"n":2'),
        })),
      ['store-hash'],
    ],
    [
      'an event dropped from the log',
      async () => {
        const { pk, sk } = await lastPage();
        await system.dynamo.delete({ TableName: tables.log, Key: { pk, sk } });
      },
      ['directory', 'log-missing-commit'],
    ],
    [
      'an event doubled in the log',
      async () => {
        const page = await lastPage();
        const [first, last] = [Number(page.firstPosition), Number(page.lastPosition)];
        const shift = last - first + 1;
        await system.dynamo.put({
          TableName: tables.log,
          Item: {
            ...page,
            sk: String(last + 1).padStart(16, '0'),
            firstPosition: last + 1,
            lastPosition: last + shift,
          },
        });
      },
      ['log-order'],
    ],
    [
      'two events swapped in the log',
      async () => {
        const page = await lastPage();
        const text = JSON.parse(String(page.entries)) as { commits: unknown[] };
        await system.dynamo.put({
          TableName: tables.log,
          Item: { ...page, entries: JSON.stringify({ ...text, commits: text.commits.toReversed() }) },
        });
      },
      ['log-other-commit'],
    ],
    [
      'a checkpoint moved past an unresolved event',
      () => change(tables.checkpoints, checkpointOf('inventory'), (each) => ({ ...each, version: 5 })),
      ['checkpoint-count'],
    ],
    [
      'an event resolved twice',
      () => change(tables.checkpoints, checkpointOf('inventory'), (each) => ({ ...each, resolvedCount: 6 })),
      ['checkpoint-count'],
    ],
    [
      'events resolved in another order',
      () =>
        change(tables.checkpoints, checkpointOf('inventory'), (each) => ({ ...each, resolvedDigest: 'f'.repeat(64) })),
      ['checkpoint-digest'],
    ],
    [
      'a dead letter dropped',
      async () => {
        const { id } = await item(tables.deadLetters, () => true);
        await system.dynamo.delete({ TableName: tables.deadLetters, Key: { id } });
      },
      ['park-without-dead-letter'],
    ],
    [
      'a stream un-parked behind the back of its dead letter',
      () => change(tables.checkpoints, checkpointOf('billing'), ({ parked: _parked, ...each }) => each),
      ['dead-letter-without-park', 'open-gap-unrecorded'],
    ],
  ])('fails after %s', async (_name, damage, expected) => {
    expect((await verdict()).ok).toBe(true);
    await damage();
    const result = await verdict();
    expect(result.ok).toBe(false);
    expect(kinds(result)).toEqual(expect.arrayContaining(expected));
  });

  it('fails while a gap is open, and demands quiet only when asked to', async () => {
    await system.append('order-2', ['Placed']);
    await system.settle(() => true);
    expect(await verdict()).toMatchObject({ ok: false });
    expect((await verify({ dynamo: system.dynamo, tables }, { now: system.clock.now() })).ok).toBe(true);
    system.clock.advance(HOUR);
    const result = await verdict();
    expect(result.consumers[1]?.conservation).toMatchObject({ gap: 1 });
    expect(kinds(result)).toEqual(['open-gap-unrecorded']);
    for (const name of ['inventory', 'billing']) {
      const Item = { pk: `gap#${name}`, sk: 'order-2', from: 2, to: 2, openedAt: 1 };
      await system.dynamo.put({ TableName: tables.recovery, Item });
    }
    expect(await verdict()).toMatchObject({ ok: false, violationCount: 0 });
  });

  it('finds a stream whose items all vanished, by the directory', async () => {
    await system.dynamo.delete({ TableName: tables.events, Key: { streamId: 'order-2', version: 1 } });
    expect(kinds(await verdict())).toEqual(['checkpoint-beyond-head', 'checkpoint-count', 'log-unknown-commit']);
  });

  it('finds a stream whose items and directory all vanished, by the log', async () => {
    await system.dynamo.delete({ TableName: tables.events, Key: { streamId: 'order-2', version: 1 } });
    await system.dynamo.delete({ TableName: tables.log, Key: { pk: 'stream#order-2', sk: 'head' } });
    const result = await verdict();
    expect(result).toMatchObject({ ok: false, streams: 2 });
    expect(kinds(result)).toEqual(expect.arrayContaining(['directory', 'log-unknown-commit']));
  });

  it('finds a stream that was never sequenced, by its items', async () => {
    await system.append('order-3', ['Placed']);
    system.clock.advance(HOUR);
    const result = await verdict();
    expect(result).toMatchObject({ ok: false, streams: 3 });
    expect(kinds(result)).toContain('log-missing-commit');
  });
});
