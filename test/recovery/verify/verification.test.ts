// A large verification: every stream in exactly one batch, the sums of the batches are those of the whole, and what is missing,
// doubled or another's is refused.

import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type BatchEntry, batchesOf } from '../../../lib/recovery/verify/batches.ts';
import { batchKey, runKey, sumsKey } from '../../../lib/recovery/verify/places.ts';
import type { VerificationDeps } from '../../../lib/recovery/verify/verification.ts';
import {
  addUpVerification,
  BATCHES_MAX,
  splitVerification,
  verifyBatch,
} from '../../../lib/recovery/verify/verification.ts';
import { type VerifyDeps, verify } from '../../../lib/recovery/verify/verify.ts';
import { createSmallSystem, type SmallSystem, TABLES } from '../../support/small-system.ts';
import { inOrder, split, verificationDeps, verifyInBatches } from './in-batches.ts';

const HOUR = 3_600_000;
const tables = {
  events: TABLES.eventsTable,
  log: TABLES.logTable,
  checkpoints: TABLES.checkpointsTable,
  deadLetters: TABLES.deadLettersTable,
  recovery: TABLES.recoveryTable,
};

describe('the batches', () => {
  const bounded = fc.record({
    versions: fc.array(fc.nat({ max: 300 }), { maxLength: 200 }),
    streams: fc.integer({ min: 1, max: 40 }),
    events: fc.integer({ min: 1, max: 500 }),
  });

  it('hold every stream exactly once, in order, and keep the bounds', () => {
    fc.assert(
      fc.property(bounded, ({ versions, ...bounds }) => {
        const streams = versions.map((version, index): BatchEntry => [`s-${index}`, version]);
        const batches = batchesOf(streams, bounds);
        expect(batches.flat()).toEqual(streams);
        for (const batch of batches) {
          const events = batch.reduce((sum, [, version]) => sum + version, 0);
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(bounds.streams);
          expect(events <= bounds.events || batch.length === 1).toBe(true);
        }
      }),
    );
  });
});

const DAMAGES = ['item', 'bytes', 'directory', 'page', 'checkpoint', 'digest', 'letter', 'gap'] as const;
type Damage = (typeof DAMAGES)[number];

async function createSystem(streams: number, poisoned: number): Promise<SmallSystem> {
  const system = await createSmallSystem();
  await system.addConsumer({ name: 'inventory', eventTypes: ['Placed'], effects: 'transactional' });
  await system.addConsumer(
    { name: 'billing', eventTypes: ['Placed', 'Paid'], effects: 'idempotent', maxAttempts: 1 },
    ({ streamId }) => {
      if (streamId === `order-${poisoned}`) throw new Error('poison');
    },
  );
  for (let index = 0; index < streams; index += 1)
    await system.append(`order-${index}`, ['Placed', 'Paid', 'Other'].slice(0, 1 + (index % 3)));
  await system.settle();
  system.clock.advance(HOUR);
  return system;
}

/** Of what belongs to the stream, or the first there is. */
async function plant(system: SmallSystem, damage: Damage, streamId: string): Promise<void> {
  const { dynamo } = system;
  const first = async (table: string, isIt: (item: Record<string, unknown>) => boolean) =>
    (await system.items(table)).find(isIt);
  const change = async (table: string, item: object | undefined, to: object): Promise<void> => {
    if (item !== undefined) await dynamo.put({ TableName: table, Item: { ...item, ...to } });
  };
  const commit = () => first(tables.events, (item) => item.streamId === streamId);
  const checkpoint = () => first(tables.checkpoints, ({ pk }) => pk === `inventory#${streamId}`);
  if (damage === 'item') await dynamo.delete({ TableName: tables.events, Key: { streamId, version: 1 } });
  if (damage === 'bytes') await change(tables.events, await commit(), { recordedAt: 1 });
  if (damage === 'directory')
    await dynamo.delete({ TableName: tables.log, Key: { pk: `stream#${streamId}`, sk: 'head' } });
  if (damage === 'page') {
    const page = await first(tables.log, ({ pk }) => String(pk).startsWith('page#'));
    if (page !== undefined) await dynamo.delete({ TableName: tables.log, Key: { pk: page.pk, sk: page.sk } });
  }
  if (damage === 'checkpoint') await change(tables.checkpoints, await checkpoint(), { version: 7 });
  if (damage === 'digest') await change(tables.checkpoints, await checkpoint(), { resolvedDigest: 'f'.repeat(64) });
  if (damage === 'letter') {
    const letter = await first(tables.deadLetters, () => true);
    if (letter !== undefined) await dynamo.delete({ TableName: tables.deadLetters, Key: { id: letter.id } });
  }
  if (damage === 'gap') {
    await system.append(streamId, ['Placed']).catch(() => undefined);
    await system.settle(() => true);
    system.clock.advance(HOUR);
  }
}

