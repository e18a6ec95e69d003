// The real SDK client against a server on loopback that answers late, breaks off, throttles or lies about the time.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import {
  CONNECTION_TIMEOUT_MS,
  createDynamo,
  createDynamoClient,
  MAX_ATTEMPTS,
  REQUEST_TIMEOUT_MS,
} from '../../../lib/platform/dynamodb/client.ts';
import { isConditionFailed, refusedItem } from '../../../lib/platform/dynamodb/failures.ts';
import { isThrottle, isTransient } from '../../../lib/platform/retry.ts';
import { createServerClock } from '../../../lib/platform/server-clock.ts';
import { createManualClock } from '../../support/world.ts';

type Answer = (response: ServerResponse, body: Record<string, unknown>) => void;

let server: Server;
let answers: Answer[];
let bodies: Record<string, unknown>[];
const VARIABLES = ['AWS_ENDPOINT_URL_DYNAMODB', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;
const before = VARIABLES.map((name) => [name, process.env[name]] as const);

beforeEach(async () => {
  answers = [];
  bodies = [];
  server = createServer((request: IncomingMessage, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const body = JSON.parse(text) as Record<string, unknown>;
      bodies.push(body);
      (answers.shift() ?? ok({}))(response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env.AWS_ENDPOINT_URL_DYNAMODB = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env.AWS_REGION = 'eu-central-1';
  process.env.AWS_ACCESS_KEY_ID = 'test';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
});

afterEach(async () => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const reply =
  (status: number, content: unknown, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', ...headers });
    response.end(JSON.stringify(content));
  };
const ok = (content: unknown, headers?: Record<string, string>) => reply(200, content, headers);
const refusal = (name: string, more: object = {}, headers?: Record<string, string>) =>
  reply(400, { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'why', ...more }, headers);
const silent: Answer = () => {};
const brokenOff: Answer = (response) => response.destroy();

/** As deployed, only with shorter times. */
const impatient = () =>
  createDynamoClient({
    requestHandler: new NodeHttpHandler({ connectionTimeout: 200, requestTimeout: 200, throwOnRequestTimeout: true }),
  });
const Key = { pk: 'a' };

describe('the client as deployed', () => {
  it('has limits that fit into a function of ten seconds', async () => {
    const { config } = createDynamoClient();
    expect(await config.maxAttempts()).toBe(MAX_ATTEMPTS);
    const handler = config.requestHandler as NodeHttpHandler;
    await createDynamo(createDynamoClient()).get({ TableName: 'T', Key });
    expect(await Promise.resolve(handler.metadata.handlerProtocol)).toContain('http/1.1');
    // Slowest mixture: every request times out, every pause is that of a throttle (1,000 x 2^n ms).
    expect(MAX_ATTEMPTS * REQUEST_TIMEOUT_MS + 1_000 + 2_000).toBeLessThan(10_000);
    expect(CONNECTION_TIMEOUT_MS).toBeLessThan(REQUEST_TIMEOUT_MS);
  });

  it('goes to the endpoint of AWS_ENDPOINT_URL_DYNAMODB', async () => {
    answers = [ok({ Item: { pk: { S: 'a' }, n: { N: '1' } } })];
    expect((await createDynamo(createDynamoClient()).get({ TableName: 'T', Key })).Item).toEqual({ pk: 'a', n: 1 });
    expect(bodies).toEqual([{ TableName: 'T', Key: { pk: { S: 'a' } } }]);
  });

  it('gives up a silent server after its attempts, with an error that is transient', async () => {
    answers = Array.from({ length: 9 }, () => silent);
    const error = await createDynamo(impatient())
      .get({ TableName: 'T', Key })
      .catch((caught) => caught);
    expect(error).toMatchObject({ name: 'TimeoutError' });
    expect(isTransient(error)).toBe(true);
    expect(bodies).toHaveLength(MAX_ATTEMPTS);
  });

  it('repeats a request whose connection broke: the write may have happened twice', async () => {
    answers = [brokenOff, ok({})];
    await createDynamo(createDynamoClient()).put({ TableName: 'T', Item: Key });
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toEqual(bodies[1]);
  });

  it('repeats a transaction with the same token, so that DynamoDB recognises it', async () => {
    answers = [brokenOff, ok({})];
    await createDynamo(createDynamoClient()).transactWrite({ TransactItems: [{ Put: { TableName: 'T', Item: Key } }] });
    const tokens = bodies.map(({ ClientRequestToken }) => ClientRequestToken);
    expect(tokens[0]).toEqual(expect.any(String));
    expect(tokens[0]).toBe(tokens[1]);
  });

  it('repeats a throttled request, and a server error', async () => {
    answers = [
      refusal('ProvisionedThroughputExceededException'),
      reply(500, { __type: 'InternalServerError' }),
      ok({}),
    ];
    await createDynamo(createDynamoClient()).get({ TableName: 'T', Key });
    expect(bodies).toHaveLength(3);
  });

  it('does not repeat conflicts between transactions: that is for withRetries', async () => {
    const dynamo = createDynamo(createDynamoClient());
    answers = [refusal('TransactionConflictException')];
    const conflict = await dynamo.put({ TableName: 'T', Item: Key }).catch((error) => error);
    expect([isTransient(conflict), isThrottle(conflict)]).toEqual([true, false]);
    answers = [refusal('TransactionCanceledException', { CancellationReasons: [{ Code: 'TransactionConflict' }] })];
    const cancelled = await dynamo
      .transactWrite({ TransactItems: [{ Put: { TableName: 'T', Item: Key } }] })
      .catch((error) => error);
    expect(isTransient(cancelled)).toBe(true);
    expect(bodies).toHaveLength(2);
  });

  it('leaves undefined attributes out, and refuses NaN before anything is sent', async () => {
    const dynamo = createDynamo(createDynamoClient());
    await dynamo.put({ TableName: 'T', Item: { pk: 'a', absent: undefined, list: [1, undefined] } });
    expect(bodies).toEqual([{ TableName: 'T', Item: { pk: { S: 'a' }, list: { L: [{ N: '1' }] } } }]);
    await expect(dynamo.put({ TableName: 'T', Item: { pk: 'a', n: Number.NaN } })).rejects.toThrow('NaN');
    expect(bodies).toHaveLength(1);
  });

  it('brings the item that refused a write', async () => {
    answers = [refusal('ConditionalCheckFailedException', { Item: { pk: { S: 'a' }, n: { N: '7' } } })];
    const error = await createDynamo(createDynamoClient())
      .put({ TableName: 'T', Item: Key })
      .catch((caught) => caught);
    expect(isConditionFailed(error)).toBe(true);
    expect(refusedItem(error)).toEqual({ pk: 'a', n: 7 });
    expect(bodies).toHaveLength(1);
  });
});

describe('the server clock on a client', () => {
  // The machine's own time: at five minutes of difference the SDK corrects its signature and repeats a refused request.
  const SERVER_MS = Math.floor(Date.now() / 1_000) * 1_000;
  const date = { date: new Date(SERVER_MS).toUTCString() };
  const skewed = () => createServerClock(createManualClock(SERVER_MS + 300_000));

  it.each([
    ['an answer', ok({}, date)],
    ['a refusal', refusal('ConditionalCheckFailedException', {}, date)],
    ['a fault of the server', reply(500, { __type: 'InternalServerError' }, date)],
  ])('learns the time from the Date header of %s', async (_, answer) => {
    const serverClock = skewed();
    answers = Array.from({ length: MAX_ATTEMPTS }, () => answer);
    await createDynamo(createDynamoClient(), { serverClock })
      .put({ TableName: 'T', Item: Key })
      .catch(() => undefined);
    expect(serverClock.estimate()?.errorMs).toBeLessThanOrEqual(500);
    expect(Math.abs(serverClock.now() - SERVER_MS)).toBeLessThanOrEqual(500);
  });

  it('stays with the machine when a response has no valid date', async () => {
    const serverClock = skewed();
    answers = [ok({}, { date: 'yesterday' })];
    await createDynamo(createDynamoClient(), { serverClock }).get({ TableName: 'T', Key });
    expect(serverClock.estimate()).toBeUndefined();
  });

  it('measures every attempt by itself', async () => {
    const machine = createManualClock(SERVER_MS);
    const serverClock = createServerClock(machine);
    answers = [
      (response) => {
        machine.advance(60_000);
        response.destroy();
      },
      ok({}, { date: new Date(SERVER_MS + 60_000).toUTCString() }),
    ];
    await createDynamo(createDynamoClient(), { serverClock }).get({ TableName: 'T', Key });
    expect(serverClock.estimate()?.errorMs).toBeLessThanOrEqual(500);
  });
});
