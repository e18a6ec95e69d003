// One dead letter back to its consumer. A parked one: un-park, status, open-gap row and audit in ONE transaction, then the
// wake-up; a crash between leaves the row, which the next scan sees. A skipped one is delivered again under the run's id,
// once, however often this is repeated. Whatever somebody else changed meanwhile is left alone and said.

import type { Checkpoints } from '../../flow/checkpoint/port.ts';
import type { WakeUps } from '../../flow/consumer/port.ts';
import type { DeadLetters } from '../../flow/dead-letter/port.ts';
import type { Registry } from '../../flow/registry/port.ts';
import type { DeadLetter } from '../../model/dead-letter.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import type { Version } from '../../model/ids.ts';
import { type QueueMessage, WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { Clock } from '../../platform/clock.ts';
import { cancellation } from '../../platform/dynamodb/failures.ts';
import type { Dynamo, Write } from '../../platform/dynamodb/port.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Audit } from '../audit/audit.ts';
import type { OpenGaps } from '../gap/open-gaps.ts';
import { isOpen, ROUNDS_MAX } from './select.ts';

export interface GiveBackDeps {
  dynamo: Dynamo;
  checkpoints: Pick<Checkpoints, 'get' | 'unparkWrite'>;
  deadLetters: Pick<DeadLetters, 'get' | 'statusWrite'>;
  openGaps: Pick<OpenGaps, 'openWrite' | 'get'>;
  registry: Pick<Registry, 'get'>;
  wakeUps: WakeUps;
  audit: Pick<Audit, 'recordWrite'>;
  /** The server clock. */
  clock: Clock;
  logger: Logger;
}

export interface GiveBackOrder {
  runId: string;
  decision: 'retry' | 'discard';
  /** Also when its rounds are used up. */
  force: boolean;
  requestedBy: string;
  reason: string;
  requestId: string;
}

/** `changed`: somebody else was faster, nothing was done. */
export type GivenBack = 'given-back' | 'discarded' | 'changed';

/** @throws EventRecoveryError `CONSUMER_NOT_DEPLOYED` */
export async function giveBack(deps: GiveBackDeps, id: string, order: GiveBackOrder): Promise<GivenBack> {
  const letter = await deps.deadLetters.get(id);
  if (letter === undefined || !isOpen(letter) || (letter.rounds >= ROUNDS_MAX && !order.force)) return 'changed';
  const consumer = await deps.registry.get(letter.consumer);
  if (consumer?.status !== 'active') {
    throw new EventRecoveryError(
      'CONSUMER_NOT_DEPLOYED',
      `consumer "${letter.consumer}" is ${consumer?.status ?? 'not in the registry'}; its dead letters stay; remedy: deploy it again`,
      { facts: { consumer: letter.consumer, deadLetterId: letter.id } },
    );
  }
  const give = letter.status === 'parked' ? unpark : again;
  const given = await give(deps, letter, order, consumer.queueUrl);
  const { id: deadLetterId, correlationId, streamId, version } = letter;
  deps.logger.info('dead letter given back', {
    consumer: letter.consumer,
    streamId,
    version,
    correlationId,
    deadLetterId,
    given,
    runId: order.runId,
  });
  return given;
}

/** Every round more needs a scan that records more of this very stream in between. */
const UNPARK_ROUNDS = 3;

/** A discard is decided here and applied by the consumer, which passes the event with outcome `discarded`. */
async function unpark(
  deps: GiveBackDeps,
  letter: DeadLetter,
  order: GiveBackOrder,
  queueUrl: string,
): Promise<GivenBack> {
  const { consumer, streamId, version } = letter;
  const key = { consumer, streamId };
  const isDiscard = order.decision === 'discard';
  const status = isDiscard ? 'discarded' : 'redriving';
  let to: Version;
  for (let round = 1; ; round++) {
    const now = deps.clock.now();
    const checkpoint = await deps.checkpoints.get(key);
    if (checkpoint?.parked?.deadLetterId !== letter.id) return 'changed';
    // A scan may have recorded events of which no delivery has told the checkpoint.
    const recorded = await deps.openGaps.get(consumer, streamId);
    to = Math.max(checkpoint.wanted, version, recorded?.to ?? 0) as Version;
    const done = await transact(deps, [
      deps.checkpoints.unparkWrite(key, letter.id, now, order.decision),
      deps.deadLetters.statusWrite(letter.id, ['parked'], status, now, touched(letter, order)),
      deps.openGaps.openWrite({ consumer, streamId, from: version, to, reason: 'redrive' }, now),
      audited(deps, letter, order),
    ]);
    if (done) break;
    // Refused: somebody else's work, or our own of which the answer was lost. A wake-up too many does no harm.
    if ((await deps.deadLetters.get(letter.id))?.lastRunId === order.runId) break;
    if (round === UNPARK_ROUNDS) return 'changed';
  }
  await deps.wakeUps.send(queueUrl, [
    {
      message: {
        format: WAKE_UP_FORMAT,
        kind: 'wake-up',
        consumer,
        streamId,
        version: to,
        hops: 0,
        reason: 'redrive',
        correlationId: letter.correlationId,
      },
    },
  ]);
  return isDiscard ? 'discarded' : 'given-back';
}

/** A skipped event: the checkpoint has passed it, so only a redelivery reaches it, and only its row is discarded. */
async function again(
  deps: GiveBackDeps,
  letter: DeadLetter,
  order: GiveBackOrder,
  queueUrl: string,
): Promise<GivenBack> {
  const { consumer, streamId, version, generation, rounds } = letter;
  const isDiscard = order.decision === 'discard';
  // The message first: delivered twice it acts once; never delivered it would leave a row that says it was. Its replay id is
  // the round's, so that two runs at once are one delivery.
  if (!isDiscard) {
    const message: QueueMessage = {
      format: WAKE_UP_FORMAT,
      kind: 'redeliver',
      consumer,
      streamId,
      versions: [version as number],
      replayId: `redrive-g${generation}-r${rounds}`,
      hops: 0,
      whileOpen: true,
      correlationId: letter.correlationId,
    };
    await deps.wakeUps.send(queueUrl, [{ message }]);
  }
  const status = isDiscard ? 'discarded' : 'redriving';
  const write = deps.deadLetters.statusWrite(letter.id, ['skipped'], status, deps.clock.now(), touched(letter, order));
  const touchedNow = await transact(deps, [unlessFailedSince(write, letter), audited(deps, letter, order)]);
  // Refused: somebody else's work, or our own of which the answer was lost.
  const isOurs = touchedNow || (await deps.deadLetters.get(letter.id))?.lastRunId === order.runId;
  if (isDiscard) return isOurs ? 'discarded' : 'changed';
  // The consumer was faster than the row: the message was sent all the same, and somebody asked for that.
  if (!isOurs) await deps.dynamo.transactWrite({ TransactItems: [audited(deps, letter, order)] });
  return 'given-back';
}

/** The consumer may have failed once more before the row was touched: then the row is as it should be. */
function unlessFailedSince(write: Write, { lastFailedAt }: DeadLetter): Write {
  const { Update } = write;
  if (Update === undefined) throw new Error('a change of status is an update');
  return {
    Update: {
      ...Update,
      ConditionExpression: `${Update.ConditionExpression} AND #lastFailedAt = :seenFailedAt`,
      ExpressionAttributeNames: { ...Update.ExpressionAttributeNames, '#lastFailedAt': 'lastFailedAt' },
      ExpressionAttributeValues: { ...Update.ExpressionAttributeValues, ':seenFailedAt': lastFailedAt },
    },
  };
}

const touched = (letter: DeadLetter, { runId, decision, reason }: GiveBackOrder) => ({
  lastRunId: runId,
  ...(decision === 'discard' ? { discardReason: reason } : { rounds: letter.rounds + 1 }),
});

const audited = (
  { audit }: GiveBackDeps,
  { id, consumer, streamId, version }: DeadLetter,
  order: GiveBackOrder,
): Write =>
  audit.recordWrite({
    action: order.decision === 'discard' ? 'discard' : 'redrive',
    requestedBy: order.requestedBy,
    reason: order.reason,
    requestId: order.requestId,
    input: { deadLetterId: id, consumer, streamId, version },
    outcome: { runId: order.runId },
  });

/** False when a condition was refused: the state is not what was seen. */
async function transact({ dynamo }: GiveBackDeps, writes: Write[]): Promise<boolean> {
  try {
    await dynamo.transactWrite({ TransactItems: writes });
    return true;
  } catch (error) {
    if (cancellation(error)?.kind === 'refused') return false;
    throw error;
  }
}
