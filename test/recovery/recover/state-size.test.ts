// The document that travels through the state machine stays below the 256 KiB of a state, however much is wrong, and what is not
// in it is counted or comes in a later round.

import { describe, expect, it } from '@jest/globals';
import { VERDICT } from '../../../lib/infra/constructs/recovery/workflow-task.ts';
import type { RegisteredConsumer } from '../../../lib/model/consumer.ts';
import type { DeadLetter } from '../../../lib/model/dead-letter.ts';
import type { OpenGap } from '../../../lib/recovery/gap/open-gaps.ts';
import type { Leases } from '../../../lib/recovery/lease/leases.ts';
import { noSigns } from '../../../lib/recovery/recover/aws-signs.ts';
import { CONSUMERS_MAX } from '../../../lib/recovery/recover/input.ts';
import { currentJob, type Repair } from '../../../lib/recovery/recover/jobs.ts';
import { listedViolations } from '../../../lib/recovery/recover/listed-violations.ts';
import { EARLIER, type Progress } from '../../../lib/recovery/recover/progress.ts';
import { beginRecovery, lookAgain, type RecoverDeps } from '../../../lib/recovery/recover/recover.ts';
import type { Violation } from '../../../lib/recovery/verify/types.ts';
import { createTestWorld } from '../../support/world.ts';
import { travelled } from './support.ts';

/** Longest consumer name, stream id and execution name. */
const consumerNamed = (index: number): string => `consumer-${String(index).padStart(39, '0')}`;
const streamNamed = (index: number): string => `order-${String(index).padStart(250, '0')}`;
const RECOVERY_ID = 'r'.repeat(80);

interface Wrong {
  consumers: number;
  /** Streams with gaps, of each consumer. */
  streams: number;
  /** Dead letters of each consumer, every one with another cause. */
  letters?: number;
}

function createSystem({ consumers, streams, letters = 0 }: Wrong) {
  const world = createTestWorld();
  const names = Array.from({ length: consumers }, (_, index) => consumerNamed(index));
  const row = (consumer: string, index: number) =>
    ({ consumer, streamId: streamNamed(index), from: 1, to: 2, openedAt: 0, tries: 0 }) as unknown as OpenGap;
  const open = new Map(names.map((name) => [name, Array.from({ length: streams }, (_, index) => row(name, index))]));
  const scanned = (consumer: string) => ({ consumer, state: 'gaps', gapEvents: 0, lagEvents: 0, gaps: undefined });
  const leases = {
    acquire: async (name: string, owner: string) => ({ kind: 'acquired', name, owner, token: 1 }),
    renew: async () => true,
  } as unknown as Leases;
  const deps: RecoverDeps = {
    world,
    leases,
    signs: noSigns,
    scans: { results: async () => [{ startedAt: world.clock.now(), consumers: names.map(scanned) } as never] },
    findings: { open: async () => [] },
    queues: { messages: async () => 0 },
    registry: {
      list: async () =>
        names.map((name) => ({ name, status: 'active', queueUrl: 'queue' }) as unknown as RegisteredConsumer),
    },
    openGaps: {
      async *list(consumer) {
        yield* open.get(consumer) ?? [];
      },
    },
    deadLetters: {
      async *list(filter) {
        for (let index = 0; index < letters; index++) {
          if (filter?.status !== 'parked') return;
          yield {
            consumer: filter.consumer,
            streamId: streamNamed(index),
            fingerprint: `f${index}`,
            error: { name: 'E'.repeat(200) },
            rounds: 0,
          } as unknown as DeadLetter;
        }
      },
    } as RecoverDeps['deadLetters'],
  };
  return {
    deps,
    names,
    left: () => [...open.values()].flat().length,
    /** What the state FillGaps does. */
    fill({ batches }: Progress): void {
      for (const { consumer, from, to } of batches) {
        const rows = open.get(consumer) ?? [];
        open.set(
          consumer,
          rows.filter(({ streamId }) => streamId < from || streamId > to),
        );
      }
    },
  };
}

const manyViolations = (consumer: string | undefined): Violation[] =>
  Array.from({ length: 1_000 }, (_, index) => ({
    kind: 'dead-letter-without-park',
    consumer,
    streamId: streamNamed(index),
    version: 1e9,
    detail: 'd'.repeat(250),
  }));

