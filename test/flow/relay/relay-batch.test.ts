// One batch of the DynamoDB stream, as Lambda delivers it: in order, out of order, doubled, incomplete.

import { describe, expect, it } from '@jest/globals';
import { lastVersion } from '../../../lib/model/commit.ts';
import { commit, id, ones, openRelay, record, stream } from './support.ts';

const placed = (entries: { streamId: string; version: number; position: number }[]) =>
  entries.map(({ streamId, version, position }) => `${streamId}@${version}=${position}`);

describe('a batch of new commits', () => {
  it('gets positions in the order of the batch and is published event by event', async () => {
    const relay = await openRelay();
    const [a1, a2] = stream('a', [['Opened', 'Filled'], ['Closed']]);
    const [b1] = stream('b', [1]);
    await relay.store([a1, b1, a2].flatMap((one) => one ?? []));
    const report = await relay.batch(await relay.records());
    expect(report).toMatchObject({ commits: 3, events: 4, backfilled: 0, failures: [], damaged: [], continued: [] });
    expect(placed(await relay.entries())).toEqual(['a@1=1', 'b@1=3', 'a@3=4']);
    expect(relay.events()).toEqual([
      expect.objectContaining({ streamId: 'a', version: 1, position: 1, type: 'Opened', commitVersion: 1 }),
      expect.objectContaining({ streamId: 'a', version: 2, position: 2, type: 'Filled', commitHash: a1?.hash }),
      expect.objectContaining({ streamId: 'b', version: 1, position: 3, correlationId: 'correlation-b' }),
      expect.objectContaining({ streamId: 'a', version: 3, position: 4, type: 'Closed', data: { n: 3 } }),
    ]);
    expect(relay.moved()).toEqual([]);
  });

  it('writes each correlation id on the line of its event', async () => {
    const relay = await openRelay();
    await relay.store(stream('a', [1]));
    await relay.batch(await relay.records());
    expect(relay.logger.lines).toContainEqual({
      level: 'info',
      message: 'event relayed',
      facts: expect.objectContaining({ correlationId: 'correlation-a', streamId: 'a', version: 1, position: 1 }),
    });
  });

  it('takes the records of one stream in any order, doubled and mixed with others (failure 31)', async () => {
    const relay = await openRelay();
    const a = stream('a', [1, 2, 1]);
    const b = stream('b', [1, 1]);
    await relay.store([...a, ...b]);
    const [r1, r2, r3, r4, r5] = await relay.records();
    const report = await relay.batch([r3, r5, r1, r3, r2, r4, r1]);
    expect(report).toMatchObject({ commits: 5, failures: [], damaged: [], backfilled: 0 });
    expect(placed(await relay.entries())).toEqual(['a@1=1', 'a@2=2', 'a@4=4', 'b@1=5', 'b@2=6']);
  });

  it('needs several pages for more than 99 streams', async () => {
    const relay = await openRelay();
    for (let index = 0; index < 250; index += 1) await relay.store(stream(`stream-${index}`, [1]));
    const report = await relay.batch(await relay.records());
    expect(report).toMatchObject({ commits: 250, failures: [] });
    expect((await relay.entries()).map(({ position }) => position)).toEqual(
      Array.from({ length: 250 }, (_, index) => index + 1),
    );
    expect(relay.events()).toHaveLength(250);
  });

  it('does nothing for an empty batch and for removals', async () => {
    const relay = await openRelay();
    expect(await relay.batch([])).toMatchObject({ commits: 0, failures: [] });
    const [a1] = stream('a', [1]);
    const { dynamodb } = record(a1 as never, 1);
    const removal = { eventName: 'REMOVE', dynamodb: { Keys: dynamodb.Keys, SequenceNumber: '1' } };
    expect(await relay.batch([removal])).toMatchObject({ commits: 0, failures: [], damaged: [] });
    expect(relay.metrics.total('RemovalsSeen')).toBe(1);
  });
});

