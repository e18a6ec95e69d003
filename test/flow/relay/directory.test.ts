// A stream directory that has lost a stream, or fell behind the log: the relay does not give its commits a second position.

import { describe, expect, it } from '@jest/globals';
import { directoryKey } from '../../../lib/flow/log/keys.ts';
import type { StoredCommit } from '../../../lib/model/commit.ts';
import { id, ones, openRelay, stream } from './support.ts';

type Relay = Awaited<ReturnType<typeof openRelay>>;
const key = (streamId: string) => ({ TableName: 'Log', Key: { ...directoryKey(streamId) } });
const forget = (relay: Relay) => relay.tables.dynamo.delete(key('a'));
const setBack = async (relay: Relay, version: number) => {
  const { Item } = await relay.tables.dynamo.get(key('a'));
  const entry = (await relay.entries()).find((each) => each.streamId === 'a' && each.version === version);
  const { position, hashPrefix } = entry ?? {};
  await relay.tables.dynamo.put({ TableName: 'Log', Item: { ...Item, version, position, hashPrefix } });
};

/** Six commits of `a`, recorded now and sequenced at once; then a time passes in which many others are. */
async function sequencedLongAgo(others = 40) {
  const relay = await openRelay();
  const { clock } = relay.world;
  const all = stream('a', ones(7), { recordedAt: clock.now() });
  await relay.store(all.slice(0, 6));
  for (let n = 0; n < others; n += 1) {
    if (n === Math.floor(others / 2)) await relay.batch(await relay.records());
    clock.advance(60_000);
    await relay.store(stream(`other-${n}`, [1], { recordedAt: clock.now() }));
    await relay.batch((await relay.records()).slice(-1));
    clock.advance(60_000);
  }
  clock.advance(2 * 60 * 60_000);
  const entries = await relay.entries();
  await relay.store(all.slice(6));
  return { relay, entries, last: (await relay.records()).slice(-1), a7: all[6] as StoredCommit };
}

describe.each<[string, (relay: Relay) => Promise<unknown>]>([
  ['has lost a stream', forget],
  ['is behind the log', (relay) => setBack(relay, 3)],
])('a directory that %s', (_what, damage) => {
  it('is reported, nothing of the stream is sequenced, and the rest of the batch goes on', async () => {
    const { relay, entries, last } = await sequencedLongAgo(4);
    await damage(relay);
    await relay.store(stream('b', [1], { recordedAt: relay.world.clock.now() }));
    const report = await relay.batch([...last, ...(await relay.records()).slice(-1)]);
    expect(report).toMatchObject({ commits: 1, damaged: ['a'], failures: [] });
    expect((await relay.entries()).slice(entries.length).map(({ streamId }) => streamId)).toEqual(['b']);
    expect(await relay.incidents()).toMatchObject([{ kind: 'directory-behind-log', streamId: 'a' }]);
  });

  it('is not filled up by a wake-up either', async () => {
    const { relay, entries } = await sequencedLongAgo(4);
    await damage(relay);
    const report = await relay.goOn({ format: 1, streamId: id('a'), target: 7, hops: 0 });
    expect(report).toMatchObject({ outcome: 'damaged', commits: 0 });
    expect(await relay.entries()).toEqual(entries);
  });

  it('is left alone by every record that is read again', async () => {
    const { relay, entries } = await sequencedLongAgo(4);
    await damage(relay);
    await relay.batch(await relay.records());
    expect(await relay.entries()).toEqual(entries);
  });

  it('lets the stream go on when it is right again', async () => {
    const { relay, last } = await sequencedLongAgo(4);
    const { Item } = await relay.tables.dynamo.get(key('a'));
    await damage(relay);
    await relay.batch(last);
    await relay.tables.dynamo.put({ TableName: 'Log', Item: { ...Item } });
    expect(await relay.batch(last)).toMatchObject({ commits: 1, damaged: [], failures: [] });
    const versions = (await relay.entries()).filter(({ streamId }) => streamId === 'a').map(({ version }) => version);
    expect(versions).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('commits that are late', () => {
  it('are sequenced when the log of that time does not have them: an outage', async () => {
    const relay = await openRelay();
    const { clock } = relay.world;
    await relay.store(stream('before', [1], { recordedAt: clock.now() }));
    await relay.batch(await relay.records());
    clock.advance(60_000);
    await relay.store(stream('a', ones(3), { recordedAt: clock.now() }));
    clock.advance(26 * 60 * 60_000);
    await relay.store(stream('after', [1], { recordedAt: clock.now() }));
    const records = await relay.records();
    await relay.batch(records.slice(-1));
    expect(await relay.batch(records.slice(3, 4))).toMatchObject({ commits: 3, damaged: [], failures: [] });
    expect(await relay.sequenced('a')).toBe(3);
  });

  it('are sequenced although a page of that time cannot be read', async () => {
    const { relay, last } = await sequencedLongAgo(4);
    const items = await relay.tables.items('Log');
    for (const item of items) {
      if (!String(item.pk).startsWith('page#') || !String(item.entries).includes('"a"')) continue;
      await relay.tables.dynamo.put({ TableName: 'Log', Item: { ...item, entries: 'garbage' } });
    }
    expect(await relay.batch(last)).toMatchObject({ commits: 1, failures: [], damaged: [] });
  });

  it('cost nothing more than others while they are young', async () => {
    let requests = 0;
    const relay = await openRelay({
      wrap: (dynamo) =>
        new Proxy(dynamo, {
          get: (target, name: keyof typeof dynamo) => (input: never) => {
            requests += 1;
            return (target[name] as (input: never) => unknown)(input);
          },
        }),
    });
    const { clock } = relay.world;
    const requestsOf = async (streamId: string, ageMs: number) => {
      await relay.store(stream(streamId, [1], { recordedAt: clock.now() - ageMs }));
      const [newest] = (await relay.records()).slice(-1);
      requests = 0;
      await relay.batch([newest]);
      return requests;
    };
    await requestsOf('first', 0);
    const young = await requestsOf('young', 0);
    expect(await requestsOf('a-while', 59 * 60_000)).toBe(young);
    expect(await requestsOf('old', 61 * 60_000)).toBeGreaterThan(young);
  });
});
