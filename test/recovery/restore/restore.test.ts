// Damage of every kind is found, shown, and repaired from the archive or from a point in time; nothing else is touched.

import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hashCommit } from '../../../lib/flow/event-store/hash.ts';
import type { Commit } from '../../../lib/model/commit.ts';
import { isEventRecoveryError } from '../../../lib/model/errors.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
let before: string[];

beforeEach(async () => {
  bench = await createBench();
  await bench.fill({ 'order-1': 6, 'order-2': 4, other: 3 });
  before = await bench.everything();
});

const codeOf = (error: unknown): unknown => (isEventRecoveryError(error) ? error.code : error);
const refused = (call: Promise<unknown>) => call.then(() => 'no error', codeOf);

/** Forges a commit on top of a version: an append that a store acknowledged after the stream had lost its tail. */
async function appendAt(streamId: string, version: number, ids: string[], previousHash?: string): Promise<Commit> {
  const previous = previousHash ?? (await bench.item(streamId, version - 1)).hash;
  const events = JSON.stringify(ids.map((id) => ({ id, type: 'Placed', data: { id } })));
  const facts = {
    streamId,
    version,
    count: ids.length,
    recordedAt: bench.system.clock.now(),
    encoding: 'json',
    format: 1,
  };
  const unhashed = { ...facts, previousHash: previous, events } as never;
  const item = { ...facts, previousHash: previous, events, hash: hashCommit(unhashed) };
  await bench.system.dynamo.put({ TableName: 'Events', Item: item });
  return item as never;
}

const flipped = async (streamId: string, version: number): Promise<string> => {
  const events = String((await bench.item(streamId, version)).events);
  return events.replace('Placed', 'Placet');
};