describe('a batch that was relayed before', () => {
  it('gets no second positions, and says that its streams moved (failures 32, 38)', async () => {
    const relay = await openRelay();
    await relay.store(stream('a', [1, ['X', 'Y']]));
    const records = await relay.records();
    await relay.batch(records);
    const again = await relay.batch(records);
    expect(again).toMatchObject({ commits: 0, events: 0, failures: [], damaged: [] });
    expect(await relay.entries()).toHaveLength(2);
    expect(relay.events()).toHaveLength(3);
    expect(relay.moved()).toEqual([{ format: 1, streamId: 'a', version: 3, position: 2 }]);
  });

  it('relays what is new and says that the stream moved when only a part was known', async () => {
    const relay = await openRelay();
    const a = stream('a', [1, 1, 1]);
    await relay.store(a);
    const records = await relay.records();
    await relay.batch(records.slice(0, 2));
    const again = await relay.batch(records);
    expect(again).toMatchObject({ commits: 1, failures: [] });
    expect(relay.moved()).toEqual([expect.objectContaining({ streamId: 'a', version: 3, position: 3 })]);
  });

  it('reads the whole stream again from its beginning without a new position or an incident (failure 32)', async () => {
    const relay = await openRelay();
    await relay.store([...stream('a', ones(40)), ...stream('b', ones(25))]);
    const records = await relay.records();
    for (let start = 0; start < records.length; start += 10) await relay.batch(records.slice(start, start + 10));
    const before = await relay.entries();
    for (let start = 0; start < records.length; start += 7) await relay.batch(records.slice(start, start + 7));
    expect(await relay.entries()).toEqual(before);
    expect(await relay.incidents()).toEqual([]);
  });

  it('publishes again after a crash between sequencing and publishing, without any later event (failure 38)', async () => {
    const relay = await openRelay();
    // The first record was trimmed: the batch holds only the last commit, the rest is backfilled.
    await relay.store(stream('a', [['Wanted'], ['Wanted'], ['Other']]));
    const [last] = (await relay.records()).slice(-1);
    const publish = relay.bus.publish;
    relay.bus.publish = async () => {
      throw new Error('the function was killed');
    };
    const crashed = await relay.batch([last]);
    expect(crashed.failures).toMatchObject([{ index: 0, reason: 'error' }]);
    relay.bus.publish = publish;
    expect(await relay.batch([last])).toMatchObject({ commits: 0, failures: [] });
    expect(relay.events()).toEqual([]);
    expect(relay.moved()).toEqual([expect.objectContaining({ streamId: 'a', version: 3 })]);
  });
});

describe('missing records', () => {
  it('are read from the store and published like the others (failure 2)', async () => {
    const relay = await openRelay();
    await relay.store(stream('a', [1, 2, 1, 1]));
    const [last] = (await relay.records()).slice(-1);
    const report = await relay.batch([last]);
    expect(report).toMatchObject({ commits: 4, events: 5, backfilled: 3, failures: [] });
    expect(placed(await relay.entries())).toEqual(['a@1=1', 'a@2=2', 'a@4=4', 'a@5=5']);
    expect(relay.events().map(({ version }) => version)).toEqual([1, 2, 3, 4, 5]);
  });

  it('are found in the middle, between records that did arrive', async () => {
    const relay = await openRelay();
    await relay.store(stream('a', ones(6)));
    const [r1, , r3, , , r6] = await relay.records();
    expect(await relay.batch([r6, r1, r3])).toMatchObject({ commits: 6, backfilled: 3, failures: [], damaged: [] });
  });

  it('are found after a day in which the relay stood still (failure 2)', async () => {
    const relay = await openRelay();
    await relay.store(stream('a', ones(5)));
    await relay.batch((await relay.records()).slice(0, 2));
    relay.world.clock.advance(25 * 60 * 60_000);
    const next = stream('a', ones(6)).slice(5);
    await relay.store(next);
    // What was recorded before is trimmed: only the last record is left.
    const report = await relay.batch((await relay.records()).slice(5));
    expect(report).toMatchObject({ commits: 4, backfilled: 3, failures: [] });
    expect(await relay.sequenced('a')).toBe(6);
  });
});

