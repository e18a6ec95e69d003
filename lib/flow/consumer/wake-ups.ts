// Wake-ups over SQS: sent in batches, and what a batch refuses is sent again by itself with growing, jittered pauses, a
// bounded number of times. Everything was sent when `send` returns; it throws when one message was not. At least once:
// a message whose answer was lost is sent twice, and a wake-up that comes twice changes nothing.

import {
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SendMessageBatchResult,
} from '@aws-sdk/client-sqs';
import { EventRecoveryError, InvalidInputError } from '../../model/errors.ts';
import type { QueueMessage } from '../../model/wake-up.ts';
import type { World } from '../../platform/clock.ts';
import type { WakeUps } from './port.ts';

/** SQS API reference, SendMessageBatch: up to 10 messages a request. */
export const BATCH_ENTRIES_MAX = 10;
/** The same page: 1 MiB for each message and for all of a request together. */
export const BATCH_BYTES_MAX = 1_048_576;
/** The same page, DelaySeconds: 0 to 900. */
export const DELAY_SECONDS_MAX = 900;

/** After the first try; pauses of at most 100, 200, 400 and 800 ms: 1.5 s altogether. */
const RETRIES = 4;
const FIRST_PAUSE_MS = 100;

/** The part of an SQS client that is needed here. */
export interface SqsSender {
  send(command: SendMessageBatchCommand): Promise<SendMessageBatchResult>;
}

interface Outgoing {
  entry: SendMessageBatchRequestEntry;
  bytes: number;
}

interface Refusal {
  outgoing: Outgoing;
  code: string;
  message: string;
  /** SQS says that this very message is wrong: sending it again cannot help. */
  permanent: boolean;
}

/**
 * @throws InvalidInputError `INVALID_DELAY`, `WAKE_UP_TOO_LARGE`: nothing was sent
 * @throws EventRecoveryError `WAKE_UP_NOT_SENT`: some may have been sent; sending all of them again is harmless
 * @example await createWakeUps({ sqs: createSqsClient(), world }).send(queueUrl, [{ message, delaySeconds: 4 }]);
 */
export function createWakeUps({ sqs, world }: { sqs: SqsSender; world: Pick<World, 'timers' | 'random'> }): WakeUps {
  return {
    async send(queueUrl, messages) {
      let unsent = messages.map(toOutgoing);
      let refusals: Refusal[] = [];
      for (let retry = 0; retry <= RETRIES && unsent.length > 0; retry++) {
        if (retry > 0) await world.timers.sleep(pauseMs(retry, world.random.next()));
        refusals = [];
        for (const batch of batchesOf(unsent)) refusals.push(...(await sendBatch(sqs, queueUrl, batch)));
        const permanent = refusals.find((refusal) => refusal.permanent);
        if (permanent) throw notSent(queueUrl, refusals, permanent);
        unsent = refusals.map(({ outgoing }) => outgoing);
      }
      const last = refusals.at(-1);
      if (last) throw notSent(queueUrl, refusals, last);
    },
  };
}

/** Full jitter: anything up to the pause's limit. */
const pauseMs = (retry: number, random: number): number => Math.ceil(random * FIRST_PAUSE_MS * 2 ** (retry - 1));

function toOutgoing(
  { message, delaySeconds }: { message: QueueMessage; delaySeconds?: number },
  index: number,
): Outgoing {
  const inRange = delaySeconds === undefined || (Number.isInteger(delaySeconds) && delaySeconds >= 0);
  if (!inRange || (delaySeconds ?? 0) > DELAY_SECONDS_MAX) {
    throw new InvalidInputError('INVALID_DELAY', {
      what: 'delay of a wake-up, in seconds',
      got: delaySeconds,
      allowed: `a whole number from 0 to ${DELAY_SECONDS_MAX} (SQS)`,
      remedy: 'wait in steps, or let a schedule send it',
    });
  }
  const body = messageBody(message);
  const bytes = Buffer.byteLength(body);
  if (bytes > BATCH_BYTES_MAX) {
    throw new InvalidInputError('WAKE_UP_TOO_LARGE', {
      what: 'wake-up, in bytes',
      got: bytes,
      allowed: `at most ${BATCH_BYTES_MAX} (SQS)`,
      remedy: 'send fewer versions in one message',
    });
  }
  return { entry: { Id: String(index), MessageBody: body, DelaySeconds: delaySeconds }, bytes };
}

/** SQS refuses the two characters that XML does not know; JSON may write them as escapes. */
const messageBody = (message: QueueMessage): string =>
  JSON.stringify(message).replace(/[\ufffe\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);

function batchesOf(messages: readonly Outgoing[]): Outgoing[][] {
  const batches: Outgoing[][] = [];
  let open: Outgoing[] = [];
  let openBytes = 0;
  for (const message of messages) {
    if (open.length === BATCH_ENTRIES_MAX || openBytes + message.bytes > BATCH_BYTES_MAX) {
      batches.push(open);
      open = [];
      openBytes = 0;
    }
    open.push(message);
    openBytes += message.bytes;
  }
  if (open.length > 0) batches.push(open);
  return batches;
}

/** What was not accepted. A message that the answer does not mention counts as refused: it may be lost. */
async function sendBatch(sqs: SqsSender, queueUrl: string, batch: readonly Outgoing[]): Promise<Refusal[]> {
  const answer = await request(sqs, queueUrl, batch);
  const accepted = new Set((answer.Successful ?? []).map(({ Id }) => Id));
  const failed = new Map((answer.Failed ?? []).map((failure) => [failure.Id, failure]));
  return batch
    .filter(({ entry }) => !accepted.has(entry.Id))
    .map((outgoing) => {
      const failure = failed.get(outgoing.entry.Id);
      return {
        outgoing,
        code: failure?.Code ?? 'NotMentioned',
        message: failure?.Message ?? 'the answer does not mention this message',
        permanent: failure?.SenderFault === true && !THROTTLING.has(failure.Code ?? ''),
      };
    });
}

async function request(sqs: SqsSender, queueUrl: string, batch: readonly Outgoing[]): Promise<SendMessageBatchResult> {
  const entries = batch.map(({ entry }) => entry);
  try {
    return await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
  } catch (cause) {
    throw new EventRecoveryError(
      'WAKE_UP_NOT_SENT',
      `SendMessageBatch to ${queueUrl} failed: ${(cause as Error)?.message}; remedy: the same messages may be sent again`,
      { retryable: true, facts: { queueUrl, messages: batch.length }, cause },
    );
  }
}

/** Reported as the sender's fault, and yet over in a moment. */
const THROTTLING = new Set(['ThrottlingException', 'Throttling', 'RequestThrottled', 'KmsThrottled']);

function notSent(
  queueUrl: string,
  refusals: readonly Refusal[],
  { code, message, permanent }: Refusal,
): EventRecoveryError {
  return new EventRecoveryError(
    'WAKE_UP_NOT_SENT',
    `${refusals.length} wake-up(s) to ${queueUrl} were refused by SQS, the last with ${code}: ${message}; remedy: ${
      permanent ? 'correct what SQS names' : 'the same messages may be sent again'
    }`,
    { retryable: !permanent, facts: { queueUrl, refused: refusals.length, code } },
  );
}