describe.each(['archive', 'point-in-time'] as const)('from the %s', (source) => {
  beforeEach(() => bench.archive());
  /** The archive needs none; DynamoDB restores to a second. */
  const time = () => (source === 'archive' ? {} : { restoreTo: bench.system.clock.now() });

  it('puts back one commit of which a byte was flipped, and touches no other item', async () => {
    const when = time();
    bench.system.clock.advance(2_000);
    await bench.change('order-1', 3, { events: await flipped('order-1', 3) });
    const damaged = await bench.everything();
    const plan = await bench.plan({ streams: ['order-1', 'order-2'], source, ...when });
    expect(plan).toMatchObject({
      result: 'planned',
      needsApproval: true,
      totals: { streams: 1, overwrites: 1, inserts: 0 },
    });
    expect(plan.listed[0]?.changes).toMatchObject([{ version: 3, action: 'overwrite', isFork: false }]);
    expect(await bench.everything()).toEqual(damaged);
    const done = await bench.apply(plan.planId);
    expect(done).toMatchObject({ result: 'done', totals: { done: 1, written: 1, notFound: 0, stale: 0 } });
    expect(await bench.everything()).toEqual(before);
    expect(bench.sideTables.size).toBe(0);
  });

  it('fills what is missing in the middle and at the end, several streams at once', async () => {
    const when = time();
    bench.system.clock.advance(2_000);
    await bench.remove('order-1', 2, 3, 6);
    await bench.remove('order-2', 1, 2, 3, 4);
    const plan = await bench.plan({ streams: ['order-1', 'order-2'], source, ...when });
    expect(plan).toMatchObject({ needsApproval: false, totals: { inserts: 7, overwrites: 0, removals: 0 } });
    const done = await bench.apply(plan.planId, { approvedBy: undefined });
    expect(done).toMatchObject({ result: 'done', totals: { done: 2, written: 7 } });
    expect(await bench.everything()).toEqual(before);
    await bench.expectProved();
  });

  it('keeps events that were appended on top of a truncation: set aside, then appended at the restored head', async () => {
    const when = time();
    bench.system.clock.advance(2_000);
    await bench.remove('order-1', 4, 5, 6);
    await appendAt('order-1', 4, ['new-a', 'new-b']);
    await appendAt('order-1', 6, ['new-c'], (await bench.item('order-1', 4)).hash);
    await appendAt('order-1', 7, ['new-d'], (await bench.item('order-1', 6)).hash);
    const plan = await bench.plan({ streams: ['order-1'], source, ...when });
    expect(plan.listed[0]?.changes.map(({ version, action, isFork }) => [version, action, isFork])).toEqual([
      [4, 'overwrite', true],
      [6, 'overwrite', true],
      [7, 'remove', true],
    ]);
    const done = await bench.apply(plan.planId);
    expect(done).toMatchObject({ result: 'done', totals: { forks: 3, conflicting: 0 } });
    expect(done.listed[0]?.forks).toEqual([
      { version: 4, count: 2, outcome: 'appended', newVersion: 7 },
      { version: 6, count: 1, outcome: 'appended', newVersion: 9 },
      { version: 7, count: 1, outcome: 'appended', newVersion: 10 },
    ]);
    const ids = await bench.idsOf('order-1');
    expect(ids.slice(0, 6)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `order-1-${n}`));
    expect(ids.slice(6)).toEqual(['new-a', 'new-b', 'new-c', 'new-d']);
    await bench.system.settle();
    await bench.expectProved();
    expect(bench.effects.filter((at) => at.startsWith('order-1@'))).toHaveLength(10);
  });

  it('does not append a second time what the restored commits hold already', async () => {
    const when = time();
    bench.system.clock.advance(2_000);
    const same = await bench.item('order-1', 6);
    await bench.remove('order-1', 5, 6);
    // The producer's retry of what it had appended as version 6, onto the shortened stream.
    const facts = { ...same, version: 5, previousHash: (await bench.item('order-1', 4)).hash } as never;
    await bench.system.dynamo.put({ TableName: 'Events', Item: { ...(facts as object), hash: hashCommit(facts) } });
    const done = await bench.apply((await bench.plan({ streams: ['order-1'], source, ...when })).planId);
    expect(done.listed[0]?.forks).toEqual([{ version: 5, count: 1, outcome: 'already-there', newVersion: 6 }]);
    expect(await bench.everything()).toEqual(before);
  });

  it('takes an attribute away that no commit has, with nothing to append again and no copy needed', async () => {
    bench.system.clock.advance(2_000);
    await bench.change('order-1', 6, { note: 'who wrote this?' });
    const plan = await bench.plan({ streams: ['order-1'], source, ...time() });
    expect(plan.listed[0]?.changes).toMatchObject([{ version: 6, action: 'overwrite', isFork: false }]);
    expect(await bench.apply(plan.planId)).toMatchObject({ result: 'done', totals: { written: 1, forks: 0 } });
    expect(await bench.everything()).toEqual(before);
  });

  it('takes away items that no commit can have there', async () => {
    const when = time();
    bench.system.clock.advance(2_000);
    await bench.system.dynamo.put({
      TableName: 'Events',
      Item: { streamId: 'order-1', version: 2.5, what: 'garbage' },
    });
    await bench.system.dynamo.put({ TableName: 'Events', Item: { streamId: 'order-1', version: 0, events: 7 } });
    const plan = await bench.plan({ streams: ['order-1'], source, ...when });
    expect(plan.totals).toMatchObject({ removals: 2, overwrites: 0, forks: 0 });
    expect(await bench.apply(plan.planId)).toMatchObject({ result: 'done', totals: { written: 2 } });
    expect(await bench.everything()).toEqual(before);
    const kept = [...bench.bodies.entries()].filter(([key]) => key.startsWith('quarantine/'));
    expect(kept.map(([, body]) => body.toString()).join()).toContain('garbage');
  });
});

describe('history that was rewritten', () => {
  it('with fitting hashes is put right by the log, and the forged events are reported, not appended', async () => {
    await bench.archive();
    const forged = {
      ...(await bench.item('order-2', 3)),
      events: '[{"id":"order-2-3","type":"Placed","data":{"n":99}}]',
    };
    const hash = hashCommit(forged);
    await bench.change('order-2', 3, { events: forged.events, hash });
    const four = { ...(await bench.item('order-2', 4)), previousHash: hash };
    await bench.change('order-2', 4, { previousHash: hash, hash: hashCommit(four) });
    const done = await bench.apply((await bench.plan({ streams: ['order-2'] })).planId);
    expect(done).toMatchObject({ result: 'done', totals: { written: 2, conflicting: 1 } });
    expect(done.listed[0]?.forks.map(({ version, outcome }) => [version, outcome])).toEqual([
      [3, 'conflicting'],
      [4, 'already-there'],
    ]);
    expect(await bench.everything()).toEqual(before);
  });
});