describe('a record that is malformed', () => {
  it('fails alone and leaves an incident; the others are relayed', async () => {
    const relay = await openRelay();
    const [a1, a2] = stream('a', [1, 1]);
    const [b1] = stream('b', [1]);
    await relay.store([a1, a2, b1].flatMap((one) => one ?? []));
    const [r1, r2, r3] = await relay.records();
    const broken = structuredClone(r3) as unknown as ReturnType<typeof record>;
    Reflect.deleteProperty(broken.dynamodb.NewImage, 'hash');
    const report = await relay.batch([r1, broken, r2]);
    expect(report).toMatchObject({ commits: 2 });
    expect(report.failures).toEqual([
      expect.objectContaining({ index: 1, sequenceNumber: broken.dynamodb.SequenceNumber, reason: 'malformed' }),
    ]);
    expect(await relay.incidents()).toMatchObject([{ kind: 'malformed-record', streamId: 'b', version: 1 }]);
    expect(await relay.sequenced('a')).toBe(2);
  });
});

describe('failures of the surroundings', () => {
  it('and malformed records are named in the order of the batch', async () => {
    const relay = await openRelay();
    await relay.store([...stream('a', [1]), ...stream('b', [1]), ...stream('c', [1])]);
    const [r1, r2, r3] = await relay.records();
    const broken = structuredClone(r2) as unknown as ReturnType<typeof record>;
    Reflect.deleteProperty(broken.dynamodb.NewImage, 'hash');
    relay.bus.refuse = () => true;
    const { failures } = await relay.batch([r1, broken, r3]);
    expect(failures.map(({ index, reason }) => `${index} ${reason}`)).toEqual(['0 error', '1 malformed', '2 error']);
  });

  it('of the store fail only the stream that needed it', async () => {
    const relay = await openRelay();
    await relay.store([...stream('a', [1, 1]), ...stream('b', [1])]);
    const [, a2, b1] = await relay.records();
    relay.dependencies.source.readFrom = () => {
      throw Object.assign(new Error('too fast'), { name: 'ProvisionedThroughputExceededException' });
    };
    const report = await relay.batch([b1, a2]);
    expect(report.failures).toEqual([
      expect.objectContaining({ index: 1, reason: 'error', code: 'ProvisionedThroughputExceededException' }),
    ]);
    expect(await relay.sequenced('b')).toBe(1);
    expect(await relay.sequenced('a')).toBeUndefined();
  });

  it('of the directory fail every stream of the batch, never in silence', async () => {
    const relay = await openRelay();
    await relay.store([...stream('a', [1]), ...stream('b', [1, 1])]);
    const records = await relay.records();
    const { directory } = relay.dependencies.log;
    relay.dependencies.log.directory = async () => {
      throw new Error('no answer');
    };
    const report = await relay.batch(records);
    expect(report.failures.map(({ index }) => index)).toEqual([0, 1]);
    relay.dependencies.log.directory = directory;
    expect(await relay.batch(records)).toMatchObject({ commits: 3, failures: [] });
  });

  it('of the log fail only the streams whose pages were not written', async () => {
    const relay = await openRelay();
    for (let index = 0; index < 120; index += 1) await relay.store(stream(`stream-${index}`, [1]));
    const { sequence } = relay.dependencies.log;
    let pages = 0;
    relay.dependencies.log.sequence = async (input) => {
      pages += 1;
      if (pages > 1) throw Object.assign(new Error('too fast'), { name: 'ThrottlingException' });
      return sequence(input);
    };
    const report = await relay.batch(await relay.records());
    expect(report).toMatchObject({ commits: 99 });
    expect(report.failures.map(({ index }) => index)).toEqual(Array.from({ length: 21 }, (_, index) => 99 + index));
    expect(relay.events()).toHaveLength(99);
  });

  it('of the bus fail from the first record of each stream that was concerned', async () => {
    const relay = await openRelay();
    await relay.store([...stream('a', [1]), ...stream('b', [1, 1]), ...stream('c', [1])]);
    relay.bus.refuse = (entry) => entry.detail.streamId === 'b' && entry.detail.version === 2;
    const records = await relay.records();
    const report = await relay.batch(records);
    expect(report.failures).toEqual([
      {
        index: 1,
        sequenceNumber: records[1]?.dynamodb.SequenceNumber,
        reason: 'error',
        code: 'InternalException',
        message: 'refused',
      },
    ]);
    relay.bus.refuse = () => false;
    expect(await relay.batch(records.slice(1))).toMatchObject({ commits: 0, failures: [] });
    expect(relay.moved().map(({ streamId, version }) => `${streamId}@${version}`)).toEqual(['b@2', 'c@1']);
  });

  it('of the incidents fail the stream, so that damage is met again', async () => {
    const relay = await openRelay();
    await relay.store(stream('a', [1, 1, 1]));
    await relay.tables.dynamo.delete({ TableName: 'Events', Key: { streamId: 'a', version: 2 } });
    const [, , r3] = await relay.records();
    relay.dependencies.incidents.record = async () => {
      throw new Error('no answer');
    };
    expect((await relay.batch([r3])).failures).toMatchObject([{ index: 0, reason: 'error' }]);
  });

  it('that newer code causes are no damage: the stream is delivered again', async () => {
    const relay = await openRelay();
    const [a1] = stream('a', [1]);
    const [b1] = stream('b', [1]);
    relay.dependencies.verify = (
      (verify) => (stored) =>
        stored.streamId === 'a' ? fail('NEWER_FORMAT') : verify(stored)
    )(relay.dependencies.verify);
    const fail = (code: string): never => {
      throw Object.assign(new Error(code), { code });
    };
    const report = await relay.batch([record(a1 as never, 1), record(b1 as never, 2)]);
    expect(report.failures).toMatchObject([{ index: 0, reason: 'error', message: 'NEWER_FORMAT' }]);
    expect(await relay.incidents()).toEqual([]);
    expect(await relay.sequenced('b')).toBe(1);
  });
});

