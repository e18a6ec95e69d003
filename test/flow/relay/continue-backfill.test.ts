// Backfills too long for one batch: bounded work, one chain of wake-ups, and nothing lost when a wake-up is.

import { describe, expect, it } from '@jest/globals';
import { BACKFILL_MARK_MS } from '../../../lib/flow/relay/backfills.ts';
import { HOPS_MAX } from '../../../lib/flow/relay/continue-backfill.ts';
import type { StoredCommit } from '../../../lib/model/commit.ts';
import { commit, compressedStream, ones, openRelay, stream } from './support.ts';

const LIMITS = { batch: { streamCommits: 10 }, continuation: { streamCommits: 20, commits: 20 } };

const farBehind = async (count: number) => {
  const relay = await openRelay({ limits: LIMITS });
  const a = stream('a', ones(count));
  await relay.store([...a, ...stream('b', [1])]);
  const records = await relay.records();
  return { relay, a, last: records[count - 1], b: records[count] };
};

describe('a stream far behind in a batch', () => {
  it('gets a bounded part, the rest of the batch goes on, and the stream in a wake-up of its own (failure 37)', async () => {
    const { relay, last, b } = await farBehind(100);
    const report = await relay.batch([last, b]);
    expect(report).toMatchObject({ commits: 11, backfilled: 10, continued: ['a'], failures: [] });
    expect(await relay.sequenced('a')).toBe(10);
    expect(await relay.sequenced('b')).toBe(1);
    expect(relay.continued).toEqual([{ format: 1, streamId: 'a', target: 100, hops: 0 }]);
  });

  it('shares the bounds of the batch with the other streams', async () => {
    const relay = await openRelay({ limits: { batch: { streamCommits: 10, commits: 25 } } });
    for (const name of ['a', 'b', 'c', 'd']) await relay.store(stream(name, ones(30)));
    const records = await relay.records();
    const report = await relay.batch([29, 59, 89, 119].map((index) => records[index]));
    expect(report.backfilled).toBe(25);
    expect(new Set(report.continued)).toEqual(new Set(['a', 'b', 'c', 'd']));
  });

  it('bounds the bytes that it keeps in memory', async () => {
    const relay = await openRelay({ limits: { batch: { bytes: 5_000 } } });
    await relay.store(stream('a', ones(30), { data: 'x'.repeat(1_000) }));
    const report = await relay.batch((await relay.records()).slice(-1));
    expect(report).toMatchObject({ backfilled: 5, continued: ['a'] });
  });

  it('counts compressed commits by what they may unpack to, 41 times their stored bytes', async () => {
    const a = compressedStream('a', 30);
    const storedBytes = a.slice(0, 4).reduce((sum, { events }) => sum + events.length, 0);
    const relay = await openRelay({ limits: { batch: { bytes: 41 * storedBytes } } });
    await relay.store(a);
    const report = await relay.batch((await relay.records()).slice(-1));
    expect(report).toMatchObject({ backfilled: 4, continued: ['a'], failures: [], damaged: [] });
  });

  it('reads nothing when little time is left', async () => {
    const { relay, last } = await farBehind(5);
    relay.setRemainingMs(14_000);
    expect(await relay.batch([last])).toMatchObject({ commits: 0, continued: ['a'], failures: [] });
  });

  it('starts one chain, however many batches meet it', async () => {
    const { relay, last } = await farBehind(100);
    for (let time = 0; time < 5; time += 1) await relay.batch([last]);
    expect(relay.continued).toHaveLength(1);
  });

  it('raises the target of the chain that is under way', async () => {
    const { relay, a, last } = await farBehind(100);
    await relay.batch([last]);
    const more = commit('a', 101, a.at(-1)?.hash as string);
    await relay.store([more]);
    await relay.batch((await relay.records()).slice(-1));
    expect(relay.continued).toHaveLength(1);
    expect(await relay.goOn(relay.continued[0] as never)).toMatchObject({ outcome: 'reached', version: 101 });
  });

  it('starts another chain when the first one was lost', async () => {
    const { relay, last } = await farBehind(100);
    await relay.batch([last]);
    relay.world.clock.advance(BACKFILL_MARK_MS + 1);
    await relay.batch([last]);
    expect(relay.continued).toHaveLength(2);
  });

  it('fails the stream when the wake-up cannot be sent, and leaves no mark that would keep others away', async () => {
    const { relay, last } = await farBehind(100);
    const { send } = relay.dependencies.continuations;
    relay.dependencies.continuations.send = async () => {
      throw new Error('no answer');
    };
    expect((await relay.batch([last])).failures).toMatchObject([{ index: 0, reason: 'error' }]);
    relay.dependencies.continuations.send = send;
    expect((await relay.batch([last])).failures).toEqual([]);
    expect(relay.continued).toHaveLength(1);
  });
});

