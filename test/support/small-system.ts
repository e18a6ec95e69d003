// The whole ground floor on one engine, step by step: append, relay, deliver, one queue per consumer in memory. Nothing moves
// by itself, so a test decides what is lost, doubled or late; time is virtual. For tests of the upper floor.

import { createCheckpoints } from '../../lib/flow/checkpoint/checkpoints.ts';
import { composeConsumer } from '../../lib/flow/consumer/compose-consumer.ts';
import { checkDeclaration } from '../../lib/flow/consumer/declaration.ts';
import type { React, WakeUps } from '../../lib/flow/consumer/port.ts';
import { verifyEffects } from '../../lib/flow/consumer/verify-effects.ts';
import type { Verify, VerifyWhole } from '../../lib/flow/consumer/verify-port.ts';
import { createDeadLetters } from '../../lib/flow/dead-letter/dead-letters.ts';
import { createEventStore } from '../../lib/flow/event-store/event-store.ts';
import { createLog } from '../../lib/flow/log/log.ts';
import { createRegistry } from '../../lib/flow/registry/registry.ts';
import { composeRelay } from '../../lib/flow/relay/compose.ts';
import type { BusEntry } from '../../lib/flow/relay/port.ts';
import { createRelay } from '../../lib/flow/relay/relay.ts';
import type { Checkpoint } from '../../lib/model/checkpoint.ts';
import type { ConsumerDeclaration } from '../../lib/model/consumer.ts';
import type { ConsumerName, StreamId } from '../../lib/model/ids.ts';
import type { BackfillDetail } from '../../lib/model/wake-up.ts';
import { BUS_SOURCE, type QueueMessage } from '../../lib/model/wake-up.ts';
import type { Dynamo } from '../../lib/platform/dynamodb/port.ts';
import { ALL_TABLES } from '../../lib/platform/dynamodb/schemas.ts';
import type { TableSchema } from '../../lib/platform/dynamodb/table-schema.ts';
import { recordingLogger } from '../../lib/platform/logging.ts';
import { recordingMetrics } from '../../lib/platform/metrics.ts';
import type { EffectQuestions } from '../../lib/recovery/verify/effects.ts';
import { type Engine, memoryEngine } from './engines.ts';

export const TABLES = {
  eventsTable: 'Events',
  logTable: 'Log',
  checkpointsTable: 'Checkpoints',
  deadLettersTable: 'DeadLetters',
  idempotencyTable: 'Idempotency',
  recoveryTable: 'Recovery',
};

const MARKER_TTL_MS = 15 * 24 * 60 * 60_000;
const INVOCATION_MS = 10_000;
/** The relay keeps 15 s of it for what it has read. */
const RELAY_INVOCATION_MS = 60_000;
/** Rounds of `settle`: a wake-up may send another one, but not for ever. */
const ROUNDS_MAX = 50;

/** What a consumer's author adds to have its effects verified. */
export interface Verifying {
  verify?: Verify;
  verifyWhole?: VerifyWhole;
}

interface Queue {
  declaration: ConsumerDeclaration;
  messages: { id: string; body: string; delaySeconds: number }[];
}

export interface SmallSystemOptions {
  engine?: Engine;
  /** Everything goes through it: for faults. */
  wrap?: (dynamo: Dynamo) => Dynamo;
  /** Tables of the consumers' own. */
  ownTables?: readonly TableSchema[];
}

export type SmallSystem = Awaited<ReturnType<typeof createSmallSystem>>;