describe('two relays at once (failure 32)', () => {
  it('with the same batch give each event exactly one position', async () => {
    const one = await openRelay();
    const two = await openRelay({ tables: one.tables });
    await one.store([...stream('a', ones(30)), ...stream('b', ones(30))]);
    const records = await one.records();
    const reports = await Promise.all([one.batch(records), two.batch([...records].reverse())]);
    expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
    expect(reports.reduce((sum, { commits }) => sum + commits, 0)).toBe(60);
    const entries = await one.entries();
    expect(entries.map(({ position }) => position)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    expect(await one.incidents()).toEqual([]);
  });

  it('rebuild only the page after a lost race: commits are not read again', async () => {
    const one = await openRelay();
    await one.store([...stream('a', ones(5)), ...stream('b', [1])]);
    const records = await one.records();
    const rival = await openRelay({ tables: one.tables });
    const { sequence } = one.dependencies.log;
    let raced = false;
    one.dependencies.log.sequence = async (input) => {
      if (!raced) {
        raced = true;
        await rival.batch(records.slice(5));
      }
      return sequence(input);
    };
    let reads = 0;
    const { readFrom } = one.dependencies.source;
    one.dependencies.source.readFrom = (...input) => {
      reads += 1;
      return readFrom(...input);
    };
    const report = await one.batch(records.slice(4, 5));
    expect(report).toMatchObject({ commits: 5, failures: [] });
    expect(reads).toBe(1);
    expect(one.metrics.total('LogRacesLost')).toBe(1);
    expect(placed(await one.entries())[0]).toBe('b@1=1');
  });

  it('say that a stream moved when the rival sequenced it, because the rival may have died before publishing', async () => {
    const one = await openRelay();
    const rival = await openRelay({ tables: one.tables });
    await one.store(stream('a', [1, 1]));
    const records = await one.records();
    const { sequence } = one.dependencies.log;
    let raced = false;
    one.dependencies.log.sequence = async (input) => {
      if (!raced) {
        raced = true;
        await rival.batch(records.slice(0, 1));
      }
      return sequence(input);
    };
    expect(await one.batch(records)).toMatchObject({ commits: 1, failures: [] });
    expect(one.moved()).toEqual([expect.objectContaining({ streamId: 'a', version: 2 })]);
    // What the rival's page says about the stream is enough: the next try is right.
    expect(one.metrics.total('LogRacesLost')).toBe(1);
  });

  it('go on behind the page that won without reading head or directory again', async () => {
    const one = await openRelay();
    const rival = await openRelay({ tables: one.tables });
    const recordedAt = one.world.clock.now();
    await one.store([...stream('a', [1], { recordedAt }), ...stream('b', [1], { recordedAt })]);
    const records = await one.records();
    await one.dependencies.log.head();
    await rival.batch(records.slice(1));
    let reads = 0;
    const { head, directory } = one.dependencies.log;
    one.dependencies.log.directory = (ids) => {
      reads += 1;
      return directory(ids);
    };
    one.dependencies.log.head = async (options) => {
      // What is cached is from before the rival's page.
      if (options?.cached) return 0 as never;
      reads += 1;
      return head(options);
    };
    expect(await one.batch(records.slice(0, 1))).toMatchObject({ commits: 1, failures: [] });
    expect(reads).toBe(1);
    expect(one.metrics.total('LogRacesLost')).toBe(1);
    expect(placed(await one.entries())).toEqual(['b@1=1', 'a@1=2']);
  });

  it('never goes back behind the directory, however old the page is that stands in the way', async () => {
    const one = await openRelay();
    const rival = await openRelay({ tables: one.tables });
    await one.store(stream('a', ones(4)));
    const records = await one.records();
    // This process knows the head as it was before the rival wrote three pages.
    const { head } = one.dependencies.log;
    one.dependencies.log.head = async (options) => (options?.cached ? (0 as never) : head(options));
    for (const record of records.slice(0, 3)) await rival.batch([record]);
    expect(await one.batch(records.slice(3))).toMatchObject({ commits: 1, failures: [] });
    expect(placed(await one.entries())).toEqual(['a@1=1', 'a@2=2', 'a@3=3', 'a@4=4']);
  });

  it('give up after a bounded number of lost races and report the batch', async () => {
    const relay = await openRelay();
    await relay.store(stream('a', [1]));
    relay.dependencies.log.sequence = async () => ({ kind: 'lost-race' });
    const report = await relay.batch(await relay.records());
    expect(report.failures).toMatchObject([{ index: 0, code: 'LOG_CONTENDED' }]);
  });

  it('report a stream whose other history the rival has sequenced, and go on with the rest', async () => {
    const one = await openRelay();
    const rival = await openRelay({ tables: one.tables });
    const [a1, a2] = stream('a', [1, 1]);
    const other = commit('a', 2, a1?.hash as string, { types: ['X', 'Y'], mark: '-other' });
    const [b1] = stream('b', [1]);
    const { sequence } = one.dependencies.log;
    let raced = false;
    one.dependencies.log.sequence = async (input) => {
      if (!raced) {
        raced = true;
        await rival.batch([record(a1 as never, 1), record(other, 2)]);
      }
      return sequence(input);
    };
    const batch = [record(a1 as never, 1), record(a2 as never, 2), record(b1 as never, 3)];
    const report = await one.batch(batch);
    expect(report).toMatchObject({ damaged: ['a'], failures: [] });
    expect(await one.incidents()).toContainEqual(
      expect.objectContaining({ kind: 'rewritten-history', streamId: 'a', version: 2 }),
    );
    expect(await one.sequenced('a')).toBe(lastVersion(other));
    expect(await one.sequenced('b')).toBe(1);
    expect((await one.dependencies.log.directory([id('a')])).get(id('a'))?.hashPrefix).toBe(other.hash.slice(0, 16));
  });

  it.each([
    ['the rest of ours does not follow it', [1, 1, 1], ['X']],
    ['ours reaches beyond it', [1, 2], ['X']],
  ])('sequence nothing of ours on top of the history of a rival: %s', async (_, counts, types) => {
    const one = await openRelay();
    const rival = await openRelay({ tables: one.tables });
    const ours = stream('a', counts);
    const other = commit('a', 2, ours[0]?.hash as string, { types, mark: '-other' });
    const { sequence } = one.dependencies.log;
    let raced = false;
    one.dependencies.log.sequence = async (input) => {
      if (!raced) {
        raced = true;
        await rival.batch([record(ours[0] as never, 1), record(other, 2)]);
      }
      return sequence(input);
    };
    const report = await one.batch(ours.map((commit, index) => record(commit, index + 1)));
    expect(report).toMatchObject({ commits: 0, damaged: ['a'], failures: [] });
    expect(placed(await one.entries())).toEqual(['a@1=1', 'a@2=2']);
    expect(await one.incidents()).toMatchObject([{ kind: 'rewritten-history', streamId: 'a', version: 2 }]);
  });
});
