// SQS standard queues: what consumers, intake and wake-ups rest on.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html

import { createWakeUps } from '../../../lib/flow/consumer/wake-ups.ts';
import { type QueueMessage, WAKE_UP_FORMAT } from '../../../lib/model/wake-up.ts';
import { endOf, type Scenario } from '../scenario.ts';
import type { QueueSettings, QueueSubject, Received } from './engine.ts';

type Play = (queue: QueueSubject) => Promise<unknown>;
const scenario = (
  name: string,
  settings: QueueSettings,
  play: Play,
  expected: unknown,
): Scenario<QueueSettings, QueueSubject> => ({ name, settings, play, expected });

/** What must not be there yet is looked for at once: on a busy machine that takes a second. */
const A_WHILE_SECONDS = 2;
const LONG = { visibilitySeconds: 30 };
const AGAIN_AT_ONCE = { visibilitySeconds: 0 };

/** `a x2`: body and receive count. SQS keeps no order, so lines are sorted. */
const told = (received: readonly Received[]): string[] =>
  received.map(({ body, receiveCount }) => `${body} x${receiveCount}`).sort();
const receive = async (queue: QueueSubject, most?: number): Promise<string[]> => told(await queue.receive(most));
const sendAll = async (queue: QueueSubject, ...bodies: readonly string[]): Promise<void> => {
  for (const body of bodies) await queue.send(body);
};
/** One after the other until nothing comes, at most `limit` times. */
async function drained(queue: QueueSubject, limit = 30): Promise<string[]> {
  const bodies: string[] = [];
  for (let turn = 0; turn < limit; turn += 1) {
    const batch = await queue.receive(10);
    if (batch.length === 0) break;
    for (const { body, handle } of batch) {
      bodies.push(body);
      await queue.remove(handle);
    }
  }
  return bodies.sort();
}

const wakeUp = (version: number, more: object = {}): QueueMessage =>
  ({
    format: WAKE_UP_FORMAT,
    kind: 'wake-up',
    consumer: 'inventory',
    streamId: 'order-1',
    version,
    hops: 0,
    reason: 'gap',
    ...more,
  }) as QueueMessage;
const wakeUpsOf = ({ client: sqs, world }: QueueSubject) => createWakeUps({ sqs, world });
const versions = async (queue: QueueSubject): Promise<number[]> =>
  (await drained(queue)).map((body) => (JSON.parse(body) as { version: number }).version).sort((a, b) => a - b);

