// The event store on the AWS SDK: lost answers, throttles, timeouts, conflicts and refusals, as the SDK reports them.

import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  InternalServerError,
  ProvisionedThroughputExceededException,
  RequestLimitExceeded,
  ResourceNotFoundException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DynamoDBDocumentClient,
  PutCommand,
  type PutCommandInput,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createEventStore } from '../../../lib/flow/event-store/event-store.ts';
import { TRIES } from '../../../lib/flow/event-store/failures.ts';
import type { EventStore } from '../../../lib/flow/event-store/port.ts';
import { createTestWorld, type TestWorld } from '../../support/world.ts';
import { errorOf, eventsTable, logTable, newEvent, newEvents } from './support.ts';

const metadata = { httpStatusCode: 400 };
const ERRORS: Record<string, () => Error> = {
  'a throttled table': () => new ProvisionedThroughputExceededException({ message: 'slow', $metadata: metadata }),
  'a throttled account': () => new RequestLimitExceeded({ message: 'slow', $metadata: metadata }),
  'a throttled request': () =>
    Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException', $fault: 'client' }),
  'a transaction on the same item': () => new TransactionConflictException({ message: 'busy', $metadata: metadata }),
  'an internal error': () => new InternalServerError({ message: 'oops', $metadata: { httpStatusCode: 500 } }),
  'a request timeout': () => Object.assign(new Error('timed out'), { name: 'TimeoutError' }),
  'a connection that was reset': () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }),
  'an error that nobody has heard of': () => new Error('?'),
};