describe('commits that the log does not know', () => {
  it('that are whole are left as they are; the relay is woken up and consumers catch up', async () => {
    await bench.system.append('order-2', ['Placed', 'Placed']);
    const stored = await bench.everything();
    const plan = await bench.plan({ streams: ['order-2'] });
    expect(plan).toMatchObject({ needsApproval: false, totals: { unsequenced: 2, inserts: 0, overwrites: 0 } });
    expect(await bench.apply(plan.planId, { approvedBy: undefined })).toMatchObject({ result: 'done' });
    expect(bench.wakeUps).toEqual([{ format: 1, streamId: 'order-2', target: 6, hops: 0 }]);
    expect(await bench.everything()).toEqual(stored);
  });

  it('and that do not follow its last commit go, with what follows them, and are appended again', async () => {
    await bench.archive();
    await appendAt('order-1', 7, ['new-a'], 'f'.repeat(64));
    await appendAt('order-1', 8, ['new-b'], (await bench.item('order-1', 7)).hash);
    const plan = await bench.plan({ streams: ['order-1'] });
    expect(plan.totals).toMatchObject({ removals: 2, inserts: 0, forks: 2 });
    const done = await bench.apply(plan.planId);
    expect(done.listed[0]?.forks.map(({ outcome, newVersion }) => [outcome, newVersion])).toEqual([
      ['appended', 7],
      ['appended', 8],
    ]);
    expect((await bench.idsOf('order-1')).slice(6)).toEqual(['new-a', 'new-b']);
  });

  it('are not filled by a whole commit that is not the one which the next commit names', async () => {
    await bench.system.append('order-2', ['Placed', 'Placed']);
    await appendAt('order-2', 5, ['another']);
    await bench.archive();
    await bench.remove('order-2', 5);
    const done = await bench.apply((await bench.plan({ streams: ['order-2'] })).planId);
    expect(done.listed[0]).toMatchObject({ status: 'not-found', notFound: [5], written: 0 });
  });

  it('are found by their neighbours when one of them was changed or removed', async () => {
    await bench.system.append('order-2', ['Placed', 'Placed', 'Placed', 'Placed']);
    const whole = await bench.everything();
    await bench.archive();
    await bench.change('order-2', 5, { recordedAt: 1 });
    await bench.remove('order-2', 7);
    const plan = await bench.plan({ streams: ['order-2'] });
    expect(plan.totals).toMatchObject({ inserts: 1, overwrites: 1, forks: 0 });
    expect(await bench.apply(plan.planId)).toMatchObject({ result: 'done', totals: { written: 2 } });
    expect(await bench.everything()).toEqual(whole);
  });
});

