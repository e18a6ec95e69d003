// The local system's event source mapping over a queue of fauxqs.

import { setTimeout as sleep } from 'node:timers/promises';
import { GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import type { LambdaFunction } from '../../../lib/local/functions/lambda-function.ts';
import { createSemaphore } from '../../../lib/local/functions/semaphore.ts';
import { createSqsMapping } from '../../../lib/local/mappings/sqs-mapping.ts';
import type { Fauxqs } from '../fauxqs.ts';
import type { Opened } from '../scenario.ts';
import { type Delivered, type MappingSettings, type MappingSubject, told, VISIBILITY_SECONDS } from './engine.ts';

const QUIET_LIMIT_MS = 20_000;
const POLL_MS = 50;
const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

interface Payload {
  Records: { messageId: string; body: string; attributes: { ApproximateReceiveCount: string } }[];
}

export async function localMapping(
  { sqs, createQueue, sendAll }: Fauxqs,
  { batchSize, maxReceiveCount }: MappingSettings,
): Promise<Opened<MappingSubject>> {
  const dead = await createQueue({});
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount });
  const { url, arn } = await createQueue({
    VisibilityTimeout: String(VISIBILITY_SECONDS),
    ...(maxReceiveCount !== undefined && { RedrivePolicy }),
  });
  const count = async (): Promise<number> => {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...COUNTS] }),
    );
    return COUNTS.reduce((sum, name) => sum + Number(Attributes[name]), 0);
  };
  return {
    subject: {
      async run(bodies, script) {
        const batches: Delivered[][] = [];
        const invoke: LambdaFunction['invoke'] = async (payload) => {
          const { Records } = JSON.parse(payload) as Payload;
          const batch = Records.map(({ messageId: id, body, attributes }) => ({
            id,
            body,
            receiveCount: Number(attributes.ApproximateReceiveCount),
          }));
          batches.push(batch);
          try {
            return { kind: 'done', payload: JSON.stringify(script(batch, batches.length)) ?? 'null' };
          } catch (error) {
            return { kind: 'failed', error: { errorType: 'Error', errorMessage: String(error) } };
          }
        };
        await sendAll(url, bodies);
        const mapping = createSqsMapping({
          id: 'mapping',
          lambda: { spec: { name: 'function' }, invoke } as LambdaFunction,
          sqs,
          queueUrl: url,
          queueArn: arn,
          visibilityTimeoutSeconds: VISIBILITY_SECONDS,
          batchSize,
          windowSeconds: 0,
          maximumConcurrency: 1,
          reportBatchItemFailures: true,
          filters: [],
          gate: createSemaphore(1),
        });
        mapping.start();
        try {
          const limit = performance.now() + QUIET_LIMIT_MS;
          while ((await count()) > 0 && performance.now() < limit) await sleep(POLL_MS);
        } finally {
          mapping.stop();
        }
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl: dead.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
        );
        return { delivered: told(batches), left: await count(), dead: Messages.map(({ Body = '' }) => Body).sort() };
      },
    },
  };
}
