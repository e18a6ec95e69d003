// The custom resource of a consumer, over the real registry on the memory engine: CloudFormation's whole life of a
// resource, its retries, and requests that nobody should send.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { handleConsumerResource } from '../../../lib/flow/registry/consumer-resource.ts';
import type { Registry } from '../../../lib/flow/registry/port.ts';
import { createRegistry } from '../../../lib/flow/registry/registry.ts';
import { consumerName, type Position } from '../../../lib/model/ids.ts';
import type { ResourceAnswer } from '../../../lib/platform/cloudformation-answer.ts';
import { createMemoryDynamo } from '../../../lib/platform/dynamodb/memory/index.ts';
import { CHECKPOINTS_TABLE } from '../../../lib/platform/dynamodb/schemas.ts';
import { recordingLogger } from '../../../lib/platform/logging.ts';

const URL = 'https://cloudformation-custom-resource-response.s3.amazonaws.com/answer?signature=secret';
const declaration = {
  name: 'inventory',
  eventTypes: ['OrderPlaced'],
  effects: 'transactional',
  onPoison: 'park',
  startFrom: 'beginning',
  maxAttempts: 3,
  groupCommits: false,
  drill: false,
  verifiesEffects: true,
};

let nowMs: number;
let headPosition: number;
let registry: Registry;
let logger: ReturnType<typeof recordingLogger>;
let answered: { url: string; answer: ResourceAnswer }[];
/** How long a work that does not end may run, by the fake timer: it fires when the test says so. */
let fireTimer: (() => void) | undefined;
let sleptMs: number[];

beforeEach(() => {
  nowMs = 1_000;
  headPosition = 500;
  const clock = { now: () => nowMs };
  registry = createRegistry({
    dynamo: createMemoryDynamo({ clock, tables: [CHECKPOINTS_TABLE] }),
    checkpointsTable: CHECKPOINTS_TABLE.name,
  });
  logger = recordingLogger();
  answered = [];
  sleptMs = [];
  fireTimer = undefined;
});

/** The log's head, read when it is asked for. */
let onHead: () => Promise<void> = async () => undefined;

const send = (
  event: unknown,
  { remainingMs = 60_000, ...override }: Partial<Registry> & { remainingMs?: number } = {},
) =>
  handleConsumerResource(event, remainingMs, {
    registry: { ...registry, ...override },
    log: {
      head: async () => {
        await onHead();
        return headPosition as Position;
      },
    },
    answers: {
      put: async (url, answer) => {
        answered.push({ url, answer });
      },
    },
    clock: { now: () => nowMs },
    timers: {
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          sleptMs.push(ms);
          fireTimer = resolve;
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
    },
    logger,
  });

const lastAnswer = (): ResourceAnswer => answered.at(-1)?.answer as ResourceAnswer;
const entry = () => registry.get(consumerName('inventory'));

const request = (
  RequestType: string,
  change: Record<string, unknown> = {},
  properties: Record<string, unknown> = {},
) => ({
  RequestType,
  ResponseURL: URL,
  StackId: 'arn:aws:cloudformation:eu-central-1:1:stack/shop/1',
  RequestId: 'r-1',
  LogicalResourceId: 'InventoryRegistration',
  ResourceType: 'Custom::EventConsumer',
  ...(RequestType === 'Create' ? {} : { PhysicalResourceId: 'inventory' }),
  ResourceProperties: {
    ServiceToken: 'arn:aws:lambda:eu-central-1:1:function:register',
    Declaration: JSON.stringify(declaration),
    QueueUrl: 'https://sqs/inventory',
    FunctionName: 'inventory-fn',
    Owner: 'shop/InventoryQueue',
    ...properties,
  },
  ...change,
});

