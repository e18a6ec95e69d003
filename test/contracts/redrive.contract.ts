// What a redrive promises, whatever engine is behind the tables: dry runs, canary, order, rounds, races, discards, bad input.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { redrive } from '../../lib/recovery/redrive/redrive.ts';
import { type Bench, createBench } from '../recovery/redrive/support.ts';
import type { Engine } from '../support/engines.ts';

export function redriveContract(engine: Engine): void {
  let bench: Bench;
  const opened: Bench[] = [];
  const open = async (onPoison: 'park' | 'skip'): Promise<Bench> => {
    const made = await createBench({ engine, onPoison });
    opened.push(made);
    return made;
  };
  beforeEach(async () => {
    bench = await open('park');
  });
  afterEach(async () => {
    for (const made of opened.splice(0)) await made.system.close();
  });

  const ALL = { action: 'redrive', selection: { consumer: 'billing' } };

  describe('a dry run', () => {
    it('answers with the exact count, streams and order, and changes nothing', async () => {
      await bench.fill({ 'order-2': 2, 'order-1': 3 }, 'order-2@1', 'order-1@2');
      const before = await bench.system.items('Recovery');
      expect(await bench.ask(ALL)).toMatchObject({
        result: 'would',
        count: 2,
        streams: 2,
        listed: [
          { streamId: 'order-2', version: 1, how: 'un-park', rounds: 0 },
          { streamId: 'order-1', version: 2, how: 'un-park' },
        ],
        next: expect.stringMatching(/^\{ "action": "start", "planId": ".+", "dryRun": false \}$/),
      });
      const after = (await bench.system.items('Recovery')).filter(({ pk }) => !String(pk).startsWith('plan'));
      expect(after).toEqual(before);
      expect(await bench.letters('parked')).toHaveLength(2);
    });

    it.each([
      ['event id', { eventId: 'order-1-2' }, 1],
      ['dead letter id', { id: 'billing#1#2#order-1' }, 1],
      ['type', { eventType: 'Placed' }, 2],
      ['another type', { eventType: 'Paid' }, 0],
      ['time', { consumer: 'billing', failedFrom: Date.UTC(2030, 0, 1) }, 0],
    ])('selects by %s', async (_by, selection, count) => {
      await bench.fill({ 'order-1': 3, 'order-2': 2 }, 'order-1@2', 'order-2@1');
      expect(await bench.ask({ action: 'redrive', selection })).toMatchObject({ count });
    });

    it('binds the real request to what it saw', async () => {
      await bench.fill({ 'order-1': 3, 'order-2': 2 }, 'order-1@2', 'order-2@1');
      const { plan } = await bench.ask(ALL);
      await bench.fill({ 'order-3': 1 }, 'order-3@1');
      bench.poison.clear();
      const start = { action: 'start', planId: plan?.id, dryRun: false };
      await expect(bench.ask(start)).rejects.toMatchObject({ code: 'PLAN_STALE', facts: { deadLetters: 3 } });
      expect(await bench.letters('parked')).toHaveLength(3);
      expect(await bench.ask({ ...start, replan: true })).toMatchObject({ result: 'done', count: 3 });
    });

    it('selects by fingerprint', async () => {
      await bench.fill({ 'order-1': 3, 'order-2': 2 }, 'order-1@2', 'order-2@1');
      const fingerprint = (await bench.letters())[0]?.fingerprint;
      expect(await bench.ask({ action: 'redrive', selection: { fingerprint } })).toMatchObject({ count: 2 });
      expect(await bench.ask({ action: 'redrive', selection: { fingerprint: 'other' } })).toMatchObject({ count: 0 });
    });
  });

  describe('a redrive', () => {
    it('gives the canary back first, then the rest, and the events that waited follow in order', async () => {
      await bench.fill({ 'order-1': 4, 'order-2': 3 }, 'order-1@2', 'order-2@1');
      await bench.expectProved({ parked: 2, waiting: 4 });
      bench.poison.clear();
      const answer = await bench.go();
      expect(answer).toMatchObject({ result: 'done', count: 2, runs: [{ status: 'done', done: 2, changed: 0 }] });
      await bench.system.settle();
      expect(bench.effectsOf('order-1')).toEqual(['order-1@1', 'order-1@2', 'order-1@3', 'order-1@4']);
      expect(bench.effectsOf('order-2')).toEqual(['order-2@1', 'order-2@2', 'order-2@3']);
      expect(await bench.letters('resolved')).toHaveLength(2);
      await bench.expectProved({ resolved: 7, parked: 0, waiting: 0 });
    });

    it('stops when the canary fails again: the rest stays parked and uses up no round', async () => {
      await bench.fill({ 'order-1': 2, 'order-2': 2, 'order-3': 2 }, 'order-1@1', 'order-2@1', 'order-3@1');
      const answer = await bench.go();
      expect(answer.result).toBe('failed');
      expect(answer.runs[0]?.note).toMatch(/canary billing#1#1#order-1 failed again: Error: cannot bill/);
      expect((await bench.letters('parked')).map(({ streamId, rounds }) => [streamId, rounds]).sort()).toEqual([
        ['order-1', 1],
        ['order-2', 0],
        ['order-3', 0],
      ]);
      await bench.expectProved({ parked: 3, waiting: 3 });
    });

    it('writes un-park, status, open gap and audit together before anything is sent', async () => {
      await bench.fill({ 'order-1': 3 }, 'order-1@2');
      bench.onPause(async () => undefined);
      await bench.go();
      expect(await bench.system.checkpoint('billing', 'order-1')).toMatchObject({ redriving: { decision: 'retry' } });
      expect(await bench.openGaps.get('billing' as never, 'order-1' as never)).toMatchObject({
        from: 2,
        to: 3,
        reason: 'redrive',
      });
      const month = new Date(bench.system.clock.now()).toISOString().slice(0, 7);
      const entries = await bench.audit.list(month, 10);
      expect(
        entries.map(({ action, requestedBy, reason, requestId }) => [action, requestedBy, reason, requestId]),
      ).toEqual(expect.arrayContaining([['redrive', 'anna', 'fixed', 'request-1']]));
      expect(entries.map(({ input }) => input)).toContainEqual(
        expect.objectContaining({ deadLetterId: 'billing#1#2#order-1', version: 2 }),
      );
      expect(bench.system.queued('billing')).toMatchObject([
        { kind: 'wake-up', reason: 'redrive', version: 3, correlationId: expect.any(String) },
      ]);
    });

    it('gives back up to what a scan has recorded, also where no delivery has told the checkpoint', async () => {
      await bench.fill({ 'order-1': 2 }, 'order-1@2');
      const gap = { consumer: 'billing' as never, streamId: 'order-1' as never, from: 2 as never, to: 5 as never };
      await bench.openGaps.seen(gap, bench.system.clock.now());
      bench.onPause(async () => undefined);
      await bench.go();
      expect(await bench.openGaps.get(gap.consumer, gap.streamId)).toMatchObject({ from: 2, to: 5, reason: 'redrive' });
      expect(bench.system.queued('billing')).toMatchObject([{ kind: 'wake-up', reason: 'redrive', version: 5 }]);
    });

    it('keeps to its rate', async () => {
      await bench.fill(
        { 'order-1': 1, 'order-2': 1, 'order-3': 1, 'order-4': 1 },
        'order-1@1',
        'order-2@1',
        'order-3@1',
      );
      bench.poison.clear();
      const before = bench.system.clock.now();
      await bench.go({ canary: false, ratePerSecond: 0.5 });
      expect(bench.system.clock.now() - before).toBe(6_000);
    });

    it('answers after 20 seconds and is gone on with by the schedule', async () => {
      const streams = Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`order-${n}`, 2]));
      await bench.fill(streams, ...Object.keys(streams).map((stream) => `${stream}@1`));
      bench.poison.clear();
      const answer = await bench.go({ ratePerSecond: 0.5 });
      expect(answer).toMatchObject({ result: 'running', count: 15, next: expect.stringContaining('"status"') });
      expect(answer.runs[0]?.done).toBeLessThan(15);
      await bench.finish();
      expect(await bench.runs.get(answer.runs[0]?.id as string)).toMatchObject({ status: 'done', done: 15 });
      await bench.expectProved({ resolved: 30, parked: 0 });
    });

    it('stops when told, stays stopped, and resumes where it was', async () => {
      const streams = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`order-${n}`, 2]));
      await bench.fill(streams, ...Object.keys(streams).map((stream) => `${stream}@1`));
      bench.poison.clear();
      let pauses = 0;
      bench.onPause(async () => {
        pauses += 1;
        await bench.system.settle();
        if (pauses !== 5) return;
        for await (const { id } of bench.runs.unfinished()) {
          await bench.ask({ action: 'stop', runId: id, requestedBy: 'ben', reason: 'lunch' });
        }
      });
      const answer = await bench.go({ ratePerSecond: 100 });
      const runId = answer.runs[0]?.id as string;
      expect(answer.result).toBe('stopped');
      expect(answer.runs[0]?.note).toBe('stop by ben: lunch');
      const { done } = (await bench.runs.get(runId)) ?? { done: 0 };
      expect(done).toBeLessThan(30);
      await bench.ask({ action: 'continue' });
      expect(await bench.runs.get(runId)).toMatchObject({ status: 'stopped', done });
      expect(await bench.ask({ action: 'resume', runId, reason: 'back' })).toMatchObject({ result: 'done' });
      await bench.system.settle();
      expect(await bench.runs.get(runId)).toMatchObject({ status: 'done', done: 30, changed: 0 });
      await bench.expectProved({ resolved: 60 });
    });

    it('is stopped and resumed together with the audit of it, or not at all; what came too late is audited as such', async () => {
      await bench.fill({ 'order-1': 1 }, 'order-1@1');
      bench.onPause(async () => undefined);
      const runId = (await bench.go()).runs[0]?.id as string;
      const { audit } = bench.deps;
      const about = { runId, requestedBy: 'ben', reason: 'lunch' };
      bench.deps.audit = { ...audit, record: () => Promise.reject(new Error('the function died')) };
      await bench.ask({ action: 'stop', ...about });
      await expect(bench.ask({ action: 'stop', ...about })).rejects.toThrow('the function died');
      bench.deps.audit = audit;
      await bench.ask({ action: 'stop', ...about });
      bench.poison.clear();
      bench.onPause(() => bench.system.settle());
      expect(await bench.ask({ action: 'resume', ...about })).toMatchObject({ result: 'done' });
      const rows = (await bench.system.items('Recovery')).filter(({ pk }) => String(pk).startsWith('audit#'));
      const said = rows.map(({ action, outcome }) => [action, (outcome as { changed?: boolean }).changed]);
      expect(said.filter(([action]) => String(action).startsWith('redrive-')).sort()).toEqual([
        ['redrive-resume', true],
        ['redrive-stop', false],
        ['redrive-stop', true],
      ]);
    });

    it('gives a dead letter back three times, then only with force and a reason', async () => {
      await bench.fill({ 'order-1': 2 }, 'order-1@1');
      for (const rounds of [1, 2, 3]) {
        await bench.go();
        expect(await bench.letters('parked')).toMatchObject([{ rounds }]);
      }
      expect(await bench.go()).toMatchObject({
        result: 'nothing',
        count: 0,
        exhausted: 1,
        next: expect.stringContaining('"force": true'),
      });
      await expect(bench.ask({ ...ALL, force: true })).rejects.toMatchObject({ code: 'REASON_REQUIRED' });
      bench.poison.clear();
      expect(await bench.go({ force: true, reason: 'the bank is back' })).toMatchObject({ result: 'done', count: 1 });
      await bench.expectProved({ resolved: 2 });
    });

    it('goes on with the next ones when there are more than are selected at once, but not with what failed later', async () => {
      bench.deps.selectedMax = 2;
      const failing = [1, 2, 3, 4, 5].map((n) => `order-${n}@1`);
      await bench.fill({ 'order-1': 1, 'order-2': 1, 'order-3': 1, 'order-4': 1, 'order-5': 1 }, ...failing);
      const { truncated, count, plan } = await bench.ask(ALL);
      expect({ truncated, count }).toEqual({ truncated: true, count: 2 });
      bench.system.clock.advance(1_000);
      await bench.fill({ 'order-6': 1 }, 'order-6@1');
      bench.poison.clear();
      const answer = await bench.ask({ action: 'start', planId: plan?.id, dryRun: false, requestedBy: 'anna' });
      expect(answer).toMatchObject({ result: 'done', runs: [{ done: 5 }] });
      await bench.system.settle();
      expect((await bench.letters('parked')).map(({ streamId }) => streamId)).toEqual(['order-6']);
    });

    it('finds what can be given back behind any number of those whose rounds are used up', async () => {
      bench.deps.selectedMax = 2;
      await bench.fill({ 'order-1': 1, 'order-2': 1, 'order-3': 1 }, 'order-1@1', 'order-2@1', 'order-3@1');
      for (let round = 1; round <= 3; round++) {
        for (const { id } of await bench.letters('parked')) await bench.go({ selection: { id }, canary: false });
        await bench.system.settle();
      }
      await bench.fill({ 'order-4': 1 }, 'order-4@1');
      bench.poison.clear();
      expect(await bench.ask(ALL)).toMatchObject({ count: 1, exhausted: 3, truncated: false });
      expect(await bench.go()).toMatchObject({ result: 'done', count: 1, exhausted: 3 });
      expect(bench.effectsDone).toEqual(['order-4@1']);
    });

    it('that is one of many gets its worker, however many are worked on by others', async () => {
      const streams = Array.from({ length: 12 }, (_, n) => `order-${n}`);
      await bench.fill(Object.fromEntries(streams.map((id) => [id, 1])), ...streams.map((id) => `${id}@1`));
      bench.poison.clear();
      const { leases, world } = bench.deps;
      const { acquire } = leases;
      leases.acquire = async () => ({ kind: 'held' }) as never;
      const runs: string[] = [];
      for (const { id } of await bench.letters('parked')) {
        const answer = await bench.go({ selection: { id }, canary: false });
        runs.push(answer.runs[0]?.id as string);
      }
      leases.acquire = acquire;
      const [last, ...others] = runs.toSorted().reverse();
      for (const id of others) await acquire(`redrive#${id}`, 'another', world.clock.now(), 600_000);
      await bench.ask({ action: 'continue' });
      expect((await bench.ask({ action: 'status', runId: last })).result).toBe('done');
      expect(await bench.letters('parked')).toHaveLength(11);
    });

    it('does not wait for ever for a canary that gives no answer: the rest stays parked', async () => {
      await bench.fill({ 'order-1': 1, 'order-2': 1 }, 'order-1@1', 'order-2@1');
      bench.onPause(async () => undefined);
      const [begun] = (await bench.go()).runs;
      const status = async () => (await bench.ask({ action: 'status', runId: begun?.id })).runs[0];
      const waitUntil = async (ms: number) => {
        bench.system.clock.advance(ms);
        await bench.ask({ action: 'continue' }, 10_000);
      };
      await waitUntil(14 * 60_000);
      expect(await status()).toMatchObject({ status: 'canary' });
      await waitUntil(2 * 60_000);
      expect(await status()).toMatchObject({ status: 'failed', note: expect.stringContaining('no answer') });
      expect(await bench.letters()).toMatchObject([
        { status: 'redriving', rounds: 1 },
        { status: 'parked', rounds: 0 },
      ]);
      await bench.ask({ action: 'continue' });
      expect(await bench.letters('parked')).toHaveLength(1);
    });

    it.each([
      ['redrive', 'before'],
      ['redrive', 'after'],
      ['discard', 'before'],
      ['discard', 'after'],
    ])(
      'a %s meets a rewind that was asked for %s it: the rewind decides, and every event is reacted to in order',
      async (action, when) => {
        const { system } = bench;
        await bench.fill({ 'order-1': 3 }, 'order-1@2');
        bench.poison.clear();
        const rewind = async () => {
          const request = { requestId: 'replay-1', to: 0, requestedAt: system.clock.now() };
          const key = { consumer: 'billing' as never, streamId: 'order-1' as never };
          expect(await system.checkpoints.requestRewind(key, request as never)).toMatchObject({ kind: 'requested' });
        };
        const give = () =>
          bench.ask({
            ...ALL,
            action,
            dryRun: false,
            requestedBy: 'anna',
            reason: 'both at once',
            ...(action === 'redrive' && { canary: false }),
          });
        bench.onPause(async () => undefined);
        if (when === 'before') await rewind();
        await give();
        if (when === 'after') await rewind();
        await system.settle();
        expect(bench.effectsOf('order-1')).toEqual(['order-1@1', 'order-1@1', 'order-1@2', 'order-1@3']);
        expect(await bench.letters('parked')).toEqual([]);
        await bench.expectProved({ resolved: 3 });
      },
    );

    it('does nothing for a dead letter that is resolved already', async () => {
      await bench.fill({ 'order-1': 2 }, 'order-1@1');
      bench.poison.clear();
      await bench.go();
      await bench.system.settle();
      const done = [...bench.effectsDone];
      expect(await bench.go({ selection: { id: 'billing#1#1#order-1' } })).toMatchObject({
        result: 'nothing',
        count: 0,
      });
      expect(await bench.go({ selection: { eventId: 'order-1-1' } })).toMatchObject({ result: 'nothing', count: 0 });
      await bench.system.settle();
      expect(bench.effectsDone).toEqual(done);
    });

    it('lets events that arrive meanwhile wait their turn', async () => {
      await bench.fill({ 'order-1': 3 }, 'order-1@2');
      bench.poison.clear();
      bench.onPause(async () => undefined);
      await bench.go();
      await bench.system.append('order-1', ['Placed', 'Paid']);
      await bench.system.relay();
      bench.system.deliver();
      await bench.system.settle();
      expect(bench.effectsOf('order-1')).toEqual([1, 2, 3, 4, 5].map((version) => `order-1@${version}`));
      await bench.finish();
      await bench.expectProved({ resolved: 5 });
    });

    it('is one redrive when two are asked for at once', async () => {
      await bench.fill({ 'order-1': 3, 'order-2': 2 }, 'order-1@2', 'order-2@1');
      bench.poison.clear();
      await Promise.all([bench.go({ canary: false }), bench.go({ canary: false })]);
      await bench.system.settle();
      expect(bench.effectsOf('order-1')).toEqual(['order-1@1', 'order-1@2', 'order-1@3']);
      expect((await bench.letters()).map(({ rounds, status }) => [rounds, status])).toEqual([
        [1, 'resolved'],
        [1, 'resolved'],
      ]);
      await bench.expectProved({ resolved: 5 });
    });
  });

  describe('skipped events', () => {
    beforeEach(async () => {
      bench = await open('skip');
      await bench.fill({ 'order-1': 3 }, 'order-1@2');
    });

    it('are delivered again once, and keep their place in the digest', async () => {
      expect(await bench.ask(ALL)).toMatchObject({ listed: [{ how: 'redeliver' }] });
      bench.poison.clear();
      await Promise.all([bench.go({ canary: false }), bench.go({ canary: false })]);
      await bench.system.settle();
      expect(bench.effectsDone).toEqual(['order-1@1', 'order-1@3', 'order-1@2']);
      expect(await bench.letters('resolved')).toMatchObject([{ passedAs: 'skipped' }]);
      await bench.expectProved({ resolved: 3, skipped: 0 });
    });

    it('that fail again are skipped again, and the canary says so', async () => {
      expect(await bench.go()).toMatchObject({ result: 'failed' });
      expect(await bench.letters('skipped')).toMatchObject([{ version: 2 }]);
      bench.poison.clear();
      expect(await bench.go()).toMatchObject({ result: 'done' });
      expect(await bench.letters('resolved')).toHaveLength(1);
      await bench.expectProved({ resolved: 3 });
    });

    it('are audited also when the consumer was faster than their row', async () => {
      const { system } = bench;
      await bench.fill({ 'order-1': 2 }, 'order-1@1');
      bench.poison.clear();
      const send: typeof system.wakeUps.send = async (...sent) => {
        await system.wakeUps.send(...sent);
        await system.settle();
      };
      await redrive(
        { ...bench.deps, wakeUps: { send } },
        { action: 'redrive', selection: { consumer: 'billing' }, dryRun: false, canary: false, requestedBy: 'anna' },
        { remainingMs: () => 60_000, requestId: 'request-1' },
      );
      expect(await bench.letters('resolved')).toHaveLength(1);
      const audit = (await system.items('Recovery')).filter(({ pk }) => String(pk).startsWith('audit#'));
      const ofTheLetter = audit.filter(({ input }) => (input as { deadLetterId?: string }).deadLetterId !== undefined);
      expect(ofTheLetter).toMatchObject([{ action: 'redrive', requestedBy: 'anna', requestId: 'request-1' }]);
    });

    it('can be discarded', async () => {
      const discard = { action: 'discard', selection: { consumer: 'billing' }, dryRun: false, reason: 'a test order' };
      expect(await bench.ask(discard)).toMatchObject({ result: 'done', count: 1 });
      expect(await bench.letters('discarded')).toMatchObject([{ discardReason: 'a test order', passedAs: 'skipped' }]);
      await bench.expectProved({ skipped: 1 });
    });
  });

  describe('a discard', () => {
    it('passes the event without a react, and the stream goes on in order', async () => {
      await bench.fill({ 'order-1': 3 }, 'order-1@2');
      const answer = await bench.ask({
        action: 'discard',
        selection: { eventId: 'order-1-2' },
        dryRun: false,
        requestedBy: 'anna',
        reason: 'a test order',
      });
      expect(answer).toMatchObject({ result: 'done', count: 1 });
      await bench.system.settle();
      expect(bench.effectsOf('order-1')).toEqual(['order-1@1', 'order-1@3']);
      expect(await bench.letters()).toMatchObject([
        { status: 'discarded', passedAs: 'discarded', discardReason: 'a test order' },
      ]);
      await bench.expectProved({ resolved: 2, discarded: 1 });
    });

    it('needs a reason', async () => {
      await expect(bench.ask({ action: 'discard', selection: { consumer: 'billing' } })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      });
    });
  });

  describe('bad input', () => {
    it.each([
      ['nothing', undefined, 'INVALID_INPUT'],
      ['an unknown action', { action: 'retry' }, 'INVALID_INPUT'],
      ['an unknown field', { ...ALL, dryrun: false }, 'INVALID_INPUT'],
      ['an empty selection', { action: 'redrive', selection: {} }, 'EMPTY_SELECTION'],
      [
        'an unknown dead letter',
        { action: 'redrive', selection: { id: 'billing#1#9#order-9' } },
        'UNKNOWN_DEAD_LETTER',
      ],
      ['an unknown event', { action: 'redrive', selection: { eventId: 'nobody' } }, 'UNKNOWN_DEAD_LETTER'],
      ['an unknown consumer', { action: 'redrive', selection: { consumer: 'nobody' } }, 'UNKNOWN_CONSUMER'],
      ['an unknown run', { action: 'stop', runId: 'none' }, 'UNKNOWN_RUN'],
      ['a rate of 0', { ...ALL, ratePerSecond: 0 }, 'INVALID_INPUT'],
    ])('refuses %s with a code and writes nothing', async (_what, input, code) => {
      const before = await bench.system.items('Recovery');
      await expect(bench.ask(input)).rejects.toMatchObject({ code });
      expect(await bench.system.items('Recovery')).toEqual(before);
    });

    it('refuses a consumer that is not deployed, and leaves its dead letters out of other selections', async () => {
      await bench.fill({ 'order-1': 2 }, 'order-1@1');
      await bench.system.registry.retire('billing' as never, 'test', bench.system.clock.now());
      await expect(bench.go()).rejects.toMatchObject({ code: 'CONSUMER_NOT_DEPLOYED' });
      expect(await bench.go({ selection: { eventType: 'Placed' } })).toMatchObject({
        result: 'nothing',
        count: 0,
        undeployed: 1,
      });
      expect(await bench.letters('parked')).toHaveLength(1);
    });
  });
}
