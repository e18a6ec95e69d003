// Each damage by its name: what the scrub says about it, exactly, and that it says nothing about anything else.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { hashCommit } from '../../../lib/flow/event-store/hash.ts';
import { composeRelay } from '../../../lib/flow/relay/compose.ts';
import { continueBackfill } from '../../../lib/flow/relay/continue-backfill.ts';
import type { StoredCommit } from '../../../lib/model/commit.ts';
import { createServerClock } from '../../../lib/platform/server-clock.ts';
import { composeScrub } from '../../../lib/recovery/scrub/compose.ts';
import { scrub } from '../../../lib/recovery/scrub/scrub.ts';
import { createScrubBench, DAY_MS, INPUT, type Item, rotateWith, type ScrubBench } from './support.ts';

let bench: ScrubBench;
beforeEach(async () => {
  bench = await createScrubBench();
  await bench.fill();
});

const flipped = (text: string, at: number): string =>
  `${text.slice(0, at)}${text[at] === 'a' ? 'b' : 'a'}${text.slice(at + 1)}`;
const rehashed = (item: Item): Item => ({ ...item, hash: hashCommit(item as unknown as StoredCommit) });

function relayOf({ system, parts }: ScrubBench) {
  const relay = composeRelay({
    ...parts,
    publish: {
      bus: { publish: async () => ({ failed: [] }) },
      continuations: { send: async () => undefined },
    },
  });
  return { relay, system };
}

/** The relay meets this stream, and no other. */
async function relayOnly(bench: ScrubBench, streamId: string): Promise<void> {
  const target = await bench.system.eventStore.getVersion(streamId);
  const detail = { format: 1, streamId, target, hops: 0 };
  await continueBackfill(relayOf(bench).relay, detail, { remainingMs: () => 60_000 });
  bench.system.clock.advance(20 * 60_000);
}

describe('a scrub of a store that is whole', () => {
  it('finds nothing, whatever the size of its pages', async () => {
    for (const pageItems of [1, 2, 3, 100]) expect(await bench.rotate({ pageItems, timeMs: 0 })).toEqual([]);
    expect(bench.announced).toEqual([]);
    expect(bench.handedOver).toEqual([]);
  });

  it('has read every commit, stream, page and directory item', async () => {
    await bench.rotate();
    const { last } = await bench.deps.states.read();
    const items = (await bench.system.items('Events')).length;
    const pages = (await bench.pages()).length;
    expect(last?.counts).toMatchObject({ items, streams: 4, pages, heads: 4, damages: 0 });
    expect(items).toBeGreaterThan(8);
    expect(pages).toBeGreaterThan(3);
    expect(last?.counts.units).toBeGreaterThan(items / 2);
  });

  it('leaves everything but its own rows as it was', async () => {
    const before = [await bench.system.items('Events'), await bench.system.items('Log')];
    await bench.rotate();
    expect([await bench.system.items('Events'), await bench.system.items('Log')]).toEqual(before);
  });
});