describe('the archive', () => {
  it('is searched back to where a copy is: an increment, the old image of a later one, the baseline', async () => {
    await bench.archive();
    const { clock } = bench.system;
    const from = clock.now();
    await bench.fill({ late: 3 });
    const whole = await bench.everything();
    const original = await bench.item('late', 2);
    clock.advance(15 * 60_000);
    await bench.archive({ type: 'INCREMENTAL_EXPORT', fromMs: from, toMs: clock.now(), view: 'NEW_AND_OLD_IMAGES' });
    await bench.change('late', 2, { events: 'damaged' });
    const later = clock.now();
    clock.advance(20 * 60_000);
    await bench.archive({
      type: 'INCREMENTAL_EXPORT',
      fromMs: later - 5_000,
      toMs: clock.now(),
      view: 'NEW_AND_OLD_IMAGES',
    });
    await bench.remove('order-1', 1);
    const done = await bench.apply((await bench.plan({ streams: ['late', 'order-1'] })).planId);
    expect(done).toMatchObject({ result: 'done', totals: { done: 2, written: 2 } });
    expect(await bench.everything()).toEqual(whole);
    expect((await bench.item('late', 2)).hash).toBe(original.hash);
  });

  it('without a copy that fits leaves the stream as it is and says which versions', async () => {
    await bench.archive({ type: 'FULL_EXPORT', atMs: 1 });
    await bench.remove('order-1', 5);
    await bench.remove('order-2', 4);
    const damaged = await bench.everything();
    const done = await bench.apply((await bench.plan({ streams: ['order-1'] })).planId);
    expect(done).toMatchObject({ result: 'done', totals: { done: 0, notFound: 1, written: 0 } });
    expect(done.listed[0]).toMatchObject({ status: 'not-found', notFound: [5] });
    expect(done.next).toContain('point-in-time');
    expect(await bench.everything()).toEqual(damaged);
  });

  it.each([
    ['a data file is missing', 'ARCHIVE_FILE_MISSING', /data\/.*gz$/, undefined],
    ['a data file was altered', 'ARCHIVE_FILE_ALTERED', /data\/.*gz$/, (body: Buffer) => body.subarray(0, -1)],
    [
      'a data file was written anew with another event',
      'ARCHIVE_FILE_ALTERED',
      /data\/.*gz$/,
      (body: Buffer) => gzipSync(gunzipSync(body).toString().replaceAll('Placed', 'Placet')),
    ],
    ['a manifest is missing', 'ARCHIVE_FILE_MISSING', /manifest-summary.json$/, undefined],
    [
      'a manifest was altered',
      'ARCHIVE_FILE_ALTERED',
      /manifest-files.json$/,
      (body: Buffer) => Buffer.from(body.toString().replace(/"itemCount":\d+/, '"itemCount":0')),
    ],
    ['a checksum is missing', 'ARCHIVE_FILE_MISSING', /manifest-files.checksum$/, undefined],
  ])('of which %s ends the restore before anything is written', async (_what, code, pattern, alter) => {
    await bench.archive();
    for (const [key, body] of bench.bodies) {
      if (!pattern.test(key)) continue;
      if (alter === undefined) bench.bodies.delete(key);
      else bench.bodies.set(key, alter(body));
    }
    await bench.remove('order-1', 5);
    const damaged = await bench.everything();
    const end = await bench.apply((await bench.plan({ streams: ['order-1'] })).planId);
    expect(end).toMatchObject({ result: 'failed', note: expect.stringContaining(code) });
    expect(await bench.everything()).toEqual(damaged);
  });

  it('that is empty has no copies: that is said, and where to look next', async () => {
    await bench.remove('order-1', 5);
    const end = await bench.apply((await bench.plan({ streams: ['order-1'] })).planId);
    expect(end).toMatchObject({ result: 'done', totals: { notFound: 1, written: 0 } });
    expect(end.note).toContain('ARCHIVE_EMPTY');
    expect(end.next).toContain('point-in-time');
  });
});

