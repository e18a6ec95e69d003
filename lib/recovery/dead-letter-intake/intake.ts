// The dead-letter intake: every message that a queue or a rule gave up on ends in a trace. What is resolved is dropped with a
// log line; what is not wakes its consumer again, a bounded number of times, and is then owed (open-gap row) and reported;
// what nobody understands is kept and reported. A message is acknowledged only after its trace exists.

import type { Checkpoints } from '../../flow/checkpoint/port.ts';
import type { WakeUps } from '../../flow/consumer/port.ts';
import { deadLetterId } from '../../flow/dead-letter/id.ts';
import type { DeadLetters } from '../../flow/dead-letter/port.ts';
import type { Registry } from '../../flow/registry/port.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import { DRILL_STREAM_PREFIX } from '../../model/ids.ts';
import { WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { Clock } from '../../platform/clock.ts';
import { cancellation } from '../../platform/dynamodb/failures.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { errorFacts, type Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Alerts } from '../alert/alerts.ts';
import type { OpenGaps } from '../gap/open-gaps.ts';
import { decideIntake, type IntakeDecision } from './decide-intake.ts';
import type { IntakeRows } from './intake-rows.ts';
import { correlationIn, type DeadMessage, type DeadRecord, isQueue, parseDeadMessage } from './parse-dead-message.ts';

export interface IntakeDeps {
  dynamo: Dynamo;
  registry: Pick<Registry, 'list'>;
  checkpoints: Pick<Checkpoints, 'get'>;
  deadLetters: Pick<DeadLetters, 'get' | 'statusWrite'>;
  openGaps: Pick<OpenGaps, 'seen'>;
  rows: IntakeRows;
  alerts: Alerts;
  wakeUps: WakeUps;
  /** The server clock. */
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

type Understood = Extract<DeadMessage, { kind: 'understood' }>;

/** Answers the ids of messages that must come back. Never throws for a single message. */
export async function intake(deps: IntakeDeps, records: readonly DeadRecord[]): Promise<string[]> {
  const consumers = await deps.registry.list();
  const failed: string[] = [];
  for (const record of records) {
    try {
      if (!(await takeIn(deps, consumers, parseDeadMessage(record)))) failed.push(record.messageId);
    } catch (error) {
      failed.push(record.messageId);
      deps.logger.error('dead message not taken in: it comes back', {
        messageId: record.messageId,
        correlationId: correlationIn(record.body),
        error: errorFacts(error),
      });
    }
  }
  return failed;
}

/** Dead-letter queues keep a message for 14 days since it was sent first (SQS, dead-letter queues): what is older than this is kept here. */
const COMES_BACK_MS = 13 * 24 * 60 * 60_000;

function isAboutToExpire({ attributes }: DeadRecord, now: number): boolean {
  const sentAt = Number(attributes?.SentTimestamp);
  return sentAt > 0 && now - sentAt > COMES_BACK_MS;
}

/** False: it must come back. */
async function takeIn(
  deps: IntakeDeps,
  consumers: readonly RegisteredConsumer[],
  message: DeadMessage,
): Promise<boolean> {
  if (message.kind === 'newer' && !isAboutToExpire(message.record, deps.clock.now())) {
    const { record, reason } = message;
    const { messageId, body } = record;
    const facts = { messageId, correlationId: correlationIn(body), reason };
    deps.logger.warn('dead message of newer code: it comes back', facts);
    return false;
  }
  if (message.kind === 'newer' || message.kind === 'malformed') {
    await keep(deps, message.record, 'unknown', message.reason);
    return true;
  }
  if (message.kind === 'invocation') {
    const { functionName, reason } = message;
    await keep(
      deps,
      message.record,
      functionName,
      `an invocation of ${functionName} was given up: ${reason}`,
      GIVEN_UP,
    );
    return true;
  }
  const addressees = addresseesOf(consumers, message);
  if (addressees.length === 0) {
    const whom = message.consumer ?? message.queueArn ?? 'any consumer';
    await keep(deps, message.record, message.consumer ?? 'unknown', `${whom} is not deployed`);
    return true;
  }
  for (const consumer of addressees) {
    if (message.body.kind === 'redeliver') await takeBackRedelivery(deps, consumer, message);
    else await wake(deps, consumer, message);
  }
  return true;
}

/** Where the queue is not told, every consumer that could have been meant: a wake-up too many changes nothing. */
function addresseesOf(consumers: readonly RegisteredConsumer[], { consumer, queueArn, body }: Understood) {
  const active = consumers.filter(({ status }) => status === 'active');
  if (consumer !== undefined) return active.filter(({ name }) => name === consumer);
  if (queueArn !== undefined) return active.filter(({ queueUrl }) => isQueue(queueUrl, queueArn));
  return active.filter(({ drill }) => drill === body.streamId.startsWith(DRILL_STREAM_PREFIX));
}

async function wake(deps: IntakeDeps, consumer: RegisteredConsumer, { record, body }: Understood): Promise<void> {
  if (body.kind !== 'wake-up') return;
  const { name } = consumer;
  const { streamId, correlationId } = body;
  const now = deps.clock.now();
  const checkpoint = await deps.checkpoints.get({ consumer: name, streamId });
  // It may be the message of a holder that died: others have acknowledged theirs because that one was to go on for them.
  const version = Math.max(body.version, checkpoint?.wanted ?? 0) as Version;
  const resolved = checkpoint?.version ?? 0;
  const rounds = await deps.rows.rounds(name, streamId, resolved);
  const decision: IntakeDecision = decideIntake({ checkpoint, rounds }, version);
  const facts = { consumer: name, streamId, version, correlationId, messageId: record.messageId, resolved, rounds };
  if (decision.kind === 'wake-up') {
    const message = { format: WAKE_UP_FORMAT, kind: 'wake-up', consumer: name, streamId, version, hops: 0 } as const;
    const { delaySeconds } = decision;
    await deps.rows.count(name, streamId, resolved, now);
    await deps.wakeUps.send(consumer.queueUrl, [
      { message: { ...message, reason: 'intake', ...(correlationId && { correlationId }) }, delaySeconds },
    ]);
  }
  if (decision.kind === 'owe') {
    await deps.openGaps.seen({ consumer: name, streamId, from: decision.from, to: version }, now);
    await deps.alerts.raise({
      consumer: name,
      fingerprint: 'given-up-by-queue',
      at: now,
      subject: `${name}: a stream makes no progress`,
      facts: { ...facts, next: `search the function's log for ${streamId}; the gap scan goes on waking it` },
    });
  }
  deps.metrics.count('DeadMessages', 1, 'Count', { consumer: name });
  deps.logger[decision.kind === 'drop' ? 'info' : 'warn']('dead message taken in', { ...facts, decision });
}

/** The rows that wait for this redelivery go back to where a redrive can select them; without one, the message is kept. */
async function takeBackRedelivery(
  deps: IntakeDeps,
  consumer: RegisteredConsumer,
  { record, body }: Understood,
): Promise<void> {
  if (body.kind !== 'redeliver') return;
  const { streamId, versions, replayId, correlationId } = body;
  const checkpoint = await deps.checkpoints.get({ consumer: consumer.name, streamId });
  let open = 0;
  for (const version of versions) {
    if (await isTakenBack(deps, consumer, streamId, version, checkpoint?.generation ?? 1)) open += 1;
  }
  const { messageId } = record;
  const facts = {
    consumer: consumer.name,
    streamId,
    versions,
    correlationId,
    replayId,
    messageId,
    takenBack: open,
  };
  deps.logger.warn('dead redelivery taken in', facts);
  if (open < versions.length) await keep(deps, record, consumer.name, `redelivery ${replayId} was given up on`);
}

/** True when the dead letter is open (again) or has its end. */
async function isTakenBack(
  { deadLetters, dynamo, clock }: IntakeDeps,
  { name: consumer }: RegisteredConsumer,
  streamId: StreamId,
  version: Version,
  generation: number,
): Promise<boolean> {
  const id = deadLetterId({ consumer, generation, version, streamId });
  const row = await deadLetters.get(id);
  if (row === undefined) return false;
  if (row.status !== 'redriving') return true;
  const now = clock.now();
  // It failed once more, without a word: people hear of it like of any failure.
  const failure = { lastFailedAt: now, untold: 'yes' };
  try {
    await dynamo.transactWrite({
      TransactItems: [deadLetters.statusWrite(id, ['redriving'], 'skipped', now, failure)],
    });
  } catch (error) {
    // Somebody ended it meanwhile.
    if (cancellation(error)?.kind !== 'refused') throw error;
  }
  return true;
}

/** What people are told about a message that was kept: the group of the alert, and what it says first. */
const NOT_UNDERSTOOD = { fingerprint: 'undeliverable', subject: 'a message nobody could act on was kept' };
const GIVEN_UP = { fingerprint: 'invocation-given-up', subject: 'an invocation was given up, its message is kept' };

/** @param whom consumer or function that it was for */
async function keep(
  deps: IntakeDeps,
  record: DeadRecord,
  whom: string,
  reason: string,
  { fingerprint, subject } = NOT_UNDERSTOOD,
): Promise<void> {
  const { messageId, eventSourceARN } = record;
  const correlationId = correlationIn(record.body);
  const now = deps.clock.now();
  await deps.rows.keep(record, reason, now);
  deps.metrics.count('DeadMessagesKept');
  deps.logger.error('dead message kept', { messageId, correlationId, eventSourceARN, consumer: whom, reason });
  await deps.alerts.raise({
    consumer: whom,
    fingerprint,
    at: now,
    subject: `${whom}: ${subject}`,
    facts: {
      messageId,
      correlationId,
      eventSourceARN,
      reason,
      next: `read it in the Recovery table: pk "undeliverable", sk "${messageId}#0000"`,
    },
  });
}