describe('creating', () => {
  it('registers the consumer and answers with its name as the physical id', async () => {
    await send(request('Create'));
    expect(answered).toEqual([
      {
        url: URL,
        answer: {
          Status: 'SUCCESS',
          Reason: 'registered',
          PhysicalResourceId: 'inventory',
          StackId: 'arn:aws:cloudformation:eu-central-1:1:stack/shop/1',
          RequestId: 'r-1',
          LogicalResourceId: 'InventoryRegistration',
          Data: { ConsumerName: 'inventory', StartPosition: '0', BackfillEventTypes: '0' },
        },
      },
    ]);
    expect(await entry()).toMatchObject({
      status: 'active',
      owner: 'shop/InventoryQueue',
      functionName: 'inventory-fn',
    });
  });

  it('begins at the head of the log when the consumer starts from now', async () => {
    await send(request('Create', {}, { Declaration: JSON.stringify({ ...declaration, startFrom: 'now' }) }));
    expect(lastAnswer().Data).toMatchObject({ StartPosition: '500' });
  });

  it('repeated by CloudFormation changes nothing and answers the same', async () => {
    await send(request('Create'));
    const [first, registered] = [lastAnswer(), await entry()];
    nowMs = 9_000;
    headPosition = 900;
    await send(request('Create'));
    expect(lastAnswer()).toEqual(first);
    expect(await entry()).toEqual(registered);
  });

  it('understands a declaration whose numbers and booleans CloudFormation made text', async () => {
    const texts = { ...declaration, maxAttempts: '5', groupCommits: 'true', drill: 'false', verifiesEffects: 'true' };
    await send(request('Create', {}, { Declaration: texts }));
    expect(lastAnswer()).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'inventory' });
    expect(await entry()).toMatchObject({ drill: false, verifiesEffects: true });
  });

  it('fails with the name of the other owner, and the Delete that follows leaves that one alone', async () => {
    await send(request('Create'));
    await send(request('Create', {}, { Owner: 'other/InventoryQueue' }));
    expect(lastAnswer()).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'inventory' });
    expect(lastAnswer().Reason).toMatch(/^CONSUMER_NAME_TAKEN: .*shop\/InventoryQueue/);
    await send(request('Delete', {}, { Owner: 'other/InventoryQueue' }));
    expect(lastAnswer()).toMatchObject({ Status: 'SUCCESS' });
    expect(await entry()).toMatchObject({ status: 'active', owner: 'shop/InventoryQueue' });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['no declaration', { Declaration: undefined }, 'INVALID_DECLARATION'],
    ['a declaration that is not JSON', { Declaration: '{"name":' }, 'INVALID_DECLARATION'],
    ['a declaration that is a list', { Declaration: '[]' }, 'INVALID_DECLARATION'],
    ['a bad name', { Declaration: JSON.stringify({ ...declaration, name: 'Inventory!' }) }, 'INVALID_CONSUMER_NAME'],
    ['no event types', { Declaration: JSON.stringify({ ...declaration, eventTypes: [] }) }, 'NO_EVENT_TYPES'],
    ['attempts that are no number', { Declaration: { ...declaration, maxAttempts: 'many' } }, 'INVALID_MAX_ATTEMPTS'],
    ['no queue', { QueueUrl: undefined }, 'INVALID_REGISTRATION'],
    ['a queue that is no text', { QueueUrl: { Ref: 'Queue' } }, 'INVALID_REGISTRATION'],
    ['no function', { FunctionName: '' }, 'INVALID_REGISTRATION'],
    ['no owner', { Owner: undefined }, 'INVALID_REGISTRATION'],
  ])('fails with a code for %s; its Delete succeeds', async (_what, properties, code) => {
    await send(request('Create', {}, properties));
    expect(lastAnswer()).toMatchObject({ Status: 'FAILED', RequestId: 'r-1' });
    expect(lastAnswer().Reason.startsWith(`${code}: `)).toBe(true);
    const { PhysicalResourceId } = lastAnswer();
    expect(PhysicalResourceId).not.toBe('');
    await send(request('Delete', { PhysicalResourceId }, properties));
    expect(lastAnswer()).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId });
    expect(await registry.list()).toEqual([]);
  });
});

describe('updating', () => {
  beforeEach(() => send(request('Create')));

  it('plans a backfill for added types and says so', async () => {
    nowMs = 2_000;
    const added = JSON.stringify({ ...declaration, eventTypes: ['OrderPlaced', 'OrderRefunded'] });
    await send(request('Update', {}, { Declaration: added }));
    expect(lastAnswer().Data).toMatchObject({ BackfillEventTypes: '1' });
    expect(lastAnswer().Reason).toContain('planned backfill');
    expect((await entry())?.backfill).toMatchObject({ eventTypes: ['OrderRefunded'], untilPosition: 500 });
  });

  it('to another name registers it under a new id; the Delete of the old id retires the old name only', async () => {
    const renamed = { Declaration: JSON.stringify({ ...declaration, name: 'stock' }) };
    await send(request('Update', {}, renamed));
    expect(lastAnswer()).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'stock' });
    await send(request('Delete', { PhysicalResourceId: 'inventory' }));
    expect(await entry()).toMatchObject({ status: 'retired' });
    expect(await registry.get(consumerName('stock'))).toMatchObject({ status: 'active' });
  });

  it('that fails keeps the old id, so that nothing is deleted', async () => {
    await send(request('Update', {}, { Declaration: JSON.stringify({ ...declaration, startFrom: 'now' }) }));
    expect(lastAnswer()).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'inventory' });
    expect(lastAnswer().Reason).toMatch(/^START_IS_FIXED: /);
    expect(await entry()).toMatchObject({ startFrom: 'beginning' });
  });

  it('rolled back restores what was registered', async () => {
    const added = JSON.stringify({ ...declaration, eventTypes: ['OrderPlaced', 'OrderRefunded'] });
    await send(request('Update', {}, { Declaration: added }));
    await send(request('Update'));
    expect(await entry()).toMatchObject({ eventTypes: { OrderPlaced: 0 } });
    expect((await entry())?.backfill).toBeUndefined();
  });
});

