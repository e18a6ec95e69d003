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
import { composeReplay } from '../../recovery/replay/compose.ts';
import { replay } from '../../recovery/replay/replay.ts';
import { fillHistory, type History } from './fill-history.ts';

export interface ReplayUnderTest {
  streamIds: readonly string[];
  events: number;
  /** A new consumer gets everything from event 1, from the plan to the end. */
  rebuild(): Promise<void>;
  /** The consumer of the last `rebuild` gets everything again. */
  rewind(): Promise<void>;
}

export interface BenchTables {
  eventsTable: string;
  logTable: string;
  checkpointsTable: string;
  deadLettersTable: string;
  idempotencyTable: string;
  recoveryTable: string;
}

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
): Promise<ReplayUnderTest> {
  const machine = createWorld();
  const world = { ...machine, timers: { sleep: (ms: number) => sleep(Math.min(ms, PAUSE_MS_MAX)) } };
  const streamIds = await fillHistory(dynamo, tables, history);
  const registry = createRegistry({ dynamo, checkpointsTable: tables.checkpointsTable });
  const messages: QueueMessage[] = [];
  const wakeUps = {
    send: async (_url: string, sent: readonly { message: QueueMessage }[]) =>
      void messages.push(...sent.map(({ message }) => message)),
  };
  const deps = composeReplay({
    dynamo,
    ...tables,
    deployment: 'bench',
    wakeUps,
    world,
    logger: silentLogger,
    metrics: silentMetrics,
  });

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
      const endsAt = machine.clock.now() + INVOCATION_MS;
      const Records = batch.map((message) => ({ messageId: machine.ids.next(), body: JSON.stringify(message) }));
      const { batchItemFailures } = await handle(
        { Records },
        { remainingMs: () => endsAt - machine.clock.now(), requestId: machine.ids.next() },
      );
      if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures.length} messages failed`);
    }
  }

  async function replayAll(mode: 'resume' | 'rewind'): Promise<void> {
    let isOver = false;
    const endsAt = machine.clock.now() + INVOCATION_MS;
    const time = { remainingMs: () => endsAt - machine.clock.now(), requestId: 'bench' };
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
    async rebuild() {
      await addConsumer();
      await replayAll('resume');
    },
    rewind: () => replayAll('rewind'),
  };
}
