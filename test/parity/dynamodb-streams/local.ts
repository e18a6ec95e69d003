// The local system's mapping over a DynamoDB stream of DynamoDB Local.

import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import type { LambdaFunction } from '../../../lib/local/functions/lambda-function.ts';
import { createStreamMapping } from '../../../lib/local/mappings/stream-mapping.ts';
import { createStreamsClient } from '../../../lib/local/mappings/streams-client.ts';
import { createDynamo } from '../../../lib/platform/dynamodb/client.ts';
import { returnLocalClient, takeLocalClient, toCreateTable } from '../../support/dynamodb-local.ts';
import type { Opened } from '../scenario.ts';
import { type Outcome, type StreamRecord, type StreamSettings, type StreamSubject, TABLE, told } from './engine.ts';
import { write } from './write.ts';

const QUIET_LIMIT_MS = 30_000;
/** Longer than the poller's pauses. */
const QUIET_MS = 400;
const POLL_MS = 20;

export async function localStream({ batchSize, maxRetries, records }: StreamSettings): Promise<Opened<StreamSubject>> {
  const client = takeLocalClient();
  // Without the records of priming, which would fill batches.
  await client.send(new CreateTableCommand(toCreateTable(TABLE)));
  const { Table } = await client.send(new DescribeTableCommand({ TableName: TABLE.name }));
  const arn = Table?.LatestStreamArn ?? '';
  const { accessKeyId } = await client.config.credentials();
  const streams = createStreamsClient(process.env.DYNAMODB_ENDPOINT ?? '', accessKeyId);
  return {
    close: () => returnLocalClient(client, [TABLE]),
    subject: {
      async run(writes, script) {
        const outcome: Outcome = { batches: [], givenUp: [] };
        const seen = new Set<string>();
        const warnings: string[] = [];
        const invoke: LambdaFunction['invoke'] = async (payload) => {
          const { Records } = JSON.parse(payload) as { Records: StreamRecord[] };
          for (const { dynamodb } of Records) seen.add(dynamodb.SequenceNumber);
          outcome.batches.push(Records.map(told));
          try {
            return { kind: 'done', payload: JSON.stringify(script(Records, outcome.batches.length)) ?? 'null' };
          } catch (error) {
            return { kind: 'failed', error: { errorType: 'Error', errorMessage: String(error) } };
          }
        };
        const dynamo = createDynamo(client);
        for (const one of writes) await write(dynamo, one);
        const mapping = createStreamMapping({
          id: 'mapping',
          lambda: {
            spec: { name: 'function', arn: 'arn:aws:lambda:us-east-1:0:function:f' },
            invoke,
          } as LambdaFunction,
          client: streams,
          streamArn: arn,
          engineStreamArn: arn,
          startingPosition: 'TRIM_HORIZON',
          batchSize,
          windowSeconds: 0,
          parallelization: 1,
          reportBatchItemFailures: true,
          filters: [],
          isLost: () => false,
          settings: { maximumRetryAttempts: maxRetries, maximumRecordAgeSeconds: -1, bisect: false },
          onFailureArn: 'arn:aws:s3:::failures',
          destinations: {
            send: async (_arn, body) => {
              const { payload } = JSON.parse(body) as { payload: string };
              outcome.givenUp.push(...(JSON.parse(payload) as { Records: StreamRecord[] }).Records.map(told));
            },
          },
          warn: (text) => void warnings.push(text),
        });
        mapping.start();
        try {
          const limit = performance.now() + QUIET_LIMIT_MS;
          let quietSince = performance.now();
          while (performance.now() - quietSince < QUIET_MS && performance.now() < limit) {
            if (seen.size < (records ?? writes.length) || mapping.inFlight > 0) quietSince = performance.now();
            await sleep(POLL_MS);
          }
        } finally {
          mapping.stop();
        }
        if (warnings.length > 0) throw new Error(warnings.join('; '));
        return outcome;
      },
    },
  };
}