describe('damage of the store', () => {
  it('a flipped byte is a hash mismatch of exactly that commit, with the hash that it should have', async () => {
    const { events, hash } = await bench.item('order-3', 2);
    await bench.change('order-3', 2, { events: flipped(String(events), 20) });
    const [found, ...others] = await bench.rotate();
    expect(others).toEqual([]);
    expect(found).toMatchObject({ kind: 'hash-mismatch', streamId: 'order-3', from: 2, to: 2, expectedHash: hash });
    expect(found?.foundHash).not.toBe(hash);
  });

  it('a changed last commit is expected to have the hash that the directory knows', async () => {
    const { hash } = await bench.item('order-1', 4);
    await bench.change('order-1', 4, { hash: '0'.repeat(64) });
    expect(await bench.rotate()).toMatchObject([
      { kind: 'hash-mismatch', streamId: 'order-1', from: 4, to: 4, expectedHash: String(hash).slice(0, 16) },
    ]);
  });

  it.each([1, 5, 2_000, 'two', -1])(
    'a count changed to %p is a mismatch of the versions that the commit really holds',
    async (count) => {
      await bench.change('order-1', 2, { count });
      await bench.rotate();
      expect(await bench.found()).toEqual(['hash-mismatch order-1 2-3']);
    },
  );

  it('a missing commit in the middle is named with the hash that the next one names', async () => {
    const { hash } = await bench.item('order-1', 2);
    await bench.drop('order-1', 2);
    expect(await bench.rotate()).toMatchObject([
      { kind: 'missing-commit', streamId: 'order-1', from: 2, to: 3, expectedHash: hash },
    ]);
  });

  it('a missing first commit', async () => {
    await bench.drop('order-1', 1);
    await bench.rotate();
    expect(await bench.found()).toEqual(['missing-commit order-1 1-1']);
  });

  it('a stream without its tail is truncated', async () => {
    await bench.drop('order-3', 5);
    await bench.drop('order-3', 4);
    await bench.rotate();
    expect(await bench.found()).toEqual(['truncated-stream order-3 4-5']);
  });

  it('a stream without any commit is truncated from its beginning', async () => {
    await bench.drop('order-2', 1);
    await bench.rotate();
    expect(await bench.found()).toEqual(['truncated-stream order-2 1-3']);
  });

  it('a stream that lost its commits and its directory item is known by the log', async () => {
    await bench.drop('order-2', 1);
    await bench.system.dynamo.delete({ TableName: 'Log', Key: { pk: 'stream#order-2', sk: 'head' } });
    await bench.rotate();
    expect(await bench.found()).toEqual(['directory-missing order-2 0-0']);
  });

  it('a commit that was written anew, with a hash of its own, is rewritten history', async () => {
    const item = await bench.item('order-3', 3);
    await bench.putItem(rehashed({ ...item, events: String(item.events).replace('"n":3', '"n":7') }));
    expect(await bench.rotate()).toMatchObject([
      { kind: 'rewritten-history', streamId: 'order-3', from: 3, to: 3, expectedHash: item.hash },
    ]);
  });

  it('a last commit that was written anew is rewritten history as well', async () => {
    const item = await bench.item('order-3', 5);
    await bench.putItem(rehashed({ ...item, events: String(item.events).replace('"n":5', '"n":7') }));
    await bench.rotate();
    expect(await bench.found()).toEqual(['rewritten-history order-3 5-5']);
  });

  it('an append on top of a truncation is a rewritten history of what was sequenced', async () => {
    const item = await bench.item('order-3', 4);
    await bench.drop('order-3', 5);
    await bench.putItem(rehashed({ ...item, version: 5, previousHash: item.hash }));
    await bench.rotate();
    expect(await bench.found()).toEqual(['rewritten-history order-3 5-5']);
  });

  it('a commit that was copied to another version or stream is no commit there', async () => {
    const item = await bench.item('order-3', 2);
    await bench.putItem({ ...item, version: 9 });
    await bench.putItem({ ...item, streamId: 'order-1', version: 3 });
    await bench.putItem({ ...item, streamId: 'order-4', version: 0 });
    await bench.putItem({ ...item, streamId: 'order-4', version: 2.5 });
    await bench.rotate();
    expect(await bench.found()).toEqual([
      'foreign-item order-1 3-3',
      'foreign-item order-3 9-9',
      'foreign-item order-4 0-0',
      'foreign-item order-4 0-0',
    ]);
  });

  it('time that goes back is found although every hash is right', async () => {
    const { recordedAt } = await bench.item('order-3', 4);
    const last = await bench.item('order-3', 5);
    const changed = rehashed({ ...last, recordedAt: Number(recordedAt) - 1 });
    await bench.putItem(changed);
    const head = await bench.head('order-3');
    await bench.putItem({ ...head, hashPrefix: String(changed.hash).slice(0, 16) }, 'Log');
    await bench.rotate();
    expect(await bench.found()).toContain('time-order order-3 5-5');
  });

  it('several damages in one stream are told apart', async () => {
    await bench.drop('order-3', 1);
    await bench.change('order-3', 3, { encoding: 'br' });
    await bench.drop('order-3', 5);
    await bench.rotate();
    expect(await bench.found()).toEqual([
      'missing-commit order-3 1-1',
      'hash-mismatch order-3 3-3',
      'truncated-stream order-3 5-5',
    ]);
  });

  it.each([
    ['no attribute but the keys', {}],
    ['other types', { events: 7, hash: null, count: [1], encoding: { a: 1 }, format: 'one', recordedAt: true }],
    ['sets and bytes', { events: new Set(['a']), hash: new Uint8Array(3), count: new Set([1]) }],
    ['a number that is no integer of JavaScript', { count: 10n ** 30n, recordedAt: 10n ** 30n }],
  ])('an item with %s does not stop it', async (_name, attributes) => {
    await bench.putItem({ streamId: 'order-3', version: 2, ...attributes });
    await bench.putItem({ streamId: 'x'.repeat(400), version: 1, ...attributes });
    await bench.putItem({ streamId: 'garbage', version: 10n ** 25n, ...attributes });
    await bench.putItem({ pk: 'page#0#0', sk: 'none', ...attributes }, 'Log');
    await bench.putItem({ pk: 'stream#garbage-2', sk: 'head', ...attributes }, 'Log');
    await bench.rotate({ timeMs: 0, pageItems: 1 });
    expect(await bench.found()).toEqual([
      'log-page-damaged $all 0-0',
      'foreign-item garbage 0-0',
      'directory-mismatch garbage-2 0-0',
      'hash-mismatch order-3 2-2',
      `foreign-item ${'x'.repeat(256)} 0-0`,
    ]);
  });

  it('a commit of a newer format with a right hash is no damage', async () => {
    await bench.system.append('order-5', ['OrderPlaced']);
    const item = await bench.item('order-5', 1);
    await bench.putItem(rehashed({ ...item, format: 2 }));
    await bench.rotate();
    expect(await bench.found()).toEqual([]);
  });
});