describe('a continuation', () => {
  it('goes on in rounds until the target and says where the stream is', async () => {
    const { relay, last } = await farBehind(100);
    await relay.batch([last]);
    const report = await relay.goOn(relay.continued[0] as never);
    expect(report).toEqual({ outcome: 'reached', streamId: 'a', version: 100, target: 100, commits: 90 });
    expect((await relay.entries()).map(({ version }) => version)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(relay.events()).toHaveLength(100);
    expect(relay.moved()).toEqual([{ format: 1, streamId: 'a', version: 100, position: 100 }]);
  });

  it('removes its mark, so that the next backfill starts a chain of its own', async () => {
    const { relay, a, last } = await farBehind(100);
    await relay.batch([last]);
    await relay.goOn(relay.continued[0] as never);
    const more: StoredCommit[] = [];
    for (let version = 101; version <= 140; version += 1) {
      more.push(commit('a', version, (more.at(-1) ?? a.at(-1))?.hash as string));
    }
    await relay.store(more);
    await relay.batch((await relay.records()).slice(-1));
    expect(relay.continued).toHaveLength(2);
    expect(await relay.goOn(relay.continued[1] as never)).toMatchObject({ outcome: 'reached', version: 140 });
  });

  it('wakes itself up again when the time is over, and gets to the end in bounded steps', async () => {
    const { relay, last } = await farBehind(100);
    await relay.batch([last]);
    const outcomes: string[] = [];
    for (let hop = 0; hop < relay.continued.length; hop += 1) {
      let rounds = 2;
      const { directory } = relay.dependencies.log;
      relay.dependencies.log.directory = async (ids) => {
        rounds -= 1;
        if (rounds <= 0) relay.setRemainingMs(1_000);
        return directory(ids);
      };
      relay.setRemainingMs(60_000);
      outcomes.push((await relay.goOn(relay.continued[hop] as never)).outcome);
      relay.dependencies.log.directory = directory;
    }
    expect(outcomes.slice(0, -1).every((outcome) => outcome === 'continued')).toBe(true);
    expect(outcomes.at(-1)).toBe('reached');
    expect(relay.continued.map(({ hops }) => hops)).toEqual(relay.continued.map((_, index) => index));
    expect(relay.continued.length).toBeGreaterThan(3);
    expect(await relay.sequenced('a')).toBe(100);
  });

  it('stops at damage, reports it and does not come back', async () => {
    const { relay, a, last } = await farBehind(100);
    await relay.batch([last]);
    await relay.tables.dynamo.delete({ TableName: 'Events', Key: { streamId: 'a', version: 55 } });
    expect(await relay.goOn(relay.continued[0] as never)).toMatchObject({ outcome: 'damaged', version: 54 });
    expect(await relay.incidents()).toMatchObject([{ kind: 'missing-commit', streamId: 'a', version: 55 }]);
    expect(relay.continued).toHaveLength(1);
    // Its mark is gone: the next record may start a chain at once.
    await relay.batch([last]);
    expect(relay.continued).toHaveLength(1);
    await relay.store([a[54] as StoredCommit]);
    await relay.batch([last]);
    expect(relay.continued).toHaveLength(2);
  });

  it('does nothing twice when it is delivered twice, or at once with itself', async () => {
    const { relay, last } = await farBehind(100);
    await relay.batch([last]);
    const twin = await openRelay({ tables: relay.tables, limits: LIMITS });
    const detail = relay.continued[0] as never;
    await Promise.all([relay.goOn(detail), twin.goOn(detail)]);
    await relay.goOn(detail);
    expect((await relay.entries()).map(({ position }) => position)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    expect(relay.continued).toHaveLength(1);
  });

  it('fails when its events could not be published, and says afterwards where the stream is', async () => {
    const { relay, last } = await farBehind(100);
    await relay.batch([last]);
    const detail = relay.continued[0] as never;
    relay.bus.refuse = () => true;
    await expect(relay.goOn(detail)).rejects.toMatchObject({ code: 'BACKFILL_INTERRUPTED', retryable: true });
    const sequencedWithoutWords = (await relay.sequenced('a')) as number;
    expect(sequencedWithoutWords).toBeGreaterThan(10);
    relay.bus.refuse = () => false;
    await relay.goOn(detail);
    expect(relay.moved()).toContainEqual(expect.objectContaining({ streamId: 'a', version: 100 }));
  });

  it('works beside a batch of the same stream', async () => {
    const { relay, last } = await farBehind(100);
    await relay.batch([last]);
    const twin = await openRelay({ tables: relay.tables, limits: LIMITS });
    await Promise.all([relay.goOn(relay.continued[0] as never), twin.batch([last])]);
    expect(await relay.sequenced('a')).toBe(100);
    expect(await relay.entries()).toHaveLength(100);
  });

  it('is given up and reported after too many wake-ups', async () => {
    const { relay } = await farBehind(30);
    relay.setRemainingMs(0);
    const detail = { format: 1, streamId: 'a', target: 30, hops: HOPS_MAX - 1 };
    expect(await relay.goOn(detail)).toMatchObject({ outcome: 'given-up' });
    expect(await relay.incidents()).toMatchObject([{ kind: 'unsequenced-commit', streamId: 'a', version: 1 }]);
    expect(relay.continued).toEqual([]);
  });

  it('ends at once when the stream is already there', async () => {
    const { relay, b } = await farBehind(1);
    await relay.batch([b]);
    expect(await relay.goOn({ format: 1, streamId: 'b', target: 1, hops: 0 })).toMatchObject({
      outcome: 'reached',
      commits: 0,
    });
  });
});