describe('what a restore refuses', () => {
  it('is an unknown stream, an unknown plan, a time outside of the window, and fields that nobody knows', async () => {
    expect(await refused(bench.plan({ streams: ['nobody'] }))).toBe('UNKNOWN_STREAM');
    expect(await refused(bench.apply('no-plan'))).toBe('UNKNOWN_PLAN');
    await bench.remove('order-1', 6);
    const future = bench.system.clock.now() + 60_000;
    expect(await refused(bench.plan({ streams: ['order-1'], source: 'point-in-time', restoreTo: future }))).toBe(
      'RESTORE_TIME_OUTSIDE_WINDOW',
    );
    expect(await refused(bench.plan({ streams: ['order-1'], table: 'x' }))).toBe('INVALID_INPUT');
    expect(await refused(bench.plan({ streams: [] }))).toBe('INVALID_INPUT');
  });

  it('is a time before the window of point-in-time recovery; the archive has what is older', async () => {
    await bench.archive();
    await bench.remove('order-1', 5);
    const { clock } = bench.system;
    clock.advance(36 * 24 * 3_600_000);
    const earliest = clock.now() - 35 * 24 * 3_600_000;
    bench.deps.pointInTime.window = async () => ({ earliest, latest: clock.now() });
    const late = bench.plan({ streams: ['order-1'], source: 'point-in-time' });
    await expect(late).rejects.toMatchObject({
      code: 'RESTORE_TIME_OUTSIDE_WINDOW',
      message: expect.stringContaining('archive'),
    });
    expect(await bench.apply((await bench.plan({ streams: ['order-1'] })).planId)).toMatchObject({ result: 'done' });
    expect(await bench.everything()).toEqual(before);
  });

  it('is to overwrite without approval', async () => {
    await bench.archive();
    await bench.change('order-1', 3, { hash: 'x' });
    const damaged = await bench.everything();
    const plan = await bench.plan({ streams: ['order-1'] });
    expect(plan.next).toContain('approvedBy');
    expect(await refused(bench.apply(plan.planId, { approvedBy: undefined }))).toBe('APPROVAL_REQUIRED');
    expect(await bench.everything()).toEqual(damaged);
    expect(await bench.ask({ action: 'status', planId: plan.planId })).toMatchObject({ result: 'planned' });
  });

  it('is to overwrite anything else than what the plan showed', async () => {
    await bench.archive();
    await bench.change('order-1', 3, { hash: 'x' });
    const plan = await bench.plan({ streams: ['order-1'] });
    await bench.change('order-1', 3, { hash: 'y' });
    const damaged = await bench.everything();
    const end = await bench.apply(plan.planId);
    expect(end).toMatchObject({ result: 'done', totals: { stale: 1, written: 0 } });
    expect(end.next).toContain('plan');
    expect(await bench.everything()).toEqual(damaged);
  });

  it.each([
    ['its events', { events: 'somebody else was here' }],
    ['its time', { recordedAt: 7 }],
    ['its hash', { hash: 'other' }],
    ['an attribute that was missing', { encoding: 'json' }],
  ])('is to overwrite an item of which %s changed between the look and the write', async (_what, change) => {
    let isArmed = false;
    const racing: Bench = await createBench({
      around: async (what, call) => {
        const answer = await call();
        if (isArmed && what.startsWith('write quarantine/')) {
          isArmed = false;
          await racing.change('order-1', 3, change);
        }
        return answer;
      },
    });
    await racing.fill({ 'order-1': 4 });
    await racing.archive();
    const { encoding: _, ...broken } = { ...(await racing.item('order-1', 3)), count: 9 };
    await racing.system.dynamo.put({ TableName: 'Events', Item: broken });
    const { planId } = await racing.plan({ streams: ['order-1'] });
    isArmed = true;
    expect(await racing.apply(planId)).toMatchObject({ totals: { stale: 1, written: 0 } });
    expect(await racing.item('order-1', 3)).toMatchObject({ ...broken, ...change });
  });

  it('is to fill a place that somebody else has filled between the look and the write', async () => {
    let isArmed = false;
    const racing: Bench = await createBench({
      around: async (what, call) => {
        if (isArmed && what === 'dynamo transactWrite') {
          const { dynamo } = racing.system;
          const Item = { streamId: 'order-1', version: 3, note: 'somebody else was here' };
          await dynamo.put({ TableName: 'Events', Item, ConditionExpression: 'attribute_not_exists(version)' });
          isArmed = false;
        }
        return call();
      },
    });
    await racing.fill({ 'order-1': 4 });
    await racing.archive();
    await racing.remove('order-1', 3);
    const { planId } = await racing.plan({ streams: ['order-1'] });
    const { recordWrite } = racing.deps.audit;
    racing.deps.audit = {
      ...racing.deps.audit,
      // The next transaction is the one that fills the place.
      recordWrite: (entry) => {
        isArmed = true;
        return recordWrite(entry);
      },
    };
    expect(await racing.apply(planId)).toMatchObject({ totals: { stale: 1, written: 0 } });
    expect(await racing.item('order-1', 3)).toEqual({
      streamId: 'order-1',
      version: 3,
      note: 'somebody else was here',
    });
  });

  it('is a plan that was cancelled', async () => {
    await bench.archive();
    await bench.remove('order-1', 6);
    const { planId } = await bench.plan({ streams: ['order-1'] });
    expect(await bench.ask({ action: 'cancel', planId, requestedBy: 'anna' })).toMatchObject({ result: 'cancelled' });
    expect(await refused(bench.apply(planId))).toBe('PLAN_CANCELLED');
  });

  it('is nothing when nothing is wrong', async () => {
    expect(await bench.plan({ streams: ['order-1', 'order-2'] })).toMatchObject({ result: 'nothing' });
  });
});