describe('commits that never reached the log', () => {
  it('are left alone while they may be on their way', async () => {
    await bench.system.append('order-1', ['OrderPaid']);
    await bench.system.append('order-9', ['OrderPlaced']);
    expect(await bench.rotate()).toEqual([]);
    bench.lag.ms = 20 * 60_000;
    bench.system.clock.advance(16 * 60_000);
    expect(await bench.rotate()).toEqual([]);
    bench.lag.ms = undefined;
    expect(await bench.rotate()).toEqual([]);
  });

  it('are handed to the relay when it is up to date without them, or has forgotten them', async () => {
    await bench.system.append('order-1', ['OrderPaid', 'OrderPaid']);
    await bench.system.append('order-9', ['OrderPlaced']);
    bench.system.clock.advance(16 * 60_000);
    await bench.rotate();
    expect(await bench.found()).toEqual(['unsequenced-commit order-1 5-6', 'unsequenced-commit order-9 1-1']);
    expect(bench.handedOver.map(({ streamId, target }) => `${streamId} ${target}`).sort()).toEqual([
      'order-1 6',
      'order-9 1',
    ]);
    bench.handedOver.splice(0);
    bench.lag.ms = undefined;
    bench.system.clock.advance(25 * 60 * 60_000);
    await bench.rotate();
    expect(bench.handedOver).toHaveLength(2);
  });

  it('are handed over after the patrol of the log when searching it for them would take too long', async () => {
    const deps = composeScrub({ ...bench.parts, searchPages: 1 });
    await bench.system.append('order-1', ['OrderPaid']);
    await bench.system.append('order-9', ['OrderPlaced']);
    await bench.system.append('order-8', ['OrderPlaced']);
    // Pages behind them, so that one page is not enough to search.
    for (let page = 0; page < 3; page += 1) {
      await bench.system.append('order-7', ['OrderPlaced']);
      await relayOnly(bench, 'order-7');
    }
    bench.system.clock.advance(2 * DAY_MS);
    const events = await scrub(deps, { ...INPUT, timeMs: 0, pageItems: 1_000 });
    expect(events).toMatchObject({ kind: 'scrubbed', result: { state: { pass: 'log' }, handedOver: 0 } });
    expect(await bench.open()).toMatchObject([
      { streamId: 'order-1', evidence: { logSearched: 'unknown' } },
      { streamId: 'order-8' },
      { streamId: 'order-9' },
    ]);
    // One of them is sequenced meanwhile: the log patrol meets it and takes back what was said.
    await relayOnly(bench, 'order-8');
    bench.system.clock.advance(1_000);
    expect(await scrub(deps, { ...INPUT, rotateNow: false })).toMatchObject({ result: { state: { pass: 'idle' } } });
    expect(bench.handedOver.map(({ streamId, target }) => `${streamId} ${target}`).sort()).toEqual([
      'order-1 5',
      'order-9 1',
    ]);
    expect(await bench.found()).toEqual(['unsequenced-commit order-1 5-5', 'unsequenced-commit order-9 1-1']);
  });

  it('of which the log patrol meets one get no second position', async () => {
    const deps = composeScrub({ ...bench.parts, searchPages: 0 });
    await bench.system.dynamo.delete({ TableName: 'Log', Key: { pk: 'stream#order-2', sk: 'head' } });
    bench.system.clock.advance(2 * DAY_MS);
    await rotateWith(deps, { timeMs: 0 });
    expect(await bench.found()).toEqual(['directory-missing order-2 0-0']);
    expect(bench.handedOver).toEqual([]);
  });

  it('are sequenced by the relay that was woken up, and then closed', async () => {
    await bench.system.append('order-1', ['OrderPaid', 'OrderPaid']);
    await bench.system.append('order-9', ['OrderPlaced']);
    bench.system.clock.advance(16 * 60_000);
    await bench.rotate();
    const { relay } = relayOf(bench);
    for (const detail of bench.handedOver) {
      expect(await continueBackfill(relay, detail, { remainingMs: () => 60_000 })).toMatchObject({
        outcome: 'reached',
      });
    }
    expect(await bench.system.eventStore.readAll(0, 1_000)).toHaveLength(16 + 3);
    bench.system.clock.advance(1_000);
    expect(await bench.rotate()).toEqual([]);
  });

  it('are closed when the relay has sequenced them', async () => {
    await bench.system.append('order-1', ['OrderPaid']);
    bench.system.clock.advance(16 * 60_000);
    await bench.rotate();
    await bench.system.relay();
    bench.system.clock.advance(1_000);
    expect(await bench.rotate()).toEqual([]);
  });

  it('are not handed over when the log holds them and only the directory lost them: they would get second positions', async () => {
    await bench.system.dynamo.delete({ TableName: 'Log', Key: { pk: 'stream#order-2', sk: 'head' } });
    const head = await bench.head('order-3');
    const { hash } = await bench.item('order-3', 3);
    const [, , third] = (await bench.pages()).filter(({ entries }) => String(entries).includes('order-3'));
    expect(third).toBeDefined();
    const log: { version: number; position: number }[] = [];
    for await (const entry of bench.system.log.streamEntriesBackwards('order-3' as never)) log.push(entry);
    const at3 = log.find(({ version }) => version === 3);
    await bench.putItem(
      {
        ...head,
        version: 3,
        position: at3?.position,
        hashPrefix: String(hash).slice(0, 16),
        updatedAt: third?.sequencedAt,
      },
      'Log',
    );
    bench.system.clock.advance(2 * DAY_MS);
    await bench.rotate();
    expect(await bench.found()).toEqual(['directory-missing order-2 0-0', 'directory-mismatch order-3 0-0']);
    expect(bench.handedOver).toEqual([]);
  });

  it('of a damaged stream are found, but not handed over before it is whole', async () => {
    await bench.system.append('order-1', ['OrderPaid']);
    await bench.change('order-1', 1, { count: 7 });
    bench.system.clock.advance(16 * 60_000);
    await bench.rotate();
    expect(await bench.found()).toEqual(['hash-mismatch order-1 1-1', 'unsequenced-commit order-1 5-5']);
    expect(bench.handedOver).toEqual([]);
  });
});

