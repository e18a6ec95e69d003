// The relay's two functions as Lambda runs them: module scope reads the environment and composes, the handler is one call.
// DynamoDB is DynamoDB Local; EventBridge and S3 are mocked at the SDK's client.

import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createEventStore } from '../../lib/flow/event-store/event-store.ts';
import type { EventStore } from '../../lib/flow/event-store/port.ts';
import { createDynamo } from '../../lib/platform/dynamodb/client.ts';
import { EVENTS_TABLE, LOG_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import type { LambdaContext } from '../../lib/platform/lambda-context.ts';
import { createLocalClient, createLocalTables } from '../support/dynamodb-local.ts';
import { readLocalStream } from '../support/local-stream.ts';

type Handler = (event: unknown, context: LambdaContext) => Promise<unknown>;

const bus = mockClient(EventBridgeClient);
const s3 = mockClient(S3Client);
const client = createLocalClient();
const context = {
  functionName: 'relay-commits',
  awsRequestId: 'request-1',
  getRemainingTimeInMillis: () => 60_000,
} as LambdaContext;

let store: EventStore;
let relayCommits: Handler;
let repairRelay: Handler;
const published = () =>
  bus
    .commandCalls(PutEventsCommand)
    .flatMap((call) => call.args[0].input.Entries ?? [])
    .map(({ EventBusName, DetailType, Detail }) => ({ EventBusName, DetailType, ...JSON.parse(Detail as string) }));
const records = async (streamId: string) =>
  (await readLocalStream(client, EVENTS_TABLE.name, 0)).filter(
    ({ dynamodb }) => dynamodb.Keys.streamId?.S === streamId,
  );

beforeAll(async () => {
  await createLocalTables(client, [EVENTS_TABLE, LOG_TABLE]);
  const { accessKeyId, secretAccessKey } = await client.config.credentials();
  Object.assign(process.env, {
    EVENTS_TABLE: EVENTS_TABLE.name,
    LOG_TABLE: LOG_TABLE.name,
    EVENT_BUS_NAME: 'the-bus',
    RELAY_FAILURES_BUCKET: 'failures',
    AWS_ENDPOINT_URL_DYNAMODB: process.env.DYNAMODB_ENDPOINT,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    POWERTOOLS_SERVICE_NAME: 'relay',
    POWERTOOLS_METRICS_NAMESPACE: 'EventRecovery',
    POWERTOOLS_METRICS_DISABLED: 'true',
    LOG_LEVEL: 'SILENT',
  });
  relayCommits = (await import('../../lambdas/relay-commits/handler.ts')).handler;
  repairRelay = (await import('../../lambdas/repair-relay/handler.ts')).handler;
  store = createEventStore({
    dynamo: createDynamo(client),
    eventsTable: EVENTS_TABLE.name,
    logTable: LOG_TABLE.name,
  });
});
afterAll(() => client.destroy());

beforeEach(() => {
  bus.reset();
  s3.reset();
  bus.on(PutEventsCommand).callsFake(({ Entries }: { Entries: unknown[] }) => ({
    FailedEntryCount: 0,
    Entries: Entries.map((_, index) => ({ EventId: `id-${index}` })),
  }));
});

describe('relay-commits', () => {
  it('relays a batch of the DynamoDB stream and answers with an explicit list', async () => {
    await store.append('a', [{ id: 'a1', type: 'Opened', data: { n: 1 } }], 'no-stream');
    expect(await relayCommits({ Records: await records('a') }, context)).toEqual({ batchItemFailures: [] });
    expect(published()).toEqual([
      expect.objectContaining({ EventBusName: 'the-bus', DetailType: 'Opened', streamId: 'a', version: 1, id: 'a1' }),
    ]);
    expect((await store.readAll(0, 10)).map(({ id }) => id)).toEqual(['a1']);
  });

  it('names the record whose events could not be published', async () => {
    await store.append('b', [{ id: 'b1', type: 'Opened', data: null }], 'no-stream');
    bus.on(PutEventsCommand).resolves({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'InternalException' }] });
    const Records = await records('b');
    expect(await relayCommits({ Records }, context)).toEqual({
      batchItemFailures: [{ itemIdentifier: Records[0]?.dynamodb.SequenceNumber }],
    });
  });

  it('goes on with a backfill when the bus says so', async () => {
    for (let version = 0; version < 3; version += 1) {
      await store.append('c', [{ id: `c${version}`, type: 'Opened', data: null }], version);
    }
    const detail = { format: 1, streamId: 'c', target: 3, hops: 0 };
    expect(await relayCommits({ 'detail-type': '$RelayBackfill', detail }, context)).toMatchObject({
      outcome: 'reached',
      commits: 3,
    });
  });

  it('fails for an event that is neither', async () => {
    await expect(relayCommits({}, context)).rejects.toMatchObject({ code: 'UNKNOWN_TRIGGER' });
  });
});

describe('repair-relay', () => {
  it('relays the batch that Lambda left in the bucket', async () => {
    await store.append('d', [{ id: 'd1', type: 'Opened', data: null }], 'no-stream');
    const text = JSON.stringify({ DDBStreamBatchInfo: { batchSize: 1 }, payload: { Records: await records('d') } });
    s3.on(GetObjectCommand, { Bucket: 'failures', Key: 'aws/lambda/one' }).resolves({
      ContentLength: text.length,
      Body: { transformToString: async () => text } as never,
    });
    const event = {
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: { bucket: { name: 'failures' }, object: { key: 'aws/lambda/one' } },
    };
    expect(await repairRelay(event, context)).toMatchObject({ records: 1, commits: 1, scrubNeeded: false });
    expect(published()).toEqual([expect.objectContaining({ streamId: 'd', version: 1 })]);
  });

  it('refuses an object of another bucket', async () => {
    await expect(repairRelay({ bucket: 'other', key: 'x' }, context)).rejects.toMatchObject({
      code: 'UNKNOWN_TRIGGER',
    });
    expect(s3.commandCalls(GetObjectCommand)).toEqual([]);
  });
});
