// Passes a request on to the engine that serves it and collects the whole answer. Connections are kept alive; an
// engine that hangs up is reported as a retryable service error, as a client would see it from AWS.

import { Agent, request as httpRequest } from 'node:http';
import type { AwsRequest } from './identify.ts';
import { errorReply, type Reply } from './replies.ts';

export interface Engine {
  host: string;
  port: number;
}

/** Idle connections are dropped before DynamoDB Local's own 30 s would drop them under us. */
const IDLE_LIMIT_MS = 15_000;
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'proxy-connection', 'upgrade', 'expect']);

export interface Forwarder {
  forward(engine: Engine, service: string, request: AwsRequest & { url: string }): Promise<Reply>;
  stop(): void;
}

export function createForwarder(): Forwarder {
  const agent = new Agent({ keepAlive: true, maxSockets: 512, timeout: IDLE_LIMIT_MS });
  return {
    forward: (engine, service, incoming) =>
      new Promise((resolve) => {
        const headers: Record<string, string | string[] | undefined> = {};
        for (const [name, value] of Object.entries(incoming.headers)) if (!HOP_BY_HOP.has(name)) headers[name] = value;
        // fauxqs takes a host name with dots for a bucket: the engine's own address is always right.
        headers.host = `${engine.host}:${engine.port}`;
        headers['content-length'] = String(incoming.body.length);
        const outgoing = httpRequest(
          { host: engine.host, port: engine.port, method: incoming.method, path: incoming.url, headers, agent },
          (answer) => {
            const parts: Buffer[] = [];
            answer.on('data', (part: Buffer) => parts.push(part));
            answer.on('end', () =>
              resolve({ status: answer.statusCode ?? 500, headers: kept(answer.headers), body: Buffer.concat(parts) }),
            );
            answer.on('error', (error) => resolve(unavailable(service, error)));
          },
        );
        outgoing.on('error', (error) => resolve(unavailable(service, error)));
        outgoing.end(incoming.body);
      }),
    stop: () => agent.destroy(),
  };
}

function kept(headers: Record<string, string | string[] | undefined>): Reply['headers'] {
  const result: Reply['headers'] = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP_BY_HOP.has(name)) result[name] = value;
  }
  return result;
}

const unavailable = (service: string, error: Error): Reply =>
  errorReply(service, 'ServiceUnavailable', `the local engine of ${service} hung up: ${error.message}`, 503);