describe('deleting', () => {
  it('retires the consumer, also twice', async () => {
    await send(request('Create'));
    for (const _try of [1, 2]) {
      await send(request('Delete'));
      expect(lastAnswer()).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'inventory' });
    }
    expect(await entry()).toMatchObject({ status: 'retired' });
  });

  it('of what was never created succeeds', async () => {
    await send(request('Delete'));
    expect(lastAnswer()).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'inventory' });
    expect(await registry.list()).toEqual([]);
  });

  it('succeeds when the table is gone', async () => {
    const gone = Object.assign(new Error('Requested resource not found'), { name: 'ResourceNotFoundException' });
    await send(request('Delete'), { retire: () => Promise.reject(gone) });
    expect(lastAnswer()).toMatchObject({ Status: 'SUCCESS' });
  });

  it('fails, to be tried again, when the registry cannot be written', async () => {
    await send(request('Delete'), { retire: () => Promise.reject(new Error('connection refused')) });
    expect(lastAnswer()).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'inventory' });
  });

  it('and creating again resumes under the same name', async () => {
    await send(request('Create'));
    await send(request('Delete'));
    await send(request('Create', {}, { Owner: 'shop-2/InventoryQueue' }));
    expect(lastAnswer()).toMatchObject({ Status: 'SUCCESS' });
    expect(await entry()).toMatchObject({ status: 'active', owner: 'shop-2/InventoryQueue', registeredAt: 1_000 });
  });
});

describe('never leaving a stack without an answer', () => {
  it.each<[string, Record<string, unknown>]>([
    ['an unknown request type', { RequestType: 'Replace' }],
    ['no request type', { RequestType: undefined }],
    ['no properties', { ResourceProperties: undefined }],
    ['properties that are a list', { ResourceProperties: [] }],
    ['ids of the wrong type', { StackId: 5, RequestId: null, LogicalResourceId: {}, ResourceProperties: null }],
  ])('answers FAILED to %s', async (_what, change) => {
    await send(request('Create', change));
    expect(lastAnswer()).toMatchObject({ Status: 'FAILED' });
    expect(lastAnswer().PhysicalResourceId).not.toBe('');
  });

  it('answers FAILED before its time is up, keeping time for the answer', async () => {
    const sent = send(request('Create'), { register: () => new Promise(() => undefined), remainingMs: 60_000 });
    (fireTimer as unknown as () => void)();
    await sent;
    expect(sleptMs).toEqual([60_000 - 10_500]);
    expect(lastAnswer()).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'inventory' });
    expect(lastAnswer().Reason).toMatch(/^REGISTRATION_TIMED_OUT: /);
  });

  it('splits a short time between the work and the answer', async () => {
    await send(request('Create'), { remainingMs: 3_000 });
    expect(sleptMs).toEqual([1_500]);
  });

  it.each([undefined, null, {}, { ResponseURL: 'http://example.com' }, 'Create'])(
    'does nothing at all for a request that cannot be answered: %j',
    async (change) => {
      const event =
        change && typeof change === 'object' ? { ...request('Create'), ResponseURL: undefined, ...change } : change;
      await expect(send(event)).rejects.toMatchObject({ code: 'INVALID_RESPONSE_URL' });
      expect(await registry.list()).toEqual([]);
    },
  );

  it('passes on that the answer was not delivered, so that Lambda tries again', async () => {
    const undelivered = new Error('no route');
    const sending = handleConsumerResource(request('Create'), 60_000, {
      registry,
      log: { head: async () => 0 as Position },
      answers: { put: () => Promise.reject(undelivered) },
      clock: { now: () => nowMs },
      timers: {
        sleep: (_ms, signal) =>
          new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
      },
      logger,
    });
    await expect(sending).rejects.toBe(undelivered);
  });

  it('logs every line with the request’s id and never the signature of the URL', async () => {
    await send(request('Create'));
    await send(request('Create', {}, { Owner: undefined }));
    expect(logger.lines.length).toBeGreaterThanOrEqual(3);
    for (const line of logger.lines) {
      expect(line.facts.correlationId).toBe('r-1');
      expect(JSON.stringify(line)).not.toContain('secret');
    }
  });
});

describe('an event type that is added', () => {
  afterEach(() => {
    onHead = async () => undefined;
  });

  it('is announced before the head is read, so that no event falls between old code and history', async () => {
    await send(request('Create'));
    const seen: unknown[] = [];
    onHead = async () => void seen.push((await registry.get(consumerName('inventory')))?.announced);
    const added = { ...declaration, eventTypes: ['OrderPlaced', 'OrderCancelled'] };
    await send(request('Update', {}, { Declaration: JSON.stringify(added) }));
    expect(seen).toEqual([['OrderCancelled']]);
    const registered = await registry.get(consumerName('inventory'));
    expect(registered?.announced).toBeUndefined();
    expect(registered?.eventTypes).toMatchObject({ OrderCancelled: 500 });
  });

  it('is forgotten again by a deployment that is rolled back in between', async () => {
    await send(request('Create'));
    const added = { ...declaration, eventTypes: ['OrderPlaced', 'OrderCancelled'] };
    const update = request('Update', {}, { Declaration: JSON.stringify(added) });
    await send(update, { register: () => Promise.reject(new Error('out of order')) });
    expect(await registry.get(consumerName('inventory'))).toMatchObject({ announced: ['OrderCancelled'] });
    await send(request('Update'));
    expect(await registry.get(consumerName('inventory'))).not.toHaveProperty('announced');
  });
});
