// The stream directory is the relay's memory of what it has sequenced. Where it is lost or wrong a restore puts it right from the
// log, before anything wakes the relay up: no commit gets a second position.

import { describe, expect, it } from '@jest/globals';
import { directoryKey } from '../../../lib/flow/log/keys.ts';
import { isEventRecoveryError } from '../../../lib/model/errors.ts';
import { damagedStreams } from '../../../lib/recovery/recover/damaged-streams.ts';
import { type Bench, createBench } from './support.ts';

const codeOf = (error: unknown): unknown => (isEventRecoveryError(error) ? error.code : error);
const key = (streamId: string) => ({ TableName: 'Log', Key: { ...directoryKey(streamId) } });
const directoryItem = async (bench: Bench, streamId: string) => (await bench.system.dynamo.get(key(streamId))).Item;
const change = async (bench: Bench, streamId: string, changes: object) =>
  bench.system.dynamo.put({ TableName: 'Log', Item: { ...(await directoryItem(bench, streamId)), ...changes } });

async function filled(options: Parameters<typeof createBench>[0] = {}) {
  const bench = await createBench(options);
  await bench.fill({ a: 3, b: 2 });
  await bench.system.append('a', ['Placed', 'Placed', 'Placed']);
  await bench.system.settle();
  await bench.archive();
  bench.system.clock.advance(3_600_000);
  return { bench, log: await bench.system.items('Log'), right: await directoryItem(bench, 'a') };
}

/** The relay hears of every stream again, from its beginning. */
async function expectOnePositionEach(bench: Bench): Promise<void> {
  await bench.system.append('a', ['Placed']);
  await bench.system.settle();
  const positions = new Map<string, number>();
  for await (const { entries } of bench.system.log.pages(0)) {
    for (const { streamId, version, position } of entries) {
      expect(positions.get(`${streamId}@${version}`)).toBeUndefined();
      positions.set(`${streamId}@${version}`, position);
    }
  }
  expect(positions.size).toBe(9);
  await bench.expectProved();
}

