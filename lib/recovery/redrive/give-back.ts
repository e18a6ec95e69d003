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

export interface GiveBackDeps {
  dynamo: Dynamo;
  checkpoints: Pick<Checkpoints, 'get' | 'unparkWrite'>;
  deadLetters: Pick<DeadLetters, 'statusWrite'>;
  openGaps: Pick<OpenGaps, 'openWrite'>;
  registry: Pick<Registry, 'get'>;
  wakeUps: WakeUps;
  audit: Pick<Audit, 'recordWrite'>;
  clock: Clock;
  logger: Logger;
}

export interface GiveBackOrder {
  runId: string;
  decision: 'retry' | 'discard';
  requestedBy: string;
  reason: string;
  requestId: string;
}

/** `changed`: somebody else was faster, nothing was done. */
export type GivenBack = 'given-back' | 'discarded' | 'changed';

/** @throws EventRecoveryError `CONSUMER_NOT_DEPLOYED` */
export async function giveBack(deps: GiveBackDeps, letter: DeadLetter, order: GiveBackOrder): Promise<GivenBack> {
  const consumer = await deps.registry.get(letter.consumer);
  if (consumer === undefined || consumer.status !== 'active') {
    throw new EventRecoveryError(
      'CONSUMER_NOT_DEPLOYED',
      `consumer "${letter.consumer}" is ${consumer?.status ?? 'not in the registry'}; its dead letters stay; remedy: deploy it again`,
      { facts: { consumer: letter.consumer, deadLetterId: letter.id } },
    );
  }
  const given =
    letter.status === 'parked'
      ? await unpark(deps, letter, order, consumer.queueUrl)
      : await again(deps, letter, order, consumer.queueUrl);
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

async function unpark(
  deps: GiveBackDeps,
  letter: DeadLetter,
  order: GiveBackOrder,
  queueUrl: string,
): Promise<GivenBack> {
  const { consumer, streamId, version } = letter;
  const key = { consumer, streamId };
  const now = deps.clock.now();
  const checkpoint = await deps.checkpoints.get(key);
  if (checkpoint?.parked?.deadLetterId !== letter.id) return 'changed';
  const to = Math.max(checkpoint.wanted, version) as Version;
  const done = await transact(deps, [
    deps.checkpoints.unparkWrite(key, letter.id, now, order.decision),
    deps.deadLetters.statusWrite(letter.id, ['parked'], 'redriving', now, touched(letter, order)),
    deps.openGaps.openWrite({ consumer, streamId, from: version, to, reason: 'redrive' }, now),
    audited(deps, letter, order),
  ]);
  // Refused: somebody else's work, or our own of which the answer was lost. A wake-up too many does no harm.
  if (!done && (await deps.checkpoints.get(key))?.redriving?.deadLetterId !== letter.id) return 'changed';
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
  return order.decision === 'discard' ? 'discarded' : 'given-back';
}

async function again(
  deps: GiveBackDeps,
  letter: DeadLetter,
  order: GiveBackOrder,
  queueUrl: string,
): Promise<GivenBack> {
  const { consumer, streamId, version } = letter;
  const isDiscard = order.decision === 'discard';
  // The message first: delivered twice it acts once (its replay id), never delivered it would leave a row that says it was.
  if (!isDiscard) {
    const message: QueueMessage = {
      format: WAKE_UP_FORMAT,
      kind: 'redeliver',
      consumer,
      streamId,
      versions: [version as number],
      replayId: `redrive-${order.runId}`,
      hops: 0,
    };
    await deps.wakeUps.send(queueUrl, [{ message }]);
  }
  const done = await transact(deps, [
    deps.deadLetters.statusWrite(
      letter.id,
      ['skipped'],
      isDiscard ? 'discarded' : 'redriving',
      deps.clock.now(),
      touched(letter, order),
    ),
    audited(deps, letter, order),
  ]);
  if (isDiscard) return done ? 'discarded' : 'changed';
  return 'given-back';
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