describe('the sums of the batches', () => {
  it('are the verdict of one invocation, whatever is wrong and however it was split', async () => {
    const store = fc.record({
      streams: fc.integer({ min: 2, max: 7 }),
      poisoned: fc.nat({ max: 7 }),
      damages: fc.array(fc.tuple(fc.constantFrom(...DAMAGES), fc.nat({ max: 6 })), { maxLength: 3 }),
      bounds: fc.record({ streams: fc.integer({ min: 1, max: 4 }), events: fc.integer({ min: 1, max: 8 }) }),
      quiet: fc.boolean(),
    });
    let violated = 0;
    await fc.assert(
      fc.asyncProperty(store, async ({ streams, poisoned, damages, bounds, quiet }) => {
        const system = await createSystem(streams, poisoned);
        for (const [damage, stream] of damages) await plant(system, damage, `order-${stream % streams}`);
        const deps = { dynamo: system.dynamo, tables };
        const input = { now: system.clock.now(), quiet };
        const verdict = await verify(deps, input);
        violated += verdict.ok ? 0 : 1;
        expect(inOrder(await verifyInBatches(deps, input, bounds))).toEqual(inOrder(verdict));
      }),
      { numRuns: 60 },
    );
    // The property says something about both.
    expect(violated).toBeGreaterThan(10);
    expect(violated).toBeLessThan(60);
  }, 60_000);
});

