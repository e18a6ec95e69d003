// The answer of a custom resource, against a real HTTP server on the loopback address.

import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createResourceAnswers, type ResourceAnswer } from '../../lib/platform/cloudformation-answer.ts';

interface Received {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

let server: Server;
let responseUrl: string;
let received: Received[];
/** What the server answers, in turn; `cut` ends the connection without a word. The last one is repeated. */
let statuses: (number | 'cut')[];

beforeEach(async () => {
  received = [];
  statuses = [200];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      received.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      const status = statuses.length > 1 ? statuses.shift() : statuses[0];
      if (status === 'cut') request.socket.destroy();
      else response.writeHead(status as number).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  responseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer?signature=a%2Fb`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const pausesMs: number[] = [];
const answers = createResourceAnswers({
  timers: { sleep: async (ms) => void pausesMs.push(ms) },
  random: { next: () => 1 },
});
beforeEach(() => {
  pausesMs.length = 0;
});

const answer: ResourceAnswer = {
  Status: 'SUCCESS',
  Reason: 'registered',
  PhysicalResourceId: 'inventory',
  StackId: 'arn:aws:cloudformation:eu-central-1:1:stack/shop/1',
  RequestId: 'r-1',
  LogicalResourceId: 'Inventory',
  Data: { ConsumerName: 'inventory' },
};

describe('answering CloudFormation', () => {
  it('puts the document with an empty content type, as the URL was signed', async () => {
    await answers.put(responseUrl, answer);
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({ method: 'PUT', url: '/answer?signature=a%2Fb' });
    expect(received[0]?.headers['content-type']).toBe('');
    expect(JSON.parse(received[0]?.body ?? '')).toEqual(answer);
  });

  it.each<[string, number | 'cut']>([
    ['an error of the server', 500],
    ['throttling', 429],
    ['a cut connection', 'cut'],
  ])('tries again after %s', async (_what, first) => {
    statuses = [first, first, 200];
    await answers.put(responseUrl, answer);
    expect(received).toHaveLength(3);
    expect(pausesMs).toEqual([500, 1000]);
  });

  it('gives up after three tries', async () => {
    statuses = [503];
    await expect(answers.put(responseUrl, answer)).rejects.toMatchObject({
      code: 'ANSWER_NOT_DELIVERED',
      retryable: true,
      facts: { status: 'SUCCESS' },
    });
    expect(received).toHaveLength(3);
  });

  it('does not repeat an answer that was refused for good', async () => {
    statuses = [403];
    await expect(answers.put(responseUrl, answer)).rejects.toMatchObject({ code: 'ANSWER_NOT_DELIVERED' });
    expect(received).toHaveLength(1);
  });

  it.each([
    ['a long reason', { Reason: 'x'.repeat(100_000) }],
    ['a reason that grows when it is written as JSON', { Reason: '"\n€'.repeat(5_000) }],
    ['much data', { Data: { Types: 'x'.repeat(10_000) } }],
  ])('fits into 4,096 bytes with %s', async (_what, change) => {
    await answers.put(responseUrl, { ...answer, ...change });
    const body = received[0]?.body ?? '';
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4_096);
    expect(JSON.parse(body)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'inventory', RequestId: 'r-1' });
  });

  it.each([
    'http://example.com/answer',
    'http://127.0.0.1.example.com/answer',
    'ftp://127.0.0.1/answer',
    'file:///etc/passwd',
    'answer',
    '',
    undefined,
  ])('refuses %s as an address', async (url) => {
    await expect(answers.put(url as string, answer)).rejects.toMatchObject({ code: 'INVALID_RESPONSE_URL' });
  });

  it('does not show the signature of an address', async () => {
    statuses = [403];
    const error = await answers.put(responseUrl, answer).catch((thrown: unknown) => thrown);
    expect(JSON.stringify([(error as Error).message, error])).not.toContain('signature');
  });
});