export async function createSmallSystem({
  engine = memoryEngine,
  wrap = (dynamo) => dynamo,
  ownTables = [],
}: SmallSystemOptions = {}) {
  const tables = await engine.createTables([...ALL_TABLES, ...ownTables]);
  const dynamo = wrap(tables.dynamo);
  // Sleeping for a deadline must not move the clock: consumers race against it.
  const world = { ...tables.world, timers: { sleep: neverEndingSleep } };
  const logger = recordingLogger();
  const metrics = recordingMetrics();
  const { eventsTable, logTable, checkpointsTable, deadLettersTable } = TABLES;
  const eventStore = createEventStore({ dynamo, world: tables.world, eventsTable, logTable });
  const log = createLog({ dynamo, logTable, world: tables.world });
  const registry = createRegistry({ dynamo, checkpointsTable });
  const checkpoints = createCheckpoints({ dynamo, table: checkpointsTable, world: tables.world });
  const deadLetters = createDeadLetters({ dynamo, table: deadLettersTable, world: tables.world });
  const queues = new Map<string, Queue>();
  const consumers = new Map<string, { handle: ReturnType<typeof composeConsumer> } & Verifying>();
  const bus: BusEntry[] = [];
  let relayed = 0;
  let messageIds = 0;

  const queueUrlOf = (name: string): string => `https://sqs/${name}`;
  const put = (queueUrl: string, body: unknown, delaySeconds = 0): void => {
    const queue = queues.get(queueUrl);
    if (queue === undefined) throw new Error(`no queue ${queueUrl}`);
    messageIds += 1;
    queue.messages.push({ id: `m-${messageIds}`, body: JSON.stringify(body), delaySeconds });
  };
  const wakeUps: WakeUps = {
    async send(queueUrl, messages) {
      for (const { message, delaySeconds } of messages) put(queueUrl, message, delaySeconds);
    },
  };

  const openRelay = () =>
    createRelay(
      composeRelay({
        dynamo,
        eventsTable,
        logTable,
        world: tables.world,
        logger,
        metrics,
        publish: {
          bus: {
            async publish(entries) {
              bus.push(...entries);
              return { failed: [] };
            },
          },
          continuations: { send: async () => undefined },
        },
      }),
    );

  const system = {
    ...tables,
    dynamo,
    world: tables.world,
    logger,
    metrics,
    eventStore,
    log,
    registry,
    checkpoints,
    deadLetters,
    wakeUps,
    queueUrlOf,

    /** Registers and composes a consumer; `react` defaults to one that returns nothing. */
    async addConsumer(
      declared: ConsumerDeclaration,
      react: React = () => undefined,
      verifying: Verifying = {},
    ): Promise<void> {
      const declaration = { ...declared, verifiesEffects: verifying.verify !== undefined };
      const complete = checkDeclaration(declaration);
      const queueUrl = queueUrlOf(complete.name);
      queues.set(queueUrl, { declaration, messages: queues.get(queueUrl)?.messages ?? [] });
      await registry.register(
        { declaration, queueUrl, functionName: complete.name, owner: 'test' },
        await log.head(),
        world.clock.now(),
      );
      const handle = composeConsumer({
        declaration: complete,
        react,
        tables: TABLES,
        dynamo,
        wakeUps,
        queueUrl,
        markerTtlMs: MARKER_TTL_MS,
        serverClock: world.clock,
        world,
        logger,
        metrics,
      });
      consumers.set(complete.name, { handle, ...verifying });
    },

    /** One event per element, appended one by one. */
    async append(streamId: string, types: readonly string[]): Promise<void> {
      for (const type of types) {
        const version = await eventStore.getVersion(streamId);
        await eventStore.append(
          streamId,
          [{ id: `${streamId}-${version + 1}`, type, data: { n: version + 1 } }],
          version,
        );
      }
    },

    /** Sequences what the DynamoDB stream holds and puts it on the bus. */
    async relay(): Promise<void> {
      const records = await tables.streamRecords(eventsTable, relayed);
      relayed += records.length;
      await openRelay().relayBatch(records, { remainingMs: () => RELAY_INVOCATION_MS });
    },

    /** The wake-up in which a backfill goes on. */
    async continueRelay(detail: BackfillDetail): Promise<void> {
      await openRelay().continueBackfill(detail, { remainingMs: () => RELAY_INVOCATION_MS });
    },

    /** The bus's rules; `lose` decides what never arrives. */
    deliver(lose: (entry: BusEntry, consumer: string) => boolean = () => false): void {
      for (const entry of bus.splice(0)) {
        for (const [queueUrl, { declaration }] of queues) {
          const matches = entry.kind === 'stream-moved' || declaration.eventTypes.includes(entry.detailType);
          if (!matches || lose(entry, declaration.name)) continue;
          put(queueUrl, { source: BUS_SOURCE, 'detail-type': entry.detailType, detail: entry.detail });
        }
      }
    },

    /** Hands everything in one consumer's queue to it, in batches of 10; what fails comes back. Answers what it handed over. */
    async consume(name: string): Promise<number> {
      const queue = queues.get(queueUrlOf(name)) as Queue;
      const taken = queue.messages.splice(0);
      for (const { delaySeconds } of taken) if (delaySeconds > 0) tables.clock.advance(delaySeconds * 1_000);
      for (let at = 0; at < taken.length; at += 10) {
        const batch = taken.slice(at, at + 10);
        const { batchItemFailures } = await (
          consumers.get(name) as { handle: ReturnType<typeof composeConsumer> }
        ).handle(
          { Records: batch.map(({ id, body }) => sqsRecord(id, body)) },
          { remainingMs: () => INVOCATION_MS, requestId: `request-${id()}` },
        );
        const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
        queue.messages.push(...batch.filter((message) => failed.has(message.id)));
      }
      return taken.length;
    },

    /** Relay, deliver and consume until nothing moves. */
    async settle(lose?: (entry: BusEntry, consumer: string) => boolean): Promise<void> {
      for (let round = 0; round < ROUNDS_MAX; round++) {
        await system.relay();
        system.deliver(lose);
        let moved = 0;
        for (const name of consumers.keys()) moved += await system.consume(name);
        if (moved === 0) return;
      }
      throw new Error(`the system did not settle in ${ROUNDS_MAX} rounds`);
    },

    /** As the verification invokes the consumers' functions: through JSON, each with an invocation's time. */
    questions: {
      async ask(functionName, request) {
        const { verify, verifyWhole } = consumers.get(functionName) ?? {};
        const deps = { consumer: functionName, verify, verifyWhole, eventStore, timers: world.timers, logger };
        const until = tables.clock.now() + INVOCATION_MS;
        const invocation = { remainingMs: () => until - tables.clock.now(), requestId: `request-${id()}` };
        return jsonOf(await verifyEffects(deps, jsonOf(request), invocation));
      },
    } satisfies EffectQuestions,

    queued: (name: string): QueueMessage[] =>
      (queues.get(queueUrlOf(name)) as Queue).messages.map(({ body }) => JSON.parse(body) as QueueMessage),
    purge: (name: string): void => void (queues.get(queueUrlOf(name)) as Queue).messages.splice(0),
    checkpoint: (consumer: string, streamId: string): Promise<Checkpoint | undefined> =>
      checkpoints.get({ consumer: consumer as ConsumerName, streamId: streamId as StreamId }),
  };
  return system;

  function id(): number {
    messageIds += 1;
    return messageIds;
  }
}

const jsonOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const neverEndingSleep = (_ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));

const sqsRecord = (messageId: string, body: string) => ({
  messageId,
  receiptHandle: messageId,
  body,
  attributes: { ApproximateReceiveCount: '1', SentTimestamp: '0', SenderId: '', ApproximateFirstReceiveTimestamp: '0' },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:eu-central-1:111122223333:queue',
  awsRegion: 'eu-central-1',
});