/** As the state machine has it when it reports: the document, and both verdicts at their longest. */
function stateOf(progress: Progress, names: readonly string[]) {
  const verdict = {
    ok: false,
    streams: 1e12,
    commits: 1e12,
    events: 1e12,
    logHead: 1e12,
    violationCount: 1e12,
    consumers: names.map((consumer) => ({
      consumer,
      conservation: Object.fromEntries(
        ['appended', 'resolved', 'skipped', 'discarded', 'parked', 'waiting', 'lagging', 'gap'].map((box) => [
          box,
          1e9,
        ]),
      ),
      digestsChecked: 1e9,
      effects: { status: 'not-verified', streams: 1e9, events: 1e9, violations: 1e9, unsettled: 1e9 },
    })),
    violations: listedViolations(manyViolations(names[0]), VERDICT.listed),
  };
  return travelled({ progress, before: verdict, verdict, beforeFailure: { Error: 'E', Cause: 'c'.repeat(1_000) } });
}

/** What ends each job, with a long story. */
const note = 'y'.repeat(9_999);
const replay = {
  id: RECOVERY_ID,
  status: 'done',
  percent: 100,
  events: { all: 1, done: 1 },
  rows: { failed: 0 },
  note,
};
const SAID: Record<Repair, object> = {
  restore: { result: 'done', planId: RECOVERY_ID, needsApproval: true, totals: {}, note },
  enable: { result: 'done', rule: 'r', consumer: 'c' },
  replay: { result: 'done', replay },
  resume: { result: 'done', replay },
  redrive: { result: 'done', count: 1, exhausted: 1, runs: [{ id: RECOVERY_ID, status: 'done', done: 1, note }] },
};

describe('the document of a recovery', () => {
  it.each([
    ['100,000 streams of one consumer', { consumers: 1, streams: 100_000 }],
    ['1,000 streams of each of 100 consumers', { consumers: CONSUMERS_MAX, streams: 1_000 }],
  ])('takes %s through its rounds, none left out', async (_what, wrong) => {
    const { deps, names, left, fill } = createSystem(wrong);
    expect(left()).toBe(100_000);
    const input = { actions: ['fill-gaps'] };
    let progress = await lookAgain(deps, { progress: await beginRecovery(deps, { id: RECOVERY_ID, input }) });
    let rounds = 0;
    for (; progress.next === 'fill-gaps'; rounds++) {
      stateOf(progress, names);
      fill(progress);
      progress = await lookAgain(deps, { progress });
    }
    expect(progress.next).toBe('verify');
    expect(left()).toBe(0);
    expect(rounds).toBeGreaterThan(10);
  });

  it('fits with the longest request, a hundred consumers with every problem, and the longest history', async () => {
    const { deps, names } = createSystem({ consumers: CONSUMERS_MAX, streams: 40, letters: 30 });
    const input = {
      actions: ['restore', 'resume', 'fill-gaps', 'redrive'],
      restore: { streams: Array.from({ length: 52 }, (_, index) => streamNamed(index)) },
      selection: { failedFrom: 0 },
      reason: 'x'.repeat(1_000),
      requestedBy: 'x'.repeat(256),
    };
    const begun = await beginRecovery(deps, { id: RECOVERY_ID, input });
    travelled({ progress: begun, input });
    let progress = await lookAgain(deps, { progress: begun });
    stateOf(progress, names);
    expect(progress.steps[0]?.summary).toMatch(/100 consumers, \d+ findings, of which \d+ are listed/);
    for (let round = 0; round < 240; round++) {
      const job = currentJob(progress.jobs);
      // Every second round is of another kind, so that each is a step of its own.
      const next = round % 2 === 0 || job === undefined ? 'fill-gaps' : job.repair;
      const operation = job && SAID[job.repair];
      progress = await lookAgain(deps, { progress: { ...progress, next }, operation });
      stateOf(progress, names);
    }
    expect(progress.steps.slice(0, 2).map(({ name }) => name)).toEqual(['Diagnose', EARLIER]);
    expect(progress.steps.at(-1)?.endedAt).toBe(progress.at);
    expect(progress.jobs.every(({ phase }) => phase === 'ended')).toBe(true);
  });

  it('is refused to more consumers than it has room for, and to a longer request, before a lease is taken', async () => {
    const { deps } = createSystem({ consumers: CONSUMERS_MAX + 1, streams: 0 });
    const begin = (input: unknown) => beginRecovery({ ...deps, leases: {} as Leases }, { id: RECOVERY_ID, input });
    await expect(begin({ actions: ['fill-gaps'] })).rejects.toMatchObject({ code: 'TOO_MANY_CONSUMERS' });
    const streams = Array.from({ length: 150 }, (_, index) => streamNamed(index));
    await expect(begin({ actions: ['restore'], restore: { streams } })).rejects.toMatchObject({
      code: 'INPUT_TOO_LARGE',
    });
  });
});