describe('damage of the log and its directory', () => {
  it('a missing page is found between others, at the end, and at the beginning', async () => {
    const pages = await bench.pages();
    for (const index of [1, pages.length - 1, 0]) {
      const page = pages[index] as Item;
      await bench.memory.delete({ TableName: 'Log', Key: { pk: page.pk, sk: page.sk } });
      bench.system.clock.advance(1_000);
      await bench.rotate();
      const { firstPosition, lastPosition } = page;
      expect(await bench.found()).toEqual([`log-page-missing $all ${firstPosition}-${lastPosition}`]);
      await bench.putItem(page, 'Log');
      bench.system.clock.advance(1_000);
      expect(await bench.rotate()).toEqual([]);
    }
  });

  it('a page that cannot be read, or stands under another key, is damaged', async () => {
    const [first, second] = (await bench.pages()) as [Item, Item];
    await bench.putItem({ ...first, entries: '{' }, 'Log');
    await bench.putItem({ ...second, sk: '0000000000000900' }, 'Log');
    await bench.rotate();
    expect(await bench.found()).toContain('log-page-damaged $all 1-1');
    expect(await bench.found()).toContain('log-page-damaged $all 900-900');
  });

  it('an entry that differs from its commit is a mismatch of the log, with the hash of the commit', async () => {
    const { hash } = await bench.item('order-3', 2);
    const page = (await bench.pages()).find(({ entries }) =>
      String(entries).includes(String(hash).slice(0, 16)),
    ) as Item;
    await bench.putItem(
      { ...page, entries: String(page.entries).replace(String(hash).slice(0, 16), '0123456789abcdef') },
      'Log',
    );
    expect(await bench.rotate()).toMatchObject([
      { kind: 'log-mismatch', streamId: 'order-3', from: 2, to: 2, expectedHash: hash, foundHash: '0123456789abcdef' },
    ]);
  });

  it.each([
    ['version', 9],
    ['version', 'two'],
    ['position', 1],
    ['position', 10_000],
    ['hashPrefix', 'ffffffffffffffff'],
    ['updatedAt', 5],
    ['format', null],
    ['more', 1],
  ])('a directory item whose %s became %p does not fit to the log', async (name, value) => {
    await bench.putItem({ ...(await bench.head('order-3')), [name]: value }, 'Log');
    await bench.rotate();
    const found = await bench.found();
    if (value === 10_000) expect(found).toEqual([expect.stringMatching(/^log-page-missing \$all \d+-10000$/)]);
    else expect(found).toEqual(['directory-mismatch order-3 0-0']);
  });
});

