// A consumer that visits the deployment for one scenario: the real engine, registered in the real registry, woken over a real
// queue by the deployed replay function; only that it runs in the drill's process and that the drill plays the bus for
// it. Its effects are rows of a table of its own under random keys, which deduplicate nothing.

import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { composeConsumer } from '../../flow/consumer/compose-consumer.ts';
import { checkDeclaration } from '../../flow/consumer/declaration.ts';
import type { React } from '../../flow/consumer/port.ts';
import { createWakeUps } from '../../flow/consumer/wake-ups.ts';
import { createLog } from '../../flow/log/log.ts';
import { createRegistry } from '../../flow/registry/registry.ts';
import type { ConsumerDeclaration } from '../../model/consumer.ts';
import { WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import { createDynamo } from '../../platform/dynamodb/client.ts';
import { scanAll } from '../../platform/dynamodb/pages.ts';
import { silentLogger } from '../../platform/logging.ts';
import { silentMetrics } from '../../platform/metrics.ts';
import { createWorld } from '../../platform/world.ts';
import type { DrillContext } from './context.ts';
import type { Effect } from './ledger.ts';

export interface VisitorEffect extends Effect {
  /** Id of the replay that it belongs to; absent: the normal way. */
  replayId?: string;
}

export interface Visitor {
  name: string;
  /** What its table holds, nothing deduplicated. */
  effects(): Promise<VisitorEffect[]>;
  /** A deployment with other types: registers them and runs code that knows them. */
  redeclare(eventTypes: readonly string[]): Promise<void>;
  /** Its registry entry, as plans and scans see it. */
  hasBackfill(): Promise<boolean>;
  /** It left: scans and verifications do not look at it any more. */
  leave(): Promise<void>;
}

export interface VisitorOptions {
  /** Its kind; the name is unique to the run. */
  kind: string;
  eventTypes: readonly string[];
  startFrom?: 'beginning' | 'now';
}

const OWNER = 'drill';
/** As the constructs tag the queues of consumers: whoever repairs may send to these. */
const WAKE_UP_TAG = 'event-recovery';
const DEPLOYMENT = '/event-recovery';
const INVOCATION_MS = 10_000;
const MARKER_TTL_MS = 15 * 24 * 60 * 60_000;
const PAUSE_MS = 50;

export async function openVisitor(context: DrillContext, options: VisitorOptions): Promise<Visitor> {
  const { system, ledger, prefix } = context;
  const name = `${options.kind}-${prefix.replaceAll(/[^a-z0-9]/g, '').slice(-12)}`;
  const machine = createWorld();
  const client = new DynamoDBClient(system.clientConfig);
  const sqs = new SQSClient(system.clientConfig);
  const dynamo = createDynamo(client);
  const output = (key: string): string => system.outputs[key] ?? '';
  const tables = {
    eventsTable: output('EventsTableName'),
    logTable: output('LogTableName'),
    checkpointsTable: output('CheckpointsTableName'),
    deadLettersTable: output('DeadLettersTableName'),
    idempotencyTable: output('IdempotencyTableName'),
  };
  const ownTable = `effects-of-${name}`;
  await client.send(
    new CreateTableCommand({
      TableName: ownTable,
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  const { QueueUrl: queueUrl = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, tags: { [WAKE_UP_TAG]: DEPLOYMENT } }),
  );
  const log = createLog({ dynamo, logTable: tables.logTable, world: machine });
  const registry = createRegistry({ dynamo, checkpointsTable: tables.checkpointsTable });
  const wakeUps = createWakeUps({ sqs, world: machine });
  const react: React = ({ streamId, id, metadata }, { replay }) => [
    {
      Put: {
        TableName: ownTable,
        Item: {
          pk: machine.ids.next(),
          streamId,
          version: metadata.version,
          eventId: id,
          ...(replay && { replayId: replay.id }),
        },
      },
    },
  ];

  async function register(eventTypes: readonly string[]) {
    const declared: ConsumerDeclaration = { name, eventTypes, effects: 'transactional', startFrom: options.startFrom };
    const declaration = checkDeclaration(declared);
    const registration = { declaration, queueUrl, functionName: name, owner: OWNER };
    await registry.register(registration, await log.head(), machine.clock.now());
    return composeConsumer({
      declaration,
      react,
      tables,
      dynamo,
      wakeUps,
      queueUrl,
      markerTtlMs: MARKER_TTL_MS,
      serverClock: machine.clock,
      world: machine,
      logger: silentLogger,
      metrics: silentMetrics,
    });
  }

  let eventTypes = options.eventTypes;
  let handle = await register(eventTypes);
  let isHere = true;
  let announced = ledger.entries.length;
  const ended = Promise.all([playBus(), work()]);

  /** Events that are acknowledged while it is here wake it, as its rule would. */
  async function playBus(): Promise<void> {
    while (isHere) {
      const fresh = ledger.entries.slice(announced);
      announced += fresh.length;
      const wanted = fresh.filter(({ type }) => eventTypes.includes(type));
      await wakeUps.send(
        queueUrl,
        wanted.map(({ streamId, version }) => ({
          message: {
            format: WAKE_UP_FORMAT,
            kind: 'wake-up',
            consumer: name,
            streamId,
            version,
            hops: 0,
            reason: 'gap',
          },
        })),
      );
      await machine.timers.sleep(PAUSE_MS);
    }
  }

  async function work(): Promise<void> {
    while (isHere) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
      );
      if (Messages.length === 0) {
        await machine.timers.sleep(PAUSE_MS);
        continue;
      }
      const endsAt = machine.clock.now() + INVOCATION_MS;
      const { batchItemFailures } = await handle(
        { Records: Messages.map(({ MessageId, Body }) => recordOf(String(MessageId), String(Body))) },
        { remainingMs: () => endsAt - machine.clock.now(), requestId: machine.ids.next() },
      );
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      for (const { MessageId = '', ReceiptHandle } of Messages) {
        if (!failed.has(MessageId)) await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
      }
    }
  }

  return {
    name,
    async effects() {
      const effects: VisitorEffect[] = [];
      for await (const { pk: _pk, ...effect } of scanAll(dynamo, { TableName: ownTable, ConsistentRead: true })) {
        effects.push({ consumer: name, ...effect } as VisitorEffect);
      }
      return effects;
    },
    async redeclare(types) {
      handle = await register(types);
      eventTypes = types;
    },
    hasBackfill: async () => (await registry.get(name as never))?.backfill !== undefined,
    async leave() {
      isHere = false;
      await ended;
      await registry.retire(name as never, OWNER, machine.clock.now());
      client.destroy();
      sqs.destroy();
    },
  };
}

const recordOf = (messageId: string, body: string) => ({
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