export const QUEUES: readonly Scenario<QueueSettings, QueueSubject>[] = [
  scenario('an empty queue hands out nothing', LONG, (queue) => receive(queue, 10), []),
  scenario(
    'a message that was received is hidden from everybody',
    LONG,
    async (queue) => {
      await queue.send('a');
      return [await receive(queue), await receive(queue)];
    },
    [['a x1'], []],
  ),
  scenario(
    'a message comes back after its visibility timeout, counted',
    { visibilitySeconds: A_WHILE_SECONDS },
    async (queue) => {
      await queue.send('a');
      const before = [await receive(queue), await receive(queue)];
      await queue.pass(A_WHILE_SECONDS);
      return [...before, await receive(queue)];
    },
    [['a x1'], [], ['a x2']],
  ),
  scenario(
    'a visibility timeout of zero hides nothing',
    AGAIN_AT_ONCE,
    async (queue) => {
      await queue.send('a');
      return [await receive(queue), await receive(queue), await receive(queue)];
    },
    [['a x1'], ['a x2'], ['a x3']],
  ),
  scenario(
    'a message never comes back once it is deleted',
    AGAIN_AT_ONCE,
    async (queue) => {
      await queue.send('a');
      const [first] = await queue.receive();
      await queue.remove(first?.handle ?? '');
      return receive(queue);
    },
    [],
  ),
  scenario(
    'a message is deleted by the handle of its last receive',
    AGAIN_AT_ONCE,
    async (queue) => {
      await queue.send('a');
      await queue.receive();
      const [second] = await queue.receive();
      await queue.remove(second?.handle ?? '');
      return receive(queue);
    },
    [],
  ),
  scenario(
    'deleting twice is no error',
    AGAIN_AT_ONCE,
    async (queue) => {
      await queue.send('a');
      const [first] = await queue.receive();
      await queue.remove(first?.handle ?? '');
      return [await endOf(queue.remove(first?.handle ?? '')), await receive(queue)];
    },
    [undefined, []],
  ),
  scenario(
    'deleting one leaves the others',
    AGAIN_AT_ONCE,
    async (queue) => {
      await sendAll(queue, 'a', 'b', 'c');
      const one = (await queue.receive(10)).find(({ body }) => body === 'b');
      await queue.remove(one?.handle ?? '');
      return receive(queue, 10);
    },
    ['a x2', 'c x2'],
  ),
  scenario(
    'a receive hands out what is there, up to what was asked for',
    LONG,
    async (queue) => {
      await sendAll(queue, 'a', 'b', 'c');
      const first = await queue.receive(2);
      const rest = await queue.receive(10);
      return [first.length, rest.length, [...first, ...rest].map(({ body }) => body).sort()];
    },
    [2, 1, ['a', 'b', 'c']],
  ),
  scenario(
    'the same body twice is two messages',
    LONG,
    async (queue) => {
      await sendAll(queue, 'a', 'a');
      return receive(queue, 10);
    },
    ['a x1', 'a x1'],
  ),
  scenario(
    'one that is hidden does not keep others back',
    LONG,
    async (queue) => {
      await queue.send('a');
      const first = await receive(queue);
      await queue.send('b');
      return [first, await receive(queue, 10)];
    },
    [['a x1'], ['b x1']],
  ),
  scenario(
    'JSON, line breaks and letters of any script arrive as they were sent',
    LONG,
    async (queue) => {
      await queue.send('{"name":"Zoë\\n","text":"日本語"}\n\t');
      return receive(queue);
    },
    ['{"name":"Zoë\\n","text":"日本語"}\n\t x1'],
  ),
  scenario(
    'a delayed message arrives later, received once',
    LONG,
    async (queue) => {
      await queue.send('a', A_WHILE_SECONDS);
      const early = await receive(queue);
      await queue.pass(A_WHILE_SECONDS);
      return [early, await receive(queue)];
    },
    [[], ['a x1']],
  ),
  scenario(
    'a delay holds back its own message only',
    LONG,
    async (queue) => {
      await queue.send('late', A_WHILE_SECONDS);
      await queue.send('now', 0);
      const early = await receive(queue, 10);
      await queue.pass(A_WHILE_SECONDS);
      return [early, await receive(queue, 10)];
    },
    [['now x1'], ['late x1']],
  ),
  scenario(
    'a delay is of the first delivery: afterwards the visibility timeout counts',
    { visibilitySeconds: 0 },
    async (queue) => {
      await queue.send('a', A_WHILE_SECONDS);
      await queue.pass(A_WHILE_SECONDS);
      return [await receive(queue), await receive(queue)];
    },
    [['a x1'], ['a x2']],
  ),
  scenario(
    'without a redrive policy a message is handed out for ever',
    AGAIN_AT_ONCE,
    async (queue) => {
      await queue.send('a');
      for (let turn = 0; turn < 11; turn += 1) await queue.receive();
      return [await receive(queue), await queue.dead()];
    },
    [['a x12'], []],
  ),
  scenario(
    'it moves to the dead-letter queue at the receive after its last one, not before',
    { ...AGAIN_AT_ONCE, maxReceiveCount: 2 },
    async (queue) => {
      await queue.send('a');
      const lines = [await receive(queue), await receive(queue), await queue.dead()];
      return [...lines, await receive(queue), await queue.dead()];
    },
    [['a x1'], ['a x2'], [], [], ['a']],
  ),
  scenario(
    'it is handed out once when that is all it may be',
    { ...AGAIN_AT_ONCE, maxReceiveCount: 1 },
    async (queue) => {
      await queue.send('a');
      return [await receive(queue), await receive(queue), await queue.dead()];
    },
    [['a x1'], [], ['a']],
  ),
  scenario(
    'one that is worked on does not move, however long',
    { visibilitySeconds: 30, maxReceiveCount: 1 },
    async (queue) => {
      await queue.send('a');
      const first = await receive(queue);
      return [first, await receive(queue), await queue.dead()];
    },
    [['a x1'], [], []],
  ),
  scenario(
    'one that was deleted in time never reaches the dead-letter queue',
    { ...AGAIN_AT_ONCE, maxReceiveCount: 1 },
    async (queue) => {
      await queue.send('a');
      const [first] = await queue.receive();
      await queue.remove(first?.handle ?? '');
      return [await receive(queue), await queue.dead()];
    },
    [[], []],
  ),
  scenario(
    'one that moves makes room for the others in the same receive',
    { ...AGAIN_AT_ONCE, maxReceiveCount: 1 },
    async (queue) => {
      await queue.send('old');
      await queue.receive();
      await queue.send('new');
      return [await receive(queue, 10), await queue.dead()];
    },
    [['new x1'], ['old']],
  ),
  scenario(
    'several move at one receive',
    { ...AGAIN_AT_ONCE, maxReceiveCount: 1 },
    async (queue) => {
      await sendAll(queue, 'a', 'b', 'c');
      await queue.receive(10);
      return [await receive(queue, 10), (await queue.dead()).sort()];
    },
    [[], ['a', 'b', 'c']],
  ),
  scenario(
    'nothing that moved comes back',
    { ...AGAIN_AT_ONCE, maxReceiveCount: 1 },
    async (queue) => {
      await queue.send('a');
      for (let turn = 0; turn < 4; turn += 1) await queue.receive(10);
      return [await receive(queue), await queue.dead()];
    },
    [[], ['a']],
  ),
  scenario(
    'wake-ups: more than a request holds all arrive, each once',
    LONG,
    async (queue) => {
      const many = Array.from({ length: 25 }, (_, index) => ({ message: wakeUp(index + 1) }));
      await queue.until(() => wakeUpsOf(queue).send(queue.url, many));
      return versions(queue);
    },
    Array.from({ length: 25 }, (_, index) => index + 1),
  ),
  scenario(
    'wake-ups: no message sends nothing',
    LONG,
    async (queue) => [await endOf(queue.until(() => wakeUpsOf(queue).send(queue.url, []))), await receive(queue, 10)],
    [undefined, []],
  ),
  scenario(
    'wake-ups: each has its own delay',
    LONG,
    async (queue) => {
      const later = { message: wakeUp(2), delaySeconds: A_WHILE_SECONDS };
      await queue.until(() => wakeUpsOf(queue).send(queue.url, [later, { message: wakeUp(1) }]));
      const early = await versions(queue);
      await queue.pass(A_WHILE_SECONDS);
      return [early, await versions(queue)];
    },
    [[1], [2]],
  ),
  scenario(
    'wake-ups: a queue that is not there is an error',
    LONG,
    (queue) => endOf(queue.until(() => wakeUpsOf(queue).send(`${queue.url}-gone`, [{ message: wakeUp(1) }]))),
    'WAKE_UP_NOT_SENT',
  ),
  scenario(
    'wake-ups: a delay beyond 900 seconds sends nothing at all',
    LONG,
    async (queue) => {
      const messages = [{ message: wakeUp(1) }, { message: wakeUp(2), delaySeconds: 901 }];
      return [await endOf(queue.until(() => wakeUpsOf(queue).send(queue.url, messages))), await receive(queue, 10)];
    },
    ['INVALID_DELAY', []],
  ),
  scenario(
    'wake-ups: one above 1 MiB sends nothing at all',
    LONG,
    async (queue) => {
      const messages = [{ message: wakeUp(1) }, { message: wakeUp(2, { reason: 'x'.repeat(1_048_576) }) }];
      return [await endOf(queue.until(() => wakeUpsOf(queue).send(queue.url, messages))), await receive(queue, 10)];
    },
    ['WAKE_UP_TOO_LARGE', []],
  ),
  scenario(
    'wake-ups: large ones go in requests of at most 1 MiB',
    LONG,
    async (queue) => {
      const large = [1, 2, 3].map((version) => ({ message: wakeUp(version, { reason: 'x'.repeat(500_000) }) }));
      await queue.until(() => wakeUpsOf(queue).send(queue.url, large));
      return versions(queue);
    },
    [1, 2, 3],
  ),
];
