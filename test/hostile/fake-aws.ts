// An endpoint that stands for all of AWS: it answers every read with nothing, refuses every write, and remembers the writes
// that were tried.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TriedWrite {
  /** `PutItem`, `SendMessageBatch`, `PUT /bucket/key` ... */
  operation: string;
  /** DynamoDB tables, when there are any. */
  tables: string[];
}

export interface FakeAws {
  url: string;
  writes: TriedWrite[];
  close(): Promise<void>;
}

const READS = /^(GetItem|BatchGetItem|Query|Scan|Describe\w*|List\w*|Get\w*)$/;
/** The name of the refusal: whoever sees it had taken the input for good. */
export const REFUSED = 'AccessDeniedException';

export async function startFakeAws(): Promise<FakeAws> {
  const writes: TriedWrite[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const operation = operationOf(request.method ?? '', request.url ?? '', request.headers['x-amz-target'], body);
      const isRead = READS.test(operation) || request.method === 'GET';
      if (!isRead) writes.push({ operation, tables: tablesIn(body) });
      response.writeHead(isRead ? 200 : 403, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(isRead ? '{}' : JSON.stringify({ __type: REFUSED, message: 'this test writes nothing' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    writes,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function operationOf(method: string, url: string, target: string | string[] | undefined, body: string): string {
  if (typeof target === 'string') return target.slice(target.lastIndexOf('.') + 1);
  const action = /(?:^|&)Action=(\w+)/.exec(body)?.[1] ?? /\/operation\/(\w+)/.exec(url)?.[1];
  return action ?? `${method} ${url}`;
}

function tablesIn(body: string): string[] {
  return [...new Set([...body.matchAll(/"TableName":"([^"]+)"/g)].map(([, name]) => name as string))];
}
