// The chain of exports: a baseline, then increments that begin where the one before ended, whatever fails and whoever dies.

import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EventRecoveryError } from '../../../lib/model/errors.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { RECOVERY_TABLE } from '../../../lib/platform/dynamodb/schemas.ts';
import { recordingLogger } from '../../../lib/platform/logging.ts';
import { recordingMetrics } from '../../../lib/platform/metrics.ts';
import {
  type ArchiveDeps,
  archiveEvents,
  archiveStatus,
  exportNow,
  lagBoundMs,
} from '../../../lib/recovery/archive/archive-events.ts';
import { decideExport, SETTLED_MS, SPAN_MAX_MS } from '../../../lib/recovery/archive/decide-export.ts';
import type { ArchivedExport, ExportStatus, PendingExport } from '../../../lib/recovery/archive/port.ts';
import { createArchiveRows } from '../../../lib/recovery/archive/rows.ts';
import { memoryEngine } from '../../support/engines.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

async function createBench(wrap: (dynamo: Dynamo) => Dynamo = (dynamo) => dynamo) {
  const { dynamo, clock } = await memoryEngine.createTables([RECOVERY_TABLE]);
  const metrics = recordingMetrics();
  /** By client token, as DynamoDB keeps them. */
  const made = new Map<
    string,
    { arn: string; order: Pick<PendingExport, 'kind' | 'from' | 'to'>; status: ExportStatus }
  >();
  const answers = {
    window: { earliest: clock.now(), latest: () => clock.now() - 60_000 },
    outcome: (): ExportStatus => ({ kind: 'completed', manifestKey: 'm', items: 1 }),
    refuse: false,
  };
  const deps: ArchiveDeps = {
    rows: createArchiveRows({ dynamo: wrap(dynamo), table: RECOVERY_TABLE.name }),
    exports: {
      async start({ clientToken, kind, from, to }) {
        if (answers.refuse) throw new EventRecoveryError('EXPORT_REFUSED', 'no');
        const known = made.get(clientToken);
        if (known !== undefined) return known.arn;
        const arn = `export-${made.size}`;
        made.set(clientToken, { arn, order: { kind, from, to }, status: answers.outcome() });
        return arn;
      },
      async describe(exportArn) {
        return [...made.values()].find(({ arn }) => arn === exportArn)?.status ?? { kind: 'failed', reason: 'unknown' };
      },
      window: async () => ({ earliest: answers.window.earliest, latest: answers.window.latest() }),
    },
    clock,
    logger: recordingLogger(),
    metrics,
    spanMs: HOUR,
  };
  const bench = {
    clock,
    metrics,
    made,
    answers,
    deps,
    step: () => archiveEvents(deps),
    /** As the schedule: a step every 15 minutes. */
    async run(ms: number): Promise<void> {
      const until = clock.now() + ms;
      while (clock.now() < until) {
        clock.advance(15 * 60_000);
        await bench.step();
      }
    },
    async chain(): Promise<ArchivedExport[]> {
      const exports: ArchivedExport[] = [];
      for await (const one of createArchiveRows({ dynamo, table: RECOVERY_TABLE.name }).exports()) exports.unshift(one);
      return exports;
    },
  };
  return bench;
}

/** A full export, then increments without a hole or an overlap. */
function expectChain(chain: readonly ArchivedExport[]): void {
  expect(chain[0]?.kind).toBe('full');
  for (const [index, one] of chain.entries()) {
    if (index === 0) continue;
    expect(one).toMatchObject({ kind: 'incremental', from: chain[index - 1]?.to });
    expect(one.to - one.from).toBeGreaterThanOrEqual(15 * 60_000);
    expect(one.to - one.from).toBeLessThanOrEqual(SPAN_MAX_MS);
    expect(one.to % 1_000).toBe(0);
  }
}

let bench: Awaited<ReturnType<typeof createBench>>;
beforeEach(async () => {
  bench = await createBench();
});

