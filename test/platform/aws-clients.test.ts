// The clients' limits against a server that does not answer, breaks off or throttles. Loopback only.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ListEventBusesCommand } from '@aws-sdk/client-eventbridge';
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { ListTopicsCommand } from '@aws-sdk/client-sns';
import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createEventBridgeClient,
  createS3Client,
  createSnsClient,
  createSqsClient,
} from '../../lib/platform/aws-clients.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let requests: number;
let answer: Answer;
const variables = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'secret' };

beforeEach(async () => {
  requests = 0;
  server = createServer((request, response) => {
    requests += 1;
    request.resume().on('end', () => answer(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = (server.address() as AddressInfo).port;
  Object.assign(process.env, variables, { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
});

afterEach(async () => {
  for (const name of [...Object.keys(variables), 'AWS_ENDPOINT_URL']) delete process.env[name];
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** The factories' own numbers only differ in size. */
const SHORT = { requestTimeoutMs: 500, maxAttempts: 2 };
/** For servers that answer at once: a busy machine must not be taken for a silent server. */
const LONG = { requestTimeoutMs: 20_000, maxAttempts: 2 };
type Limits = typeof SHORT;
const calls: [string, (limits: Limits) => Promise<unknown>][] = [
  ['SQS', (limits) => createSqsClient(limits).send(new ListQueuesCommand({}))],
  ['EventBridge', (limits) => createEventBridgeClient(limits).send(new ListEventBusesCommand({}))],
  ['SNS', (limits) => createSnsClient(limits).send(new ListTopicsCommand({}))],
  ['S3', (limits) => createS3Client(limits).send(new HeadBucketCommand({ Bucket: 'archive' }))],
];

describe.each(calls)('the client of %s', (_service, call) => {
  it('honours AWS_ENDPOINT_URL and gives up on a silent server after its tries', async () => {
    answer = () => undefined;
    await expect(call(SHORT)).rejects.toMatchObject({ name: 'TimeoutError', $metadata: { attempts: 2 } });
    expect(requests).toBeGreaterThan(0);
  });

  it('tries again after a broken connection', async () => {
    answer = (request) => request.socket.destroy();
    await expect(call(LONG)).rejects.toThrow();
    expect(requests).toBe(2);
  });

  it('tries again after an error of the service', async () => {
    answer = (_request, response) => response.writeHead(503).end();
    await expect(call(LONG)).rejects.toThrow();
    expect(requests).toBe(2);
  });
});