describe('the event store on the AWS SDK', () => {
  const sdk = mockClient(DynamoDBDocumentClient);
  let world: TestWorld;
  let store: EventStore;
  /** What the mocked table holds, by version; one stream. */
  let items: Map<number, NonNullable<PutCommandInput['Item']>>;

  const put = (input: PutCommandInput): object => {
    const item = input.Item as NonNullable<PutCommandInput['Item']>;
    const there = items.get(item.version as number);
    if (there !== undefined) {
      throw new ConditionalCheckFailedException({
        message: 'The conditional request failed',
        Item: marshall(there),
        $metadata: metadata,
      });
    }
    items.set(item.version as number, item);
    return {};
  };
  const puts = () => sdk.commandCalls(PutCommand);
  const stored = () => [...items.values()];

  beforeEach(() => {
    sdk.reset();
    items = new Map();
    world = createTestWorld();
    sdk.on(PutCommand).callsFake(put);
    sdk.on(BatchGetCommand).resolves({ Responses: {} });
    sdk.on(QueryCommand).callsFake(() => ({ Items: stored().slice(-1) }));
    const client = new DynamoDBClient({ region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 's' } });
    store = createEventStore({ client, eventsTable, logTable, world });
  });
  afterEach(() => {
    sdk.reset();
  });

  it('sends one PutItem with its condition, and asks for what stands in the way', async () => {
    await store.append('s', newEvents(2), 0);
    expect(puts()).toHaveLength(1);
    expect(puts()[0]?.args[0].input).toEqual({
      TableName: 'Events',
      Item: expect.objectContaining({ streamId: 's', version: 1, count: 2 }),
      ConditionExpression: 'attribute_not_exists(#version)',
      ExpressionAttributeNames: { '#version': 'version' },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
  });

  describe.each(Object.entries(ERRORS))('%s', (_, error) => {
    it('is no business error: the same item is sent again after a pause', async () => {
      let failures = 0;
      sdk.on(PutCommand).callsFake((input) => {
        failures += 1;
        if (failures < TRIES) throw error();
        return put(input);
      });
      expect(await store.append('s', newEvents(1), 0)).toMatchObject({ version: 1, repeated: false });
      expect(puts()).toHaveLength(TRIES);
      const [first, ...others] = puts().map(({ args }) => args[0].input.Item);
      for (const other of others) expect(other).toEqual(first);
      expect(world.sleeps).toHaveLength(TRIES - 1);
    });

    it('after the write was carried out is no conflict with itself', async () => {
      let failed = false;
      sdk.on(PutCommand).callsFake((input) => {
        const answer = put(input);
        if (failed) return answer;
        failed = true;
        throw error();
      });
      const result = await store.append('s', newEvents(2), 0);
      expect(result).toMatchObject({ firstVersion: 1, version: 2, repeated: true });
      expect(stored()).toHaveLength(1);
      expect(result.hash).toBe(stored()[0]?.hash);
    });

    it('of every try is retryable, and says that nobody knows the outcome', async () => {
      sdk.on(PutCommand).callsFake(() => {
        throw error();
      });
      const failure = await errorOf(store.append('s', newEvents(1), 0));
      expect(failure).toMatchObject({ code: 'APPEND_OUTCOME_UNKNOWN', retryable: true });
      expect(failure.cause).toMatchObject({ message: error().message });
      expect(puts()).toHaveLength(TRIES);
    });

    it('of a read is tried again, and in the end retryable', async () => {
      let failures = 0;
      sdk.on(QueryCommand).callsFake(() => {
        failures += 1;
        if (failures < TRIES) throw error();
        return { Items: [] };
      });
      expect(await store.getVersion('s')).toBe(0);
      sdk.on(QueryCommand).callsFake(() => {
        throw error();
      });
      expect(await errorOf(store.read('s'))).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
      expect(await errorOf(store.append('s', newEvents(1), 0))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(puts()).toEqual([]);
    });
  });

  it('does not try again what is refused for good', async () => {
    const missing = () => new ResourceNotFoundException({ message: 'no such table', $metadata: metadata });
    sdk.on(PutCommand).rejects(missing());
    const failure = await errorOf(store.append('s', newEvents(1), 0));
    expect(failure).toMatchObject({
      code: 'STORE_REFUSED',
      retryable: false,
      facts: { awsError: 'ResourceNotFoundException' },
    });
    expect(puts()).toHaveLength(1);
    sdk.on(QueryCommand).rejects(missing());
    expect(await errorOf(store.read('s'))).toMatchObject({ code: 'STORE_REFUSED' });
    expect(world.sleeps).toEqual([]);
  });

  it('names the size when DynamoDB counts a commit as too large although we did not', async () => {
    const tooLarge = Object.assign(new Error('Item size has exceeded the maximum allowed size'), {
      name: 'ValidationException',
      $fault: 'client',
    });
    sdk.on(PutCommand).rejects(tooLarge);
    expect(await errorOf(store.append('s', newEvents(1), 0))).toMatchObject({ code: 'COMMIT_TOO_LARGE' });
  });

  it('reads the commit in the way when the refusal does not bring it along', async () => {
    sdk.on(PutCommand).callsFake((input) => {
      if (items.has(1)) throw new ConditionalCheckFailedException({ message: 'no', $metadata: metadata });
      put(input);
      throw ERRORS['a request timeout']?.();
    });
    expect(await store.append('s', newEvents(1), 'any')).toMatchObject({ version: 1, repeated: true });
  });

  it('says that the outcome is unknown when not even that commit can be read', async () => {
    sdk.on(PutCommand).callsFake(() => {
      sdk.on(QueryCommand).rejects(ERRORS['a throttled table']?.());
      throw new ConditionalCheckFailedException({ message: 'no', $metadata: metadata });
    });
    expect(await errorOf(store.append('s', newEvents(1), 'any'))).toMatchObject({ code: 'APPEND_OUTCOME_UNKNOWN' });
  });

  it('asks again for keys that BatchGetItem left unprocessed, with pauses, and gives up in the end', async () => {
    sdk.on(BatchGetCommand).callsFake(({ RequestItems }) => ({ Responses: {}, UnprocessedKeys: RequestItems }));
    expect(await errorOf(store.append('s', newEvents(1), 0))).toMatchObject({ retryable: true });
    expect(sdk.commandCalls(BatchGetCommand).length).toBeGreaterThan(3);
    expect(puts()).toEqual([]);
  });

  describe('an abort', () => {
    it('before anything is sent writes nothing', async () => {
      const reason = new Error('client went away');
      const aborted = errorOf(store.append('s', newEvents(1), 0, { signal: AbortSignal.abort(reason) }));
      expect(await aborted).toBe(reason);
      expect(sdk.calls()).toEqual([]);
    });

    it('between the reads and the write writes nothing, and says so with its reason', async () => {
      const controller = new AbortController();
      const reason = new Error('client went away');
      sdk.on(QueryCommand).callsFake(() => {
        controller.abort(reason);
        return { Items: [] };
      });
      expect(await errorOf(store.append('s', newEvents(1), 0, { signal: controller.signal }))).toBe(reason);
      expect(puts()).toEqual([]);
    });

    it('between two tries says that the outcome is unknown', async () => {
      const controller = new AbortController();
      sdk.on(PutCommand).callsFake(() => {
        controller.abort(new Error('deadline'));
        throw ERRORS['a request timeout']?.();
      });
      const failure = await errorOf(store.append('s', [newEvent('e')], 0, { signal: controller.signal }));
      expect(failure).toMatchObject({ code: 'APPEND_OUTCOME_UNKNOWN', retryable: true });
      expect(failure.cause).toMatchObject({ message: 'deadline' });
      expect(puts()).toHaveLength(1);
    });
  });
});