describe('the archive', () => {
  it('begins with a full export, then goes on in increments that touch each other', async () => {
    await bench.run(DAY);
    const chain = await bench.chain();
    expectChain(chain);
    expect(chain.length).toBeGreaterThan(12);
    expect(bench.clock.now() - (chain.at(-1)?.to ?? 0)).toBeLessThan(3 * HOUR);
    expect(bench.made.size).toBeLessThanOrEqual(chain.length + 1);
  });

  it('tries a failed window again, under another token, and leaves no hole', async () => {
    let failures = 0;
    bench.answers.outcome = () => {
      failures += 1;
      return failures % 3 === 0
        ? { kind: 'completed', manifestKey: 'm' }
        : { kind: 'failed', reason: 'S3NoSuchBucket: gone' };
    };
    await bench.run(DAY);
    const chain = await bench.chain();
    expectChain(chain);
    expect(chain.length).toBeGreaterThan(3);
    expect(await archiveStatus(bench.deps)).toMatchObject({ failures: expect.any(Number) });
  });

  it('waits for an export that takes long, and starts no second one', async () => {
    bench.answers.outcome = () => ({ kind: 'in-progress' });
    await bench.run(5 * HOUR);
    expect(bench.made.size).toBe(1);
    expect(await bench.step()).toMatchObject({ result: 'in-progress', pending: { kind: 'full' } });
  });

  it('counts a refused request as a failure, with its reason', async () => {
    bench.answers.refuse = true;
    expect(await bench.step()).toMatchObject({ result: 'failed', failures: 1, lastFailure: 'no' });
    bench.answers.refuse = false;
    expect(await bench.step()).toMatchObject({ result: 'started' });
    expect(await bench.step()).toMatchObject({ result: 'completed', failures: 0 });
  });

  it('makes up for a long silence in windows of at most a day', async () => {
    await bench.run(2 * HOUR);
    bench.clock.advance(3 * DAY);
    await bench.run(6 * HOUR);
    expectChain(await bench.chain());
    expect((await archiveStatus(bench.deps)).lagSeconds).toBeLessThan((3 * HOUR) / 1_000);
  });

  it('begins a new chain, and says so, when what is missing can no longer be exported', async () => {
    await bench.run(2 * HOUR);
    bench.clock.advance(40 * DAY);
    bench.answers.window.earliest = bench.clock.now() - 35 * DAY;
    expect(await bench.step()).toMatchObject({ result: 'started', pending: { kind: 'full' } });
    expect((bench.deps.logger as ReturnType<typeof recordingLogger>).lines.at(-2)).toMatchObject({
      message: expect.stringContaining('chain of exports is broken'),
    });
  });

  it('says that it is up to date only while it is', async () => {
    const upToDate = () => bench.metrics.total('ArchiveUpToDate');
    await bench.run(4 * HOUR);
    expect(upToDate()).toBeGreaterThan(0);
    bench.answers.outcome = () => ({ kind: 'in-progress' });
    await bench.run(lagBoundMs(HOUR) + 2 * HOUR);
    const then = upToDate();
    await bench.run(2 * HOUR);
    expect(upToDate()).toBe(then);
  });

  it('makes a full export at once when somebody asks, and the chain goes on as if it were not there', async () => {
    await bench.run(3 * HOUR);
    const { coveredTo } = await archiveStatus(bench.deps);
    expect(await exportNow(bench.deps)).toMatchObject({ result: 'started', pending: { kind: 'full', isExtra: true } });
    expect(await bench.step()).toMatchObject({ result: 'completed', coveredTo });
    await bench.run(3 * HOUR);
    const chain = await bench.chain();
    const full = chain.filter(({ kind }) => kind === 'full');
    expect(full).toHaveLength(2);
    expectChain(chain.filter((one) => one !== full[1]));
    bench.answers.outcome = () => ({ kind: 'in-progress' });
    bench.clock.advance(2 * HOUR);
    await bench.step();
    const { size } = bench.made;
    expect(await exportNow(bench.deps)).toMatchObject({ result: 'in-progress', pending: { kind: 'incremental' } });
    expect(bench.made.size).toBe(size);
  });

  it('without point-in-time recovery fails in a way that is tried again', async () => {
    bench.deps.exports.window = async () => undefined;
    await expect(bench.step()).rejects.toMatchObject({ code: 'ARCHIVE_IMPOSSIBLE', retryable: true });
  });
});

describe('a step that dies', () => {
  it.each(['before', 'after'] as const)(
    '%s any request leaves a chain without hole and without a double',
    async (when) => {
      for (let nth = 1; nth < 12; nth += 1) {
        let left = 0;
        const dying = await createBench(
          (dynamo) =>
            new Proxy(dynamo, {
              get: (target, name: keyof Dynamo) => async (input: never) => {
                left -= 1;
                if (left === 0 && when === 'before') throw new Error('died');
                const answer = await (target[name] as (input: never) => Promise<unknown>)(input);
                if (left === 0) throw new Error('died');
                return answer;
              },
            }),
        );
        left = nth;
        for (let step = 0; step < 40; step += 1) {
          dying.clock.advance(15 * 60_000);
          await dying.step().catch((error: Error) => expect(error.message).toBe('died'));
        }
        const chain = await dying.chain();
        expectChain(chain);
        expect(chain.length).toBeGreaterThan(3);
        expect(dying.made.size).toBeLessThanOrEqual(chain.length + 1);
      }
    },
  );

  it('beside another one starts one export: whoever wrote first goes on', async () => {
    await bench.run(3 * HOUR);
    bench.clock.advance(2 * HOUR);
    const before = bench.made.size;
    await Promise.all([bench.step(), bench.step(), bench.step()]);
    expect(bench.made.size).toBe(before + 1);
    await bench.run(3 * HOUR);
    expectChain(await bench.chain());
  });
});

describe('what to export next', () => {
  it('is always a window that DynamoDB takes: whole seconds, 15 minutes to 24 hours, in the past', () => {
    const now = Date.UTC(2026, 5, 1);
    fc.assert(
      fc.property(
        fc.record({
          covered: fc.integer({ min: 0, max: 60 * DAY }),
          latest: fc.integer({ min: 0, max: HOUR }),
          earliest: fc.integer({ min: HOUR, max: 35 * DAY }),
          spanMs: fc.integer({ min: 15, max: 24 * 60 }).map((minutes) => minutes * 60_000),
          failures: fc.nat(5),
        }),
        ({ covered, latest, earliest, spanMs, failures }) => {
          const coveredTo = Math.floor((now - covered) / 1_000) * 1_000;
          const times = { now, earliest: now - earliest, latest: now - latest, spanMs };
          const next = decideExport({ coveredTo, failures, revision: 1, updatedAt: 0 }, times);
          if (next.kind === 'wait') return coveredTo + spanMs > Math.min(now - SETTLED_MS, now - latest) - 1_000;
          const { kind, from, to } = next.order;
          if (from % 1_000 !== 0 || to % 1_000 !== 0 || to > now) return false;
          if (kind === 'full') return coveredTo < now - earliest && to >= now - earliest;
          return from === coveredTo && to - from >= 15 * 60_000 && to - from <= SPAN_MAX_MS;
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