describe('a restore', () => {
  it('is in the audit: who asked, who approved, the hash before and after of every item', async () => {
    await bench.archive();
    const { hash } = await bench.item('order-1', 3);
    const { hash: hashOfTwo } = await bench.item('order-1', 2);
    await bench.damage('order-1', 2);
    const damaged = await bench.item('order-1', 2);
    await bench.change('order-1', 3, { hash: 'broken' });
    await bench.remove('order-1', 6);
    await bench.apply((await bench.plan({ streams: ['order-1'] })).planId);
    const audits = await bench.audits();
    expect(audits.map(({ action }) => action).sort()).toEqual([
      'restore-apply',
      'restore-insert',
      'restore-overwrite',
      'restore-overwrite',
      'restore-plan',
    ]);
    const of = (version: number) => audits.find(({ input }) => input.version === version);
    const digest = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(of(2)).toMatchObject({
      requestedBy: 'anna',
      input: { streamId: 'order-1', version: 2, approvedBy: 'berta' },
      outcome: { before: hashCommit(damaged), storedHash: hashOfTwo, digest, after: hashOfTwo },
    });
    expect(of(2)?.outcome.before).not.toBe(hashOfTwo);
    // Its bytes were right, what it said of them was not.
    expect(of(3)?.outcome).toMatchObject({ before: hash, storedHash: 'broken', digest, after: hash });
    expect(of(6)?.outcome).toEqual({ before: 'nothing', after: expect.any(String) });
  });

  it('takes the damaged streams from the findings of the scrub', async () => {
    await bench.archive();
    await bench.remove('order-1', 6);
    const finding = { kind: 'truncated-stream', streamId: 'order-1', status: 'open' };
    const rows = [
      finding,
      { ...finding, streamId: 'order-2', status: 'repaired' },
      { ...finding, kind: 'log-page-damaged', streamId: 'other' },
    ];
    for (const [index, row] of rows.entries())
      await bench.system.dynamo.put({ TableName: 'Recovery', Item: { pk: 'finding', sk: `f${index}`, ...row } });
    expect((await bench.plan()).listed.map(({ streamId }) => streamId)).toEqual(['order-1']);
  });

  it('plans what it can of the findings, and says why of the rest; a stream that is named is refused', async () => {
    await bench.archive();
    await bench.remove('order-1', 6);
    for (const streamId of ['nobody', 'order-1']) {
      const Item = { pk: 'finding', sk: streamId, kind: 'log-mismatch', streamId, status: 'open' };
      await bench.system.dynamo.put({ TableName: 'Recovery', Item });
    }
    const plan = await bench.plan();
    expect(plan.listed.map(({ streamId }) => streamId)).toEqual(['order-1']);
    expect(plan.refused).toMatchObject([{ streamId: 'nobody', code: 'UNKNOWN_STREAM' }]);
    expect(await refused(bench.plan({ streams: ['order-1', 'nobody'] }))).toBe('UNKNOWN_STREAM');
  });

  it('closes the incidents of its streams, and reports checkpoints beyond their end', async () => {
    await bench.archive();
    const { incidents, checkpoints } = bench.deps;
    await incidents.record({
      kind: 'missing-commit',
      streamId: 'order-1',
      version: 6,
      detail: '',
      foundBy: 'relay',
      foundAt: 1,
    });
    await incidents.record({
      kind: 'missing-commit',
      streamId: 'other',
      version: 1,
      detail: '',
      foundBy: 'relay',
      foundAt: 1,
    });
    bench.deps.checkpoints = {
      get: async (key) => {
        const found = await checkpoints.get(key);
        return found && key.streamId === 'order-1' ? { ...found, version: 9 as never } : found;
      },
    };
    await bench.remove('order-1', 6);
    const done = await bench.apply((await bench.plan({ streams: ['order-1'] })).planId);
    expect(done.listed[0]?.checkpointsBeyond).toEqual([{ consumer: 'billing', version: 9 }]);
    const open = [];
    for await (const { kind, streamId } of incidents.open()) open.push([kind, streamId]);
    expect(open).toEqual([
      ['missing-commit', 'other'],
      ['checkpoint-beyond-head', 'order-1'],
    ]);
  });

  it('goes on in the next invocation when the time is over, and answers its status meanwhile', async () => {
    bench.system.clock.advance(2_000);
    await bench.remove('order-1', 6);
    const plan = await bench.plan({ streams: ['order-1'], source: 'point-in-time' });
    const { timers } = bench.deps.world;
    bench.deps.world = { ...bench.deps.world, timers: { sleep: async (_ms) => bench.system.clock.advance(590_000) } };
    expect(await bench.apply(plan.planId)).toMatchObject({
      result: 'fetching',
      next: expect.stringContaining('status'),
    });
    expect(await bench.ask({ action: 'status', planId: plan.planId })).toMatchObject({ result: 'fetching' });
    bench.deps.world = { ...bench.deps.world, timers };
    expect(await bench.ask({ action: 'continue' })).toMatchObject({ restores: [{ result: 'done' }] });
    expect(await bench.everything()).toEqual(before);
    expect(await bench.ask({ action: 'continue' })).toMatchObject({ restores: [] });
  });
});

afterEach(async () => {
  // Whatever happened: no side table is left behind a restore that has ended.
  for await (const _ of bench.deps.rows.unfinished()) return;
  expect(bench.sideTables.size).toBe(0);
});
