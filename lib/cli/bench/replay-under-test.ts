// A consumer with a history, and the replay operation on top, in one process: what a replay's rate and cost are measured on.
// The react does nothing; queue and functions are loops in memory, so that only our code and the database count.

import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchHandler } from '../../flow/consumer/batch-handler.ts';
import { composeConsumer } from '../../flow/consumer/compose-consumer.ts';
import { checkDeclaration } from '../../flow/consumer/declaration.ts';
import { createRegistry } from '../../flow/registry/registry.ts';
import type { QueueMessage } from '../../model/wake-up.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { silentLogger } from '../../platform/logging.ts';
import { silentMetrics } from '../../platform/metrics.ts';
import { createWorld } from '../../platform/world.ts';
import type { PlanDeps } from '../../recovery/plan/make-plan.ts';
import { composeReplay } from '../../recovery/replay/compose.ts';
import { replay } from '../../recovery/replay/replay.ts';
import { copyHistory, type History } from './fill-history.ts';

export interface ReplayUnderTest {
  streamIds: readonly string[];
  events: number;
  /** What a new consumer would get is planned, and no more. */
  plan(): Promise<void>;
  /** A new consumer gets everything from event 1, from the plan to the end. */
  rebuild(): Promise<void>;
  /** The consumer of the last `rebuild` gets everything again. */
  rewind(): Promise<void>;
}

/** What a plan holds in memory, as in `PlanDeps`. */
export type PlanMemory = Pick<PlanDeps, 'heldMax' | 'pieceBytes'>;

export interface BenchTables {
  eventsTable: string;
  logTable: string;
  checkpointsTable: string;
  deadLettersTable: string;
  idempotencyTable: string;
  recoveryTable: string;
}

/** A database with empty tables, for this work alone: DynamoDB Local becomes many times slower with what it holds. */
export type WithDatabase = <Result>(work: (dynamo: Dynamo, tables: BenchTables) => Promise<Result>) => Promise<Result>;

const QUEUE_URL = 'https://sqs/bench';
const BATCH = 10;
/** Two invocations at a time, each with the engine's own streams in parallel: as many as this machine has cores. */
const INVOCATIONS = 2;
const INVOCATION_MS = 900_000;
/** The consumer is in this process: nothing takes a second here. */
const PAUSE_MS_MAX = 10;

export async function createReplayUnderTest(
  dynamo: Dynamo,
  tables: BenchTables,
  history: History,
  options: PlanMemory = {},
): Promise<ReplayUnderTest> {
  const machine = createWorld();
  const world = { ...machine, timers: { sleep: (ms: number) => sleep(Math.min(ms, PAUSE_MS_MAX)) } };
  const streamIds = await copyHistory(dynamo, tables, history);
  const registry = createRegistry({ dynamo, checkpointsTable: tables.checkpointsTable });
  const messages: QueueMessage[] = [];
  const wakeUps = {
    send: async (_url: string, sent: readonly { message: QueueMessage }[]) =>
      void messages.push(...sent.map(({ message }) => message)),
  };
  const parts = {
    dynamo,
    ...tables,
    deployment: 'bench',
    wakeUps,
    world,
    logger: silentLogger,
    metrics: silentMetrics,
  };
  const deps = { ...composeReplay(parts), ...options };

  let consumers = 0;
  let current = '';
  let handle: BatchHandler;

  async function addConsumer(): Promise<void> {
    consumers += 1;
    current = `bench-${consumers}`;
    const declaration = checkDeclaration({ name: current, eventTypes: ['OrderPlaced'], effects: 'transactional' });
    const registration = { declaration, queueUrl: QUEUE_URL, functionName: current, owner: 'bench' };
    await registry.register(registration, 0 as never, 0);
    handle = composeConsumer({
      declaration,
      react: () => [],
      tables,
      dynamo,
      wakeUps,
      queueUrl: QUEUE_URL,
      markerTtlMs: 15 * 86_400_000,
      serverClock: machine.clock,
      world: machine,
      logger: silentLogger,
      metrics: silentMetrics,
    });
  }

  async function consume(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const batch = messages.splice(0, BATCH);
      if (batch.length === 0) {
        await sleep(1);
        continue;
      }
      const Records = batch.map((message) => ({ messageId: machine.ids.next(), body: JSON.stringify(message) }));
      const { batchItemFailures } = await handle({ Records }, invocation());
      if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures.length} messages failed`);
    }
  }

  const invocation = () => {
    const endsAt = machine.clock.now() + INVOCATION_MS;
    return { remainingMs: () => endsAt - machine.clock.now(), requestId: machine.ids.next() };
  };

  async function replayAll(mode: 'resume' | 'rewind'): Promise<void> {
    let isOver = false;
    const time = invocation();
    const workers = Array.from({ length: INVOCATIONS }, () => consume(() => isOver));
    const request = { mode, consumer: current, selection: { everything: true }, ratePerSecond: 1_000_000 };
    let answer = await replay(deps, { action: 'start', dryRun: false, ...request }, time);
    while (answer.replay?.status === 'running') {
      await replay(deps, { action: 'continue' }, time);
      answer = await replay(deps, { action: 'status', replayId: answer.replay.id }, time);
    }
    isOver = true;
    await Promise.all(workers);
    const { status, rows } = answer.replay ?? {};
    if (status !== 'done' || rows?.done !== history.streams) throw new Error(`the replay ended as ${status}`);
  }

  return {
    streamIds,
    events: history.streams * history.commits * history.events,
    async plan() {
      await addConsumer();
      const everything = { mode: 'resume', consumer: current, selection: { everything: true } };
      const { plan } = await replay(deps, { action: 'plan', ...everything }, invocation());
      const streams = plan?.totals.streams;
      if (streams !== history.streams) throw new Error(`${streams} of ${history.streams} streams were planned`);
    },
    async rebuild() {
      await addConsumer();
      await replayAll('resume');
    },
    rewind: () => replayAll('rewind'),
  };
}