describe('findings', () => {
  it("stay open although the clock goes back while they are looked at, as one does that learns the server's time", async () => {
    const { deps } = bench;
    const { clock } = bench.system;
    await bench.putItem({ ...(await bench.item('order-3', 1)), note: 'who wrote this?' });
    let looks = 0;
    const backwards = { now: () => clock.now() - 10 * looks++ };
    await bench.rotate({}, { ...deps, world: { ...deps.world, clock: backwards } });
    expect(looks).toBeGreaterThan(20);
    expect(await bench.found()).toEqual(['hash-mismatch order-3 1-1']);
  });

  it('are one row each, counted when they are met again, announced once, closed when they are well', async () => {
    const whole = await bench.item('order-3', 2);
    await bench.change('order-3', 2, { recordedAt: 5 });
    await bench.rotate();
    bench.system.clock.advance(DAY_MS);
    const [again] = await bench.rotate();
    expect(again).toMatchObject({ status: 'open', seen: 2, announcedAt: expect.any(Number) });
    expect(bench.announced).toMatchObject([
      { findings: 1, kinds: { 'hash-mismatch': 1 }, listed: [{ streamId: 'order-3', from: 2 }] },
    ]);
    await bench.putItem(whole);
    bench.system.clock.advance(DAY_MS);
    expect(await bench.rotate()).toEqual([]);
    await bench.change('order-3', 2, { recordedAt: 5 });
    bench.system.clock.advance(DAY_MS);
    expect(await bench.rotate()).toMatchObject([{ seen: 3, firstSeenAt: again?.firstSeenAt }]);
    expect(bench.announced).toHaveLength(2);
  });

  it('that could not be announced are announced by the next scrub', async () => {
    await bench.change('order-3', 2, { recordedAt: 5 });
    const failing = { ...bench.deps, announcements: { damageFound: () => Promise.reject(new Error('throttled')) } };
    await bench.rotate({}, failing);
    expect(bench.system.metrics.total('DamageAnnouncementsFailed')).toBeGreaterThan(0);
    await scrub(bench.deps, { ...INPUT, rotateNow: false });
    expect(bench.announced).toHaveLength(1);
  });

  it('are audited', async () => {
    await bench.change('order-3', 2, { recordedAt: 5 });
    await bench.rotate();
    const month = new Date(bench.system.clock.now()).toISOString().slice(0, 7);
    expect(await bench.deps.audit.list(month, 10)).toMatchObject([
      { action: 'scrub', requestedBy: 'test', requestId: 'request-1', outcome: { met: 1, open: 1, closed: 0 } },
    ]);
  });
});

