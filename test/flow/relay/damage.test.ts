// Damaged streams: each is reported and left out, with its good beginning sequenced, and the rest of the batch goes on.

import { describe, expect, it } from '@jest/globals';
import { GENESIS_HASH, type StoredCommit } from '../../../lib/model/commit.ts';
import { commit, ones, openRelay, record, stream } from './support.ts';

type Relay = Awaited<ReturnType<typeof openRelay>>;
const remove = (relay: Relay, version: number) =>
  relay.tables.dynamo.delete({ TableName: 'Events', Key: { streamId: 'a', version } });
const at = (commits: readonly StoredCommit[], index: number) => commits[index] as StoredCommit;

describe('a stream that is not in the log yet', () => {
  it('with a missing commit is sequenced up to the hole, the rest of the batch goes on (failure 37)', async () => {
    const relay = await openRelay();
    await relay.store([...stream('a', ones(6)), ...stream('b', [1])]);
    const [, , , , , a6, b1] = await relay.records();
    await remove(relay, 4);
    const report = await relay.batch([a6, b1]);
    expect(report).toMatchObject({ commits: 4, failures: [], damaged: ['a'] });
    expect(await relay.sequenced('a')).toBe(3);
    expect(await relay.sequenced('b')).toBe(1);
    expect(await relay.incidents()).toEqual([
      expect.objectContaining({ kind: 'missing-commit', streamId: 'a', version: 4, foundBy: 'relay', status: 'open' }),
    ]);
  });

  it('whose last commits were deleted is reported when nothing is stored at the delivered version', async () => {
    const relay = await openRelay();
    await relay.store(stream('a', ones(4)));
    const records = await relay.records();
    for (const version of [2, 3, 4]) await remove(relay, version);
    expect(await relay.batch(records.slice(3))).toMatchObject({ damaged: ['a'], failures: [] });
    expect(await relay.incidents()).toMatchObject([{ kind: 'missing-commit', version: 2 }]);
  });

  it('with changed bytes in the store is sequenced up to them (failure 33)', async () => {
    const relay = await openRelay();
    const a = stream('a', ones(4));
    await relay.store(a);
    const [, , , a4] = await relay.records();
    await relay.store([{ ...at(a, 1), events: (at(a, 1).events as string).replace('2', '3') }]);
    expect(await relay.batch([a4])).toMatchObject({ commits: 1, damaged: ['a'], failures: [] });
    expect(await relay.incidents()).toMatchObject([{ kind: 'hash-mismatch', version: 2 }]);
  });

  it('with changed bytes in the record takes the sound commit from the store', async () => {
    const relay = await openRelay();
    const a = stream('a', ones(2));
    await relay.store(a);
    const [a1, a2] = await relay.records();
    const tampered = structuredClone(a2) as unknown as ReturnType<typeof record>;
    Object.assign(tampered.dynamodb.NewImage, { recordedAt: { N: '1' } });
    expect(await relay.batch([a1, tampered])).toMatchObject({
      commits: 2,
      backfilled: 1,
      damaged: ['a'],
      failures: [],
    });
    expect(await relay.incidents()).toMatchObject([{ kind: 'hash-mismatch', version: 2 }]);
    expect(await relay.sequenced('a')).toBe(2);
  });

  it('whose commits are not linked is a fork', async () => {
    const relay = await openRelay();
    const [a1] = stream('a', [1]);
    await relay.store([a1 as StoredCommit, commit('a', 2, 'f'.repeat(64))]);
    expect(await relay.batch(await relay.records())).toMatchObject({ commits: 1, damaged: ['a'], failures: [] });
    expect(await relay.incidents()).toMatchObject([{ kind: 'fork', version: 2 }]);
  });

  it('that does not begin at its beginning is a fork', async () => {
    const relay = await openRelay();
    await relay.store([commit('a', 1, 'f'.repeat(64))]);
    expect(await relay.batch(await relay.records())).toMatchObject({ commits: 0, damaged: ['a'] });
    expect(await relay.incidents()).toMatchObject([{ kind: 'fork', version: 1 }]);
  });

  it('does not follow the sequenced head is a fork', async () => {
    const relay = await openRelay();
    await relay.store(stream('a', [1]));
    await relay.batch(await relay.records());
    await relay.store([commit('a', 2, GENESIS_HASH)]);
    expect(await relay.batch((await relay.records()).slice(1))).toMatchObject({ commits: 0, damaged: ['a'] });
    expect(await relay.incidents()).toMatchObject([{ kind: 'fork', version: 2 }]);
  });

  it('is sequenced to its end once it is repaired, by the record that the repair leaves', async () => {
    const relay = await openRelay();
    const a = stream('a', ones(6));
    await relay.store(a);
    const records = await relay.records();
    await remove(relay, 4);
    await relay.batch(records.slice(5));
    await relay.store([at(a, 3)]);
    const seen = (await relay.records()).length;
    // The repair put commit 4 back; nothing reports the target 6 any more but a later record or a scrub.
    expect(await relay.batch((await relay.records()).slice(seen - 1))).toMatchObject({ commits: 1, damaged: [] });
    expect(await relay.batch(records.slice(5))).toMatchObject({ commits: 2, damaged: [], failures: [] });
    expect(await relay.sequenced('a')).toBe(6);
  });

  it('costs one incident, however often its records arrive', async () => {
    const relay = await openRelay();
    await relay.store(stream('a', ones(4)));
    const records = await relay.records();
    await remove(relay, 2);
    for (let time = 0; time < 3; time += 1) await relay.batch(records.slice(3));
    expect(await relay.incidents()).toHaveLength(1);
  });
});

