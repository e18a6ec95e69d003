// The simulated queue gives the same answers as a real SQS server (fauxqs) in the scenarios that consumers rest on. Each is
// told as a transcript; times are virtual on one side and waited for on the other.

import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildApp } from 'fauxqs';
import { asMacrotask } from '../kernel/drain.ts';
import { createScheduler, START_OF_TIME } from '../kernel/scheduler.ts';
import { createTrace } from '../kernel/trace.ts';
import { createFaults } from './faults.ts';
import { createQueue } from './queue.ts';

interface Received {
  body: string;
  receiveCount: number;
  handle: string;
}

interface Engine {
  send(body: string, delaySeconds?: number): Promise<void>;
  receive(): Promise<Received | undefined>;
  remove(handle: string): Promise<void>;
  /** Receives from the dead-letter queue. */
  receiveDead(): Promise<string | undefined>;
  pass(seconds: number): Promise<void>;
}

interface Settings {
  visibilitySeconds: number;
  maxReceiveCount: number;
}

async function simulated({ visibilitySeconds, maxReceiveCount }: Settings): Promise<Engine> {
  const scheduler = await asMacrotask((drain) => createScheduler(drain));
  const trace = createTrace(scheduler.now, START_OF_TIME, false);
  const faults = createFaults({ seed: 1, rates: {}, from: 0, until: 0 }, scheduler.now, trace);
  const common = { seed: 1, visibilityTimeoutMs: visibilitySeconds * 1_000, maxReceiveCount };
  const deadLetters = createQueue(scheduler, faults, trace, { ...common, name: 'dead' });
  const queue = createQueue(scheduler, faults, trace, { ...common, name: 'queue', deadLetters });
  return {
    send: async (body, delaySeconds = 0) => void queue.send(body, delaySeconds * 1_000),
    receive: async () => {
      const [message] = queue.receive(1);
      return message && { body: message.body, receiveCount: message.receiveCount, handle: message.receiptHandle };
    },
    remove: async (handle) => queue.delete(handle),
    receiveDead: async () => deadLetters.receive(1)[0]?.body,
    pass: async (seconds) => {
      const until = scheduler.now() + seconds * 1_000;
      // Virtual time only moves to something that is planned.
      scheduler.at(until, () => undefined);
      await asMacrotask(() => scheduler.run({ until, maxSteps: 10 }));
    },
  };
}

const app = buildApp({ logger: false });
let sqs: SQSClient;
let queues = 0;
beforeAll(async () => {
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const credentials = { accessKeyId: 'none', secretAccessKey: 'none' };
  sqs = new SQSClient({ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', credentials });
});
afterAll(async () => {
  sqs.destroy();
  await app.close();
});

async function real({ visibilitySeconds, maxReceiveCount }: Settings): Promise<Engine> {
  const create = async (Attributes: Record<string, string>): Promise<string> => {
    queues += 1;
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `parity-${queues}`, Attributes }));
    return QueueUrl;
  };
  const dead = await create({});
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: dead, AttributeNames: ['QueueArn'] }),
  );
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes.QueueArn, maxReceiveCount });
  const QueueUrl = await create({ VisibilityTimeout: String(visibilitySeconds), RedrivePolicy });
  const receiveFrom = async (url: string): Promise<Received | undefined> => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 1,
        WaitTimeSeconds: 0,
        MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      }),
    );
    const [message] = Messages;
    if (message === undefined) return undefined;
    const receiveCount = Number(message.Attributes?.ApproximateReceiveCount);
    return { body: message.Body ?? '', receiveCount, handle: message.ReceiptHandle ?? '' };
  };
  return {
    send: async (MessageBody, DelaySeconds = 0) => {
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, DelaySeconds }));
    },
    receive: () => receiveFrom(QueueUrl),
    remove: async (ReceiptHandle) => {
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    },
    receiveDead: async () => (await receiveFrom(dead))?.body,
    pass: (seconds) => sleep(seconds * 1_000 + 150),
  };
}

type Line = string | undefined;
const told = (message: Received | undefined): Line => message && `${message.body} x${message.receiveCount}`;

const SCENARIOS: readonly [string, Settings, (engine: Engine) => Promise<Line[]>, Line[]][] = [
  [
    'an empty queue hands nothing out',
    { visibilitySeconds: 30, maxReceiveCount: 3 },
    async (engine) => [told(await engine.receive()), await engine.receiveDead()],
    [undefined, undefined],
  ],
  [
    'a received message is hidden from everybody',
    { visibilitySeconds: 30, maxReceiveCount: 3 },
    async (engine) => {
      await engine.send('a');
      return [told(await engine.receive()), told(await engine.receive())];
    },
    ['a x1', undefined],
  ],
  [
    'comes back after its visibility timeout, counted',
    { visibilitySeconds: 1, maxReceiveCount: 5 },
    async (engine) => {
      await engine.send('a');
      const lines = [told(await engine.receive()), told(await engine.receive())];
      await engine.pass(1);
      return [...lines, told(await engine.receive())];
    },
    ['a x1', undefined, 'a x2'],
  ],
  [
    'never comes back once it is deleted',
    { visibilitySeconds: 0, maxReceiveCount: 5 },
    async (engine) => {
      await engine.send('a');
      const first = await engine.receive();
      await engine.remove(first?.handle ?? '');
      return [told(first), told(await engine.receive())];
    },
    ['a x1', undefined],
  ],
  [
    'is deleted by the handle of an earlier receive as well',
    { visibilitySeconds: 0, maxReceiveCount: 5 },
    async (engine) => {
      await engine.send('a');
      const first = await engine.receive();
      const second = await engine.receive();
      await engine.remove(second?.handle ?? '');
      return [told(first), told(second), told(await engine.receive())];
    },
    ['a x1', 'a x2', undefined],
  ],
  [
    'moves to the dead-letter queue at the receive after its last one, not before',
    { visibilitySeconds: 0, maxReceiveCount: 2 },
    async (engine) => {
      await engine.send('a');
      const lines = [told(await engine.receive()), told(await engine.receive()), await engine.receiveDead()];
      return [...lines, told(await engine.receive()), await engine.receiveDead()];
    },
    ['a x1', 'a x2', undefined, undefined, 'a'],
  ],
  [
    'that was deleted in time never reaches the dead-letter queue',
    { visibilitySeconds: 0, maxReceiveCount: 1 },
    async (engine) => {
      await engine.send('a');
      const first = await engine.receive();
      await engine.remove(first?.handle ?? '');
      return [told(first), told(await engine.receive()), await engine.receiveDead()];
    },
    ['a x1', undefined, undefined],
  ],
  [
    'that is delayed arrives later',
    { visibilitySeconds: 30, maxReceiveCount: 3 },
    async (engine) => {
      await engine.send('a', 1);
      const early = told(await engine.receive());
      await engine.pass(1);
      return [early, told(await engine.receive())];
    },
    [undefined, 'a x1'],
  ],
  [
    'that fails does not keep others from being handed out',
    { visibilitySeconds: 30, maxReceiveCount: 3 },
    async (engine) => {
      await engine.send('a');
      await engine.send('b');
      const bodies = [(await engine.receive())?.body, (await engine.receive())?.body];
      return [...bodies.sort(), told(await engine.receive())];
    },
    ['a', 'b', undefined],
  ],
];

describe.each([
  ['simulated', simulated],
  ['fauxqs', real],
] as const)('a queue, %s: a message', (_name, create) => {
  it.each(SCENARIOS)('%s', async (_title, settings, play, expected) => {
    expect(await play(await create(settings))).toEqual(expected);
  });
});