describe('the rotation', () => {
  it('begins after half of its time, not before, and says how overdue it is', async () => {
    const scheduled = { ...INPUT, rotateNow: false };
    const run = async () => {
      const outcome = await scrub(bench.deps, scheduled);
      return outcome.kind === 'scrubbed' ? outcome.result : undefined;
    };
    expect((await run())?.state).toMatchObject({ rotation: 1, pass: 'idle' });
    bench.system.clock.advance(3 * DAY_MS);
    expect(await run()).toMatchObject({ steps: 0, state: { rotation: 1 } });
    bench.system.clock.advance(0.6 * DAY_MS);
    expect((await run())?.state).toMatchObject({ rotation: 2, pass: 'idle' });
    const overdue = bench.system.metrics.values
      .filter(({ name }) => name === 'ScrubOverdue')
      .map(({ value }) => Math.round(value));
    expect(overdue).toEqual([0, 43, 0]);
  });

  it('keeps to its budget of read units a second', async () => {
    const startedAt = bench.system.clock.now();
    await bench.rotate({ unitsPerSecond: 10, timeMs: 3_600_000 });
    const { last } = await bench.deps.states.read();
    const seconds = (bench.system.clock.now() - startedAt) / 1_000;
    // The last page is not waited for.
    expect(last?.counts.units).toBeGreaterThan(20);
    expect(seconds).toBeGreaterThan(((last?.counts.units ?? 0) - 30) / 10);
  });

  it('is not taken from another scrub by a cold function on a machine whose clock is five minutes ahead', async () => {
    const { clock, dynamo } = bench.system;
    await bench.deps.leases.acquire('scrub', 'another', clock.now(), 3 * 60_000);
    const machine = { now: () => clock.now() + 5 * 60_000 };
    const serverClock = createServerClock(machine);
    // Every answer tells the server's time, as the SDK does by the `Date` header.
    const answering = new Proxy(dynamo, {
      get: (target, name: keyof typeof dynamo) => async (input: never) => {
        const answer = await (target[name] as (input: never) => Promise<unknown>)(input);
        serverClock.observe(clock.now(), machine.now(), machine.now());
        return answer;
      },
    });
    const cold = composeScrub({
      ...bench.parts,
      dynamo: answering,
      world: { ...bench.system.world, clock: serverClock },
    });
    expect(await scrub(cold, INPUT)).toMatchObject({ kind: 'another-scrub-runs' });
  });

  it('is not worked on by two scrubs at once', async () => {
    await bench.deps.leases.acquire('scrub', 'somebody', bench.system.clock.now(), 60_000);
    expect(await scrub(bench.deps, INPUT)).toMatchObject({ kind: 'another-scrub-runs' });
    bench.system.clock.advance(63_000);
    expect(await scrub(bench.deps, INPUT)).toMatchObject({ kind: 'scrubbed' });
  });
});
