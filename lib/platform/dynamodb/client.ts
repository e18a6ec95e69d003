// The AWS SDK behind the `Dynamo` port, and the client for the edges: bounded retries, and timeouts that fit into a Lambda
// function of 10 seconds. The SDK honours AWS_ENDPOINT_URL_DYNAMODB, so the same code runs against DynamoDB Local.

import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { ServerClock } from '../server-clock.ts';
import { anyNumber } from './any-number.ts';
import type { Dynamo } from './port.ts';

/** TCP and TLS; inside a region it takes single milliseconds. */
export const CONNECTION_TIMEOUT_MS = 500;
/** From the start of a request to the answer's first byte. DynamoDB answers within tens of milliseconds, transactions too. */
export const REQUEST_TIMEOUT_MS = 1_500;
/**
 * The SDK's standard retry waits random x 25 ms x 2^n after a lost request and random x 1,000 ms x 2^n after a throttle (SDK
 * source, `retries-2026-config`, and DynamoDBClient). Worst cases of one call with 3 attempts:
 *   throttled:  3 fast refusals + 1,000 + 2,000 ms   =  3.0 s
 *   timed out:  3 x 1,500 + 25 + 50 ms               =  4.6 s
 *   both mixed: 3 x 1,500 + 1,000 + 2,000 ms         =  7.5 s   < 10 s
 * With 4 attempts the mixed case is 13 s.
 */
export const MAX_ATTEMPTS = 3;

/** For module scope of a Lambda function or a command: one client, connections are kept alive. */
export function createDynamoClient(config: DynamoDBClientConfig = {}): DynamoDBClient {
  const client = new DynamoDBClient({
    maxAttempts: MAX_ATTEMPTS,
    retryMode: 'standard',
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Without it the SDK logs a warning and goes on waiting.
      throwOnRequestTimeout: true,
      socketTimeout: REQUEST_TIMEOUT_MS,
    }),
    ...config,
  });
  // It copies every answer for a logger, and without one drops the copy: a twelfth of the time that reading takes.
  if (config.logger === undefined) client.middlewareStack.remove('loggerMiddleware');
  return client;
}

export interface CreateDynamoOptions {
  /** Is told the server's time of every response. */
  serverClock?: ServerClock;
  /**
   * `safe`: a number that JavaScript cannot hold is an error of the whole answer. `any`: it comes as a `NumberValue`, for
   * those who must be able to read whatever is stored.
   * @default 'safe'
   */
  numbers?: 'safe' | 'any';
}

/**
 * @example
 * const serverClock = createServerClock(createWorld().clock);
 * const dynamo = createDynamo(createDynamoClient(), { serverClock });
 */
export function createDynamo(client: DynamoDBClient, options: CreateDynamoOptions = {}): Dynamo {
  if (options.serverClock) observeServerTime(client, options.serverClock);
  const document = DynamoDBDocument.from(client, {
    marshallOptions: { removeUndefinedValues: true },
    ...(options.numbers === 'any' && { unmarshallOptions: { wrapNumbers: anyNumber } }),
  });
  return {
    get: (input) => document.get(input),
    put: (input) => document.put(input),
    update: (input) => document.update(input),
    delete: (input) => document.delete(input),
    query: (input) => document.query(input),
    scan: (input) => document.scan(input),
    batchGet: (input) => document.batchGet(input),
    batchWrite: (input) => document.batchWrite(input),
    transactWrite: (input) => document.transactWrite(input),
  };
}

interface HeaderCarrier {
  headers?: Record<string, string>;
}

/** Below the retries, so that a repeated request is measured by itself; errors carry the server's time too. */
function observeServerTime(client: DynamoDBClient, serverClock: ServerClock): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const sentAtMs = serverClock.machine.now();
      const result = await next(args);
      const { headers } = result.response as HeaderCarrier;
      const date = headers?.date ?? headers?.Date;
      if (date !== undefined) serverClock.observe(Date.parse(date), sentAtMs, serverClock.machine.now());
      return result;
    },
    // Low priority: inside of the SDK's own deserializer, which throws errors.
    { name: 'observeServerTime', step: 'deserialize', priority: 'low', override: true },
  );
}