describe('a verification in batches', () => {
  let system: SmallSystem;
  let deps: ReturnType<typeof verificationDeps>;
  const input = () => ({ now: system.clock.now() });
  const batchesOfRun = async (of: VerificationDeps, { run, batches }: { run: string; batches: number[] }) => {
    for (const batch of batches) await verifyBatch(of, { run, batch });
  };

  beforeEach(async () => {
    system = await createSystem(5, 9);
    deps = verificationDeps({ dynamo: system.dynamo, tables }, { streams: 2 });
  });

  it('answers the verdict at once, and writes nothing, when everything is one batch', async () => {
    const one = { ...deps, bounds: { streams: 5, events: 100 } };
    expect(await splitVerification(one, input())).toMatchObject({ ok: true, streams: 5, events: 9 });
    expect(deps.files.texts.size).toBe(0);
  });

  it('answers the numbers of its batches, which hold the streams with their versions', async () => {
    const answer = await splitVerification(deps, input());
    expect(answer).toEqual({ run: expect.any(String), streams: 5, batches: [0, 1, 2] });
    const { run } = answer as { run: string };
    const lists = await Promise.all([0, 1, 2].map((batch) => deps.files.read(batchKey(run, batch))));
    expect(lists.flat()).toEqual([
      ['order-0', 1],
      ['order-1', 2],
      ['order-2', 3],
      ['order-3', 1],
      ['order-4', 2],
    ]);
  });

  it('judges every batch by the consumers and the time of the split', async () => {
    const answer = await split(deps, input());
    await system.addConsumer({ name: 'late', eventTypes: ['Placed'], effects: 'idempotent' });
    await system.append('order-0', ['Placed']);
    await system.settle(() => true);
    system.clock.advance(HOUR);
    await batchesOfRun(deps, answer);
    const { verdict } = await addUpVerification(deps, answer);
    expect(verdict.consumers.map(({ consumer }) => consumer)).toEqual(['billing', 'inventory']);
    // Appended after the split: it is on its way, however long the batches take.
    expect(verdict).toMatchObject({ ok: true, events: 10 });
    expect(verdict.consumers[0]?.conservation).toMatchObject({ appended: 10, lagging: 1, gap: 0 });
  });

  it('reads of the log only what came since, when it looks at a stream again', async () => {
    await system.dynamo.delete({ TableName: tables.events, Key: { streamId: 'order-3', version: 1 } });
    const since: unknown[] = [];
    const dynamo: typeof system.dynamo = {
      ...system.dynamo,
      query: async (request) => {
        const { ':key': key, ':since': from } = request.ExpressionAttributeValues ?? {};
        if (String(key).startsWith('page#')) since.push(`${key} ${from ?? 'all'}`);
        return system.dynamo.query(request);
      },
    };
    expect((await verify({ dynamo, tables }, input())).ok).toBe(false);
    expect(since).toEqual(['page#0#0 all', 'page#0#1 all', 'page#0#0 0000000000000010']);
  });

  it('reads one by one what a request for many items leaves undone', async () => {
    let undone = 0;
    const dynamo: typeof system.dynamo = {
      ...system.dynamo,
      batchGet: async ({ RequestItems = {} }) => {
        const [[table = '', { Keys = [], ...how } = {}] = []] = Object.entries(RequestItems);
        undone += Keys.length - 1;
        const answer = await system.dynamo.batchGet({ RequestItems: { [table]: { ...how, Keys: Keys.slice(0, 1) } } });
        return { ...answer, UnprocessedKeys: { [table]: { ...how, Keys: Keys.slice(1) } } };
      },
    };
    const whole = await verify({ dynamo: system.dynamo, tables }, input());
    expect(inOrder(await verify({ dynamo, tables }, input()))).toEqual(inOrder(whole));
    expect(whole).toMatchObject({ ok: true, consumers: [{ digestsChecked: 5 }, { digestsChecked: 5 }] });
    // All but the first of five directory items and of ten checkpoints.
    expect(undone).toBe(13);
  });

  it('is not complete when the boxes of one stream of one batch do not add up', async () => {
    const answer = await split(deps, input());
    await batchesOfRun(deps, answer);
    const key = sumsKey(answer.run, 1);
    const read = (await deps.files.read(key)) as { sums: object };
    await deps.files.write(key, { ...read, sums: { ...read.sums, unbalanced: 1 } });
    expect((await addUpVerification(deps, answer)).verdict).toMatchObject({ ok: false, violationCount: 0 });
  });

  it('demands quiet, and lists violations, as the split was told', async () => {
    await system.append('order-0', ['Placed']);
    await system.settle(() => true);
    const answer = await splitVerification(deps, { ...input(), quiet: true, listed: 7 });
    await batchesOfRun(deps, answer as never);
    expect(await addUpVerification(deps, answer as never)).toMatchObject({ verdict: { ok: false }, listed: 7 });
  });

  it('counts a batch that was verified twice once', async () => {
    const answer = await split(deps, input());
    await batchesOfRun(deps, answer);
    await verifyBatch(deps, { run: answer.run, batch: 1 });
    expect((await addUpVerification(deps, answer)).verdict).toMatchObject({ ok: true, streams: 5, events: 9 });
  });

  it.each<[string, (run: string, other: string) => Promise<void>, RegExp]>([
    [
      'a batch whose sums are missing',
      async (run) => void deps.files.texts.delete(sumsKey(run, 1)),
      /batch 1 of verification "[^"]*" has no sums/,
    ],
    [
      'a batch that is there twice, in the place of another one',
      async (run) => deps.files.write(sumsKey(run, 1), await deps.files.read(sumsKey(run, 0))),
      /has the sums of batch 0/,
    ],
    [
      'a batch of another verification',
      async (run, other) => deps.files.write(sumsKey(run, 1), await deps.files.read(sumsKey(other, 1))),
      /has the sums of batch 1 of verification "/,
    ],
    [
      'a batch that was verified in part',
      async (run) => {
        const [first] = (await deps.files.read(batchKey(run, 1))) as BatchEntry[];
        await deps.files.write(batchKey(run, 1), [first]);
        await verifyBatch(deps, { run, batch: 1 });
      },
      /has the sums of 1 streams, and consists of 2/,
    ],
  ])('refuses %s', async (_what, damage, message) => {
    const [answer, other] = [await split(deps, input()), await split(deps, input())];
    await batchesOfRun(deps, answer);
    await batchesOfRun(deps, other);
    expect((await addUpVerification(deps, answer)).verdict.ok).toBe(true);
    await damage(answer.run, other.run);
    await expect(addUpVerification(deps, answer)).rejects.toMatchObject({
      code: 'VERIFICATION_INCOMPLETE',
      retryable: false,
      message: expect.stringMatching(message),
    });
  });

  it('refuses a verification that it does not know, and a batch without streams', async () => {
    const { run } = await split(deps, input());
    const unknown = { code: 'VERIFICATION_UNKNOWN' };
    await expect(verifyBatch(deps, { run: 'nobody', batch: 0 })).rejects.toMatchObject(unknown);
    await expect(addUpVerification(deps, { run: 'nobody' })).rejects.toMatchObject(unknown);
    await expect(verifyBatch(deps, { run, batch: 3 })).rejects.toMatchObject({ code: 'VERIFICATION_INCOMPLETE' });
    await deps.files.write(runKey('copied'), await deps.files.read(runKey(run)));
    await expect(addUpVerification(deps, { run: 'copied' })).rejects.toMatchObject(unknown);
  });

  it('answers batch numbers that have room in a state, and refuses to make more', async () => {
    const add = (index: number) =>
      system.dynamo.put({ TableName: tables.log, Item: { pk: `stream#z-${index}`, sk: 'head', version: 1 } });
    for (let index = 0; index < BATCHES_MAX - 5; index += 1) await add(index);
    const one = { ...deps, bounds: { streams: 1, events: 1 } };
    const answer = await split(one, input());
    expect(answer.batches).toHaveLength(BATCHES_MAX);
    // The share of a verdict in the document of a recovery (lib/recovery/recover/fit.ts).
    expect(JSON.stringify(answer).length).toBeLessThan(54 * 1_024);
    await add(BATCHES_MAX);
    await expect(splitVerification(one, input())).rejects.toMatchObject({ code: 'VERIFICATION_TOO_LARGE' });
  });

  it('asks about a consumer as a whole once, after all batches', async () => {
    const asked: string[] = [];
    const questions: VerifyDeps['questions'] = {
      ask: async (name, { streams, whole = false }) => {
        asked.push(whole ? 'whole' : streams.map(({ streamId }) => streamId).join());
        return system.questions.ask(name, {
          kind: 'verify-effects',
          format: 1,
          consumer: name,
          streams,
          whole,
        } as never);
      },
    };
    await system.addConsumer({ name: 'inventory', eventTypes: ['Placed'], effects: 'transactional' }, undefined, {
      verify: async ({ events }) => {
        for await (const _ of events);
        return [];
      },
      verifyWhole: async () => [],
    });
    const answer = await split({ ...deps, questions }, input());
    await batchesOfRun({ ...deps, questions }, answer);
    const { verdict } = await addUpVerification({ ...deps, questions }, answer);
    expect(asked).toEqual(['order-0,order-1', 'order-2,order-3', 'order-4', 'whole']);
    expect(verdict.consumers[1]).toMatchObject({ effects: { status: 'verified', streams: 5 } });
  });

  it('asks all consumers at the same time, about streams as well as about the whole', async () => {
    const most = { streams: 0, whole: 0 };
    const inFlight = { streams: 0, whole: 0 };
    const questions: VerifyDeps['questions'] = {
      ask: async (_name, { streams, whole }) => {
        const kind = whole ? 'whole' : 'streams';
        inFlight[kind] += 1;
        most[kind] = Math.max(most[kind], inFlight[kind]);
        await new Promise(setImmediate);
        inFlight[kind] -= 1;
        const nothing = { events: 0, violations: [], violationCount: 0 };
        return { format: 1, checked: streams.length, wholeChecked: whole === true, ...nothing };
      },
    };
    for (const name of ['inventory', 'billing'])
      await system.addConsumer({ name, eventTypes: ['Placed'], effects: 'idempotent' }, undefined, {
        verify: async () => [],
      });
    expect((await verify({ dynamo: system.dynamo, tables, questions }, input())).ok).toBe(true);
    expect(most).toEqual({ streams: 2, whole: 2 });
  });
});
