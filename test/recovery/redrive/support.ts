// A small whole system with a consumer that fails on purpose, and the redrive operation on top. Pauses of the operation move
// the clock and let the consumers work, as time does.

import type { DeadLetter } from '../../../lib/model/dead-letter.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import type { TableSchema } from '../../../lib/platform/dynamodb/table-schema.ts';
import { createAudit } from '../../../lib/recovery/audit/audit.ts';
import { createOpenGaps } from '../../../lib/recovery/gap/open-gaps.ts';
import { createLeases } from '../../../lib/recovery/lease/leases.ts';
import { createPlansOf } from '../../../lib/recovery/plan/plans.ts';
import { REDRIVE_MODES, type RedrivePlan } from '../../../lib/recovery/redrive/plan-redrive.ts';
import { type RedriveDeps, redrive } from '../../../lib/recovery/redrive/redrive.ts';
import { createRedriveRuns } from '../../../lib/recovery/redrive/runs.ts';
import type { Engine } from '../../support/engines.ts';
import { expectProved } from '../../support/expect-proved.ts';
import { createSmallSystem, TABLES } from '../../support/small-system.ts';

/** Longest an invocation lives. */
export const INVOCATION_MS = 300_000;

export interface BenchOptions {
  /** @default the memory engine */
  engine?: Engine;
  onPoison?: 'park' | 'skip';
  effects?: 'transactional' | 'idempotent';
  wrap?: (dynamo: Dynamo) => Dynamo;
  /** Tables of consumers. */
  ownTables?: readonly TableSchema[];
}

export type Bench = Awaited<ReturnType<typeof createBench>>;

export async function createBench({
  engine,
  onPoison = 'park',
  effects = 'idempotent',
  wrap,
  ownTables,
}: BenchOptions = {}) {
  const system = await createSmallSystem({ engine, wrap, ownTables });
  /** `stream@version` that fail. */
  const poison = new Set<string>();
  const effectsDone: string[] = [];
  await system.addConsumer(
    { name: 'billing', eventTypes: ['Placed', 'Paid'], effects, onPoison, maxAttempts: 1 },
    ({ streamId, metadata }) => {
      const at = `${streamId}@${metadata.version}`;
      if (poison.has(at)) throw new Error(`cannot bill ${at}`);
      effectsDone.push(at);
      return effects === 'transactional' ? [] : undefined;
    },
  );
  const table = { dynamo: system.dynamo, table: TABLES.recoveryTable };
  const openGaps = createOpenGaps({ ...table, world: system.world });
  const audit = createAudit({ ...table, world: system.world });
  const runs = createRedriveRuns(table);
  let onPause: () => Promise<void> = () => system.settle();
  const deps: RedriveDeps = {
    dynamo: system.dynamo,
    eventsTable: TABLES.eventsTable,
    deployment: 'here',
    log: system.log,
    plans: createPlansOf<RedrivePlan>({ ...table, world: system.world }, REDRIVE_MODES),
    checkpoints: system.checkpoints,
    deadLetters: system.deadLetters,
    registry: system.registry,
    wakeUps: system.wakeUps,
    leases: createLeases(table),
    openGaps,
    audit,
    runs,
    world: {
      ...system.world,
      timers: {
        sleep: async (ms) => {
          system.clock.advance(ms);
          await onPause();
        },
      },
    },
    logger: system.logger,
  };

  const ask = (input: unknown, ms = INVOCATION_MS) => {
    const endsAt = system.clock.now() + ms;
    return redrive(deps, input, { remainingMs: () => endsAt - system.clock.now(), requestId: 'request-1' });
  };
  const bench = {
    system,
    deps,
    runs,
    openGaps,
    audit,
    poison,
    effectsDone,
    ask,
    /** A real run of everything that billing gave up on. */
    go: (more: Record<string, unknown> = {}) =>
      ask({
        action: 'redrive',
        selection: { consumer: 'billing' },
        dryRun: false,
        requestedBy: 'anna',
        reason: 'fixed',
        ...more,
      }),
    /** The schedule, until no run is left. */
    async finish(): Promise<void> {
      for (let round = 0; round < 20; round++) {
        system.clock.advance(60_000);
        await system.settle();
        if ((await ask({ action: 'continue' })).runs.length === 0) return;
      }
      throw new Error('the runs did not finish');
    },
    onPause(work: () => Promise<void>): void {
      onPause = work;
    },
    /** Streams with that many events each, of which these fail. */
    async fill(streams: Record<string, number>, ...failing: string[]): Promise<void> {
      for (const at of failing) poison.add(at);
      for (const [streamId, events] of Object.entries(streams)) {
        await system.append(streamId, Array<string>(events).fill(streamId.startsWith('payment-') ? 'Paid' : 'Placed'));
        await system.settle();
        system.clock.advance(1_000);
      }
    },
    async letters(status?: DeadLetter['status']): Promise<DeadLetter[]> {
      const rows = (await system.items(TABLES.deadLettersTable)) as unknown as DeadLetter[];
      // A scan has no order.
      const ordered = rows.toSorted((a, b) => a.id.localeCompare(b.id));
      return ordered.filter((row) => status === undefined || row.status === status);
    },
    effectsOf: (streamId: string): string[] => effectsDone.filter((at) => at.startsWith(`${streamId}@`)),
    expectProved: (conservation?: Record<string, number>) => expectProved(system, conservation),
  };
  return bench;
}