describe('history that is in the log', () => {
  const sequencedStream = async (count: number) => {
    const relay = await openRelay();
    const a = stream('a', ones(count));
    await relay.store(a);
    await relay.batch(await relay.records());
    return { relay, a };
  };

  it('that is rewritten at the head is reported and keeps its position (failures 33, 39)', async () => {
    const { relay, a } = await sequencedStream(3);
    const before = await relay.entries();
    const other = commit('a', 3, at(a, 1).hash, { mark: '-other' });
    const report = await relay.batch([record(other, 9, 'MODIFY')]);
    expect(report).toMatchObject({ commits: 0, damaged: ['a'], failures: [] });
    expect(await relay.incidents()).toMatchObject([{ kind: 'rewritten-history', version: 3 }]);
    expect(await relay.entries()).toEqual(before);
  });

  it('that is appended again after a truncation is reported, not dropped as a duplicate (failure 39)', async () => {
    const { relay, a } = await sequencedStream(6);
    for (const version of [4, 5, 6]) await remove(relay, version);
    const forked = commit('a', 4, at(a, 2).hash, { mark: '-acknowledged' });
    await relay.store([forked]);
    const report = await relay.batch((await relay.records()).slice(-1));
    expect(report).toMatchObject({ commits: 0, damaged: ['a'], failures: [] });
    expect(await relay.incidents()).toEqual([
      expect.objectContaining({
        kind: 'rewritten-history',
        version: 4,
        detail: expect.stringContaining(`hash ${forked.hash} arrived`),
      }),
    ]);
  });

  it('that is appended again and goes on is reported with its last commit at the latest', async () => {
    const { relay, a } = await sequencedStream(6);
    for (const version of [4, 5, 6]) await remove(relay, version);
    const four = commit('a', 4, at(a, 2).hash, { mark: '-acknowledged' });
    const five = commit('a', 5, four.hash, { mark: '-acknowledged' });
    await relay.store([four, five]);
    const [r4, r5] = (await relay.records()).slice(-2);
    await relay.batch([r4]);
    await relay.batch([r5]);
    expect(await relay.incidents()).toMatchObject([{ kind: 'rewritten-history', version: 5 }]);
  });

  it('whose next commit is gone is reported as missing, when a commit before it arrives again', async () => {
    const { relay, a } = await sequencedStream(5);
    await remove(relay, 4);
    await relay.batch([record(at(a, 2), 9)]);
    expect(await relay.incidents()).toMatchObject([{ kind: 'missing-commit', version: 4 }]);
  });

  it('whose next commit was replaced is reported at that commit', async () => {
    const { relay, a } = await sequencedStream(5);
    await relay.store([commit('a', 4, 'e'.repeat(64))]);
    await relay.batch([record(at(a, 2), 9)]);
    expect(await relay.incidents()).toMatchObject([{ kind: 'rewritten-history', version: 4 }]);
  });

  it('that arrives with other boundaries is reported', async () => {
    const { relay, a } = await sequencedStream(3);
    const wide = commit('a', 3, at(a, 1).hash, { types: ['X', 'Y', 'Z'] });
    await relay.batch([record(wide, 9)]);
    expect(await relay.incidents()).toMatchObject([{ kind: 'rewritten-history', version: 3 }]);
    expect(await relay.sequenced('a')).toBe(3);
  });

  it('that is put back exactly as it was is no damage', async () => {
    const { relay, a } = await sequencedStream(5);
    await relay.store([at(a, 2)]);
    await remove(relay, 4);
    await relay.store([at(a, 3)]);
    expect(await relay.batch((await relay.records()).slice(5))).toMatchObject({ damaged: [], failures: [] });
    expect(await relay.incidents()).toEqual([]);
  });

  it('is not walked through for a redelivery: one read of the store for each run of commits', async () => {
    const { relay, a } = await sequencedStream(50);
    let reads = 0;
    let walks = 0;
    const { get } = relay.dependencies.source;
    relay.dependencies.source.get = (...input) => {
      reads += 1;
      return get(...input);
    };
    const { streamEntriesBackwards } = relay.dependencies.log;
    relay.dependencies.log.streamEntriesBackwards = (streamId) => {
      walks += 1;
      return streamEntriesBackwards(streamId);
    };
    await relay.batch(a.slice(5, 15).map((one, index) => record(one, index + 1)));
    expect([reads, walks]).toEqual([1, 0]);
  });

  it('is searched in the log within a bound; further back it is reported without', async () => {
    const { relay, a } = await sequencedStream(250);
    await remove(relay, 11);
    await relay.batch([record(at(a, 9), 9)]);
    expect(await relay.incidents()).toMatchObject([
      { kind: 'rewritten-history', version: 10, detail: expect.stringContaining('searched 200 commits back') },
    ]);
  });
});