describe('the directory item of a stream', () => {
  it.each<[string, (bench: Bench) => Promise<unknown>]>([
    ['is lost', (bench) => bench.system.dynamo.delete(key('a'))],
    ['is behind the log', (bench) => change(bench, 'a', { version: 3 })],
    ['is ahead of the log', (bench) => change(bench, 'a', { version: 9 })],
    ['names the place of another stream', (bench) => change(bench, 'a', { position: 4 })],
    ['names another hash', (bench) => change(bench, 'a', { hashPrefix: '0123456789abcdef' })],
    ['is garbage', (bench) => change(bench, 'a', { version: 'six', position: null, hashPrefix: 7 })],
    ['holds what no directory item holds', (bench) => change(bench, 'a', { note: 'who was here?' })],
  ])('%s: it is rebuilt from the log when somebody agrees, and nothing is sequenced twice', async (_what, damage) => {
    const { bench, log, right } = await filled();
    await damage(bench);
    const damaged = await bench.system.items('Log');
    const plan = await bench.plan({ streams: ['a', 'b'] });
    expect(plan).toMatchObject({ needsApproval: true, totals: { streams: 1, directories: 1, overwrites: 0 } });
    expect(plan.listed[0]?.directory).toMatchObject({ version: 6, position: right?.position });
    const refused = await bench.apply(plan.planId, { approvedBy: undefined }).then(() => 'no error', codeOf);
    expect(refused).toBe('APPROVAL_REQUIRED');
    expect(await bench.system.items('Log')).toEqual(damaged);
    expect(await bench.apply(plan.planId)).toMatchObject({ result: 'done', totals: { done: 1, written: 1 } });
    expect(await bench.system.items('Log')).toEqual(log);
    expect((await bench.audits()).find(({ action }) => action === 'restore-directory')).toMatchObject({
      input: { streamId: 'a', approvedBy: 'berta' },
      outcome: { after: right?.hashPrefix },
    });
    expect(await bench.plan({ streams: ['a', 'b'] })).toMatchObject({ result: 'nothing' });
    await expectOnePositionEach(bench);
  });

  it('is rebuilt before commits are put back, and the relay is woken up after both', async () => {
    const { bench, log } = await filled();
    const whole = await bench.everything();
    await bench.system.dynamo.delete(key('a'));
    await bench.remove('a', 5, 6);
    await bench.damage('a', 2);
    const plan = await bench.plan({ streams: ['a'] });
    expect(plan.totals).toMatchObject({ directories: 1, overwrites: 1, inserts: 2 });
    expect(await bench.apply(plan.planId)).toMatchObject({ result: 'done', totals: { done: 1, written: 4 } });
    expect(await bench.everything()).toEqual(whole);
    expect(await bench.system.items('Log')).toEqual(log);
    await expectOnePositionEach(bench);
  });

  it('is rebuilt although an append came first: the relay has left that stream out, and goes on with it', async () => {
    const { bench } = await filled();
    await bench.system.dynamo.delete(key('a'));
    await bench.system.append('a', ['Placed']);
    await bench.system.append('b', ['Placed']);
    await bench.system.settle();
    expect((await bench.openIncidents()).map(({ kind, streamId }) => [kind, streamId])).toEqual([
      ['directory-behind-log', 'a'],
    ]);
    const plan = await bench.plan({ streams: ['a'] });
    expect(plan.totals).toMatchObject({ directories: 1, unsequenced: 1 });
    expect(await bench.apply(plan.planId)).toMatchObject({ result: 'done', totals: { done: 1 } });
    expect(await bench.openIncidents()).toEqual([]);
    expect(bench.wakeUps).toEqual([{ format: 1, streamId: 'a', target: 7, hops: 0 }]);
    for (const wakeUp of bench.wakeUps) await bench.system.continueRelay(wakeUp);
    await bench.system.settle();
    const ofA = [];
    for await (const { entries } of bench.system.log.pages(0))
      ofA.push(...entries.filter(({ streamId }) => streamId === 'a').map(({ version }) => version));
    expect(ofA).toEqual([1, 2, 3, 4, 5, 6, 7]);
    await bench.expectProved();
  });

  it('is not touched when it changes between the look and the write', async () => {
    let isArmed = false;
    const { bench } = await filled({
      around: async (what, call) => {
        if (isArmed && what === 'dynamo transactWrite') {
          isArmed = false;
          await change(bench, 'a', { version: 4 });
        }
        return call();
      },
    });
    await change(bench, 'a', { version: 3 });
    const { planId } = await bench.plan({ streams: ['a'] });
    const { recordWrite } = bench.deps.audit;
    bench.deps.audit = {
      ...bench.deps.audit,
      // The next transaction is the one that puts it right.
      recordWrite: (entry) => {
        isArmed = entry.action === 'restore-directory';
        return recordWrite(entry);
      },
    };
    expect(await bench.apply(planId)).toMatchObject({ totals: { stale: 1, written: 0 } });
    expect(await directoryItem(bench, 'a')).toMatchObject({ version: 4 });
  });

  it('is left alone where the log is what was changed', async () => {
    const { bench, right } = await filled();
    const page = (await bench.system.items('Log')).find(({ entries }) =>
      String(entries).includes(right?.hashPrefix as string),
    );
    const entries = String(page?.entries).replace(right?.hashPrefix as string, '0123456789abcdef');
    await bench.system.dynamo.put({ TableName: 'Log', Item: { ...page, entries } });
    expect(await bench.plan({ streams: ['a'] })).toMatchObject({ result: 'nothing' });
    await bench.system.dynamo.delete({ TableName: 'Log', Key: { pk: page?.pk, sk: page?.sk } });
    expect(await bench.plan({ streams: ['a'] })).toMatchObject({ result: 'nothing' });
    expect(await directoryItem(bench, 'a')).toEqual(right);
  });

  it('that is garbage and never was sequenced is a human’s to remove', async () => {
    const { bench } = await filled();
    await bench.system.dynamo.put({ TableName: 'Log', Item: { ...directoryKey('c'), version: 'none' } });
    expect(await bench.plan({ streams: ['c'] }).then(() => 'no error', codeOf)).toBe('DIRECTORY_DAMAGED');
  });

  it('is missing rightly while commits are on their way', async () => {
    const { bench } = await filled();
    await bench.system.append('fresh', ['Placed']);
    const plan = await bench.plan({ streams: ['fresh'] });
    expect(plan).toMatchObject({ needsApproval: false, totals: { directories: 0, unsequenced: 1 } });
    // And when the relay has lost them for good: the log was searched, and does not have them.
    bench.system.clock.advance(3_600_000);
    const late = await bench.plan({ streams: ['fresh'] });
    expect(late).toMatchObject({ needsApproval: false, totals: { directories: 0, unsequenced: 1 } });
    expect(await bench.apply(late.planId, { approvedBy: undefined })).toMatchObject({ result: 'done' });
    expect(bench.wakeUps).toMatchObject([{ streamId: 'fresh', target: 1 }]);
  });

  it('that is wrong is what a recovery has a restore repair', async () => {
    const { bench } = await filled();
    await change(bench, 'a', { version: 3 });
    expect(damagedStreams((await bench.verdict()).violations)).toEqual([
      { streamId: 'a', kind: 'directory-mismatch', version: 6 },
    ]);
  });

  it('that fell behind together with its stream is found by searching the log: when the scrub or somebody says so', async () => {
    const { bench, log } = await filled();
    const whole = await bench.everything();
    const entries = [];
    for await (const page of bench.system.log.pages(0)) entries.push(...page.entries);
    const entry = entries.find(({ streamId, version }) => streamId === 'a' && version === 4);
    await change(bench, 'a', { version: 4, position: entry?.position, hashPrefix: entry?.hashPrefix });
    await bench.remove('a', 5, 6);
    // Stream and directory fit: nothing shows that they once reached further.
    expect((await bench.plan({ streams: ['a'] })).totals).toMatchObject({ directories: 0, inserts: 0 });
    expect((await bench.plan({ streams: ['a'], searchLog: true })).totals).toMatchObject({
      directories: 1,
      inserts: 2,
    });
    const Item = { pk: 'finding', sk: 'f', kind: 'directory-mismatch', streamId: 'a', status: 'open' };
    await bench.system.dynamo.put({ TableName: 'Recovery', Item });
    expect((await bench.plan()).totals).toMatchObject({ directories: 1, inserts: 2 });
    const plan = await bench.plan({ streams: ['a'] });
    expect(await bench.apply(plan.planId)).toMatchObject({ result: 'done', totals: { done: 1, written: 3 } });
    expect(await bench.everything()).toEqual(whole);
    expect(await bench.system.items('Log')).toEqual(log);
  });

  it('is planned from the findings of the scrub', async () => {
    const { bench } = await filled();
    await bench.system.dynamo.delete(key('a'));
    const Item = { pk: 'finding', sk: 'f', kind: 'directory-missing', streamId: 'a', status: 'open' };
    await bench.system.dynamo.put({ TableName: 'Recovery', Item });
    expect((await bench.plan()).totals).toMatchObject({ streams: 1, directories: 1 });
  });
});
