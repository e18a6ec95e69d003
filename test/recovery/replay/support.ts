// A small whole system and the replay operation on top. Pauses of the operation move the clock and let the consumers work, as
// time does.

import type { React } from '../../../lib/flow/consumer/port.ts';
import type { ConsumerDeclaration } from '../../../lib/model/consumer.ts';
import type { Dynamo, Write } from '../../../lib/platform/dynamodb/port.ts';
import type { TableSchema } from '../../../lib/platform/dynamodb/table-schema.ts';
import type { ReplayAnswer } from '../../../lib/recovery/replay/answer.ts';
import type { ReplayDeps } from '../../../lib/recovery/replay/begin.ts';
import { composeReplay } from '../../../lib/recovery/replay/compose.ts';
import { replay } from '../../../lib/recovery/replay/replay.ts';
import type { Engine } from '../../support/engines.ts';
import { expectProved } from '../../support/expect-proved.ts';
import { createSmallSystem, TABLES } from '../../support/small-system.ts';

const EFFECTS_TABLE: TableSchema = { name: 'Effects', partitionKey: { name: 'id', type: 'S' } };

const counted = (consumer: string, at: string): Write => ({
  Update: {
    TableName: EFFECTS_TABLE.name,
    Key: { id: `${consumer}/${at}` },
    UpdateExpression: 'SET #consumer = :consumer, #at = :at ADD #times :one',
    ExpressionAttributeNames: { '#consumer': 'consumer', '#at': 'at', '#times': 'times' },
    ExpressionAttributeValues: { ':consumer': consumer, ':at': at, ':one': 1 },
  },
});

/** Longest an invocation lives. */
export const INVOCATION_MS = 300_000;

export interface Effect {
  consumer: string;
  /** `stream@version` */
  at: string;
  replay?: { mode: string; id: string };
}

export interface BenchOptions {
  engine?: Engine;
  effects?: 'transactional' | 'idempotent';
  wrap?: (dynamo: Dynamo) => Dynamo;
}

export type Bench = Awaited<ReturnType<typeof createBench>>;

export async function createBench({ engine, effects = 'idempotent', wrap }: BenchOptions = {}) {
  const system = await createSmallSystem({ engine, wrap, ownTables: [EFFECTS_TABLE] });
  /** `stream@version` that fail. */
  const poison = new Set<string>();
  const done: Effect[] = [];
  const reactOf =
    (consumer: string): React =>
    ({ streamId, metadata }, context) => {
      const at = `${streamId}@${metadata.version}`;
      if (poison.has(at)) throw new Error(`cannot react to ${at}`);
      done.push({ consumer, at, ...(context.replay && { replay: context.replay }) });
      return effects === 'transactional' ? [counted(consumer, at)] : undefined;
    };
  const add = (name: string, more: Partial<ConsumerDeclaration> = {}) =>
    system.addConsumer({ name, eventTypes: ['Placed', 'Paid'], effects, maxAttempts: 1, ...more }, reactOf(name));
  await add('inventory');

  let onPause: () => Promise<void> = () => system.settle();
  const deps: ReplayDeps = composeReplay({
    dynamo: system.dynamo,
    ...TABLES,
    deployment: 'here',
    wakeUps: system.wakeUps,
    logger: system.logger,
    metrics: system.metrics,
    world: {
      ...system.world,
      timers: {
        sleep: async (ms) => {
          system.clock.advance(ms);
          await onPause();
        },
      },
    },
  });
  const ask = (input: unknown, ms = INVOCATION_MS, own: ReplayDeps = deps): Promise<ReplayAnswer> => {
    const endsAt = system.clock.now() + ms;
    return replay(own, input, { remainingMs: () => endsAt - system.clock.now(), requestId: 'request-1' });
  };
  const bench = {
    system,
    deps,
    poison,
    done,
    ask,
    add,
    /** A replay that begins at once. */
    go: (more: Record<string, unknown> = {}) =>
      ask({
        action: 'start',
        mode: 'rewind',
        consumer: 'inventory',
        selection: { everything: true },
        ratePerSecond: 10_000,
        dryRun: false,
        requestedBy: 'anna',
        reason: 'a test',
        ...more,
      }),
    plan: (more: Record<string, unknown> = {}) =>
      ask({
        action: 'plan',
        mode: 'rewind',
        consumer: 'inventory',
        selection: { everything: true },
        ratePerSecond: 10_000,
        requestedBy: 'anna',
        reason: 'a test',
        ...more,
      }),
    /** The schedule, until no replay is running. */
    async finish(): Promise<void> {
      for (let round = 0; round < 20; round++) {
        system.clock.advance(70_000);
        await system.settle();
        if (((await ask({ action: 'continue' })).replays ?? []).length === 0) return;
      }
      throw new Error('the replays did not finish');
    },
    onPause(work: () => Promise<void>): void {
      onPause = work;
    },
    async fill(streams: Record<string, readonly string[] | number>): Promise<void> {
      for (const [streamId, events] of Object.entries(streams)) {
        await system.append(streamId, typeof events === 'number' ? Array<string>(events).fill('Placed') : events);
      }
      for (let round = 0; round < 3; round++) await system.settle();
    },
    /** What a consumer did since the last call. */
    take(consumer = 'inventory'): Effect[] {
      const mine = done.filter((effect) => effect.consumer === consumer);
      for (const effect of mine) done.splice(done.indexOf(effect), 1);
      return mine;
    },
    /** How often each event's write was committed: transactional consumers only. */
    async committed(consumer = 'inventory'): Promise<Record<string, number>> {
      const items = (await system.items(EFFECTS_TABLE.name)).filter((item) => item.consumer === consumer);
      return Object.fromEntries(items.map(({ at, times }) => [String(at), Number(times)]));
    },
    expectProved: (conservation?: Record<string, number>) => expectProved(system, conservation),
  };
  return bench;
}

export const ats = (effects: readonly Effect[]): string[] => effects.map(({ at }) => at);