describe('two histories in one batch', () => {
  it('are sequenced as the first that was recorded, and the other is reported', async () => {
    const relay = await openRelay();
    const [a1, a2] = stream('a', [1, 1]);
    const other = commit('a', 2, a1?.hash as string, { mark: '-other' });
    const batch = [a1, a2, other].map((one, index) => record(one as StoredCommit, index + 1));
    expect(await relay.batch(batch)).toMatchObject({ commits: 2, damaged: ['a'], failures: [] });
    expect((await relay.entries()).at(-1)?.hashPrefix).toBe(a2?.hash.slice(0, 16));
    expect(await relay.incidents()).toMatchObject([{ kind: 'rewritten-history', version: 2 }]);
  });

  it('of which only one is linked are sequenced as that one, and the other is reported', async () => {
    const relay = await openRelay();
    const [a1, a2] = stream('a', [1, 1]);
    const unlinked = commit('a', 2, 'd'.repeat(64), { mark: '-other' });
    const batch = [a1, unlinked, a2].map((one, index) => record(one as StoredCommit, index + 1));
    expect(await relay.batch(batch)).toMatchObject({ commits: 2, damaged: ['a'] });
    expect((await relay.entries()).at(-1)?.hashPrefix).toBe(a2?.hash.slice(0, 16));
    expect(await relay.incidents()).toMatchObject([{ kind: 'rewritten-history', version: 2 }]);
  });
});
