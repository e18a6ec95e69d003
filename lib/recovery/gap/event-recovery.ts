// `getCheckpoint`, `detectGaps` and `recoverConsumer` over AWS clients, as services and functions call them.

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { createCheckpoints } from '../../flow/checkpoint/checkpoints.ts';
import { createWakeUps } from '../../flow/consumer/wake-ups.ts';
import { createLog } from '../../flow/log/log.ts';
import { createRegistry } from '../../flow/registry/registry.ts';
import { consumerName, streamId } from '../../model/ids.ts';
import { createDynamo } from '../../platform/dynamodb/client.ts';
import { silentLogger } from '../../platform/logging.ts';
import { createServerClock } from '../../platform/server-clock.ts';
import { createWorld } from '../../platform/world.ts';
import { detectGaps, type RecoveryResult, recoverConsumer, type StreamGap } from './one-stream.ts';
import { createOpenGaps } from './open-gaps.ts';
import { createQueueSigns } from './queue-signs.ts';

export interface EventRecoveryOptions {
  client: DynamoDBClient;
  /** Asks the consumer's queue how many messages wait, and wakes the consumer. */
  sqs: SQSClient;
  logTable: string;
  checkpointsTable: string;
  recoveryTable: string;
}

export interface EventRecovery {
  /**
   * Everything up to this version is resolved for the consumer; 0 = nothing yet. Whoever appended version v and sees v here
   * reads what the consumer made of it.
   */
  getCheckpoint(consumer: string, streamId: string): Promise<number>;
  /** Versions that were never resolved although they should be; empty while they are on their way or the stream is parked. */
  detectGaps(consumer: string, streamId: string): Promise<StreamGap[]>;
  /** Records what is missing and wakes the consumer, which catches up in order by itself. */
  recoverConsumer(consumer: string, streamId: string): Promise<RecoveryResult>;
}

/**
 * @throws InvalidInputError `UNKNOWN_CONSUMER`, or for bad names, by each method
 * @example
 * const recovery = createEventRecovery({ client, sqs, logTable, checkpointsTable, recoveryTable });
 * const [gap] = await recovery.detectGaps('inventory', 'order-1'); // { start: 3, end: 5, count: 3 }
 * if (gap) await recovery.recoverConsumer('inventory', 'order-1');
 * await recovery.getCheckpoint('inventory', 'order-1'); // 5, as soon as the consumer has caught up
 */
export function createEventRecovery(options: EventRecoveryOptions): EventRecovery {
  const machine = createWorld();
  const serverClock = createServerClock(machine.clock);
  const dynamo = createDynamo(options.client, { serverClock });
  const world = { ...machine, clock: serverClock };
  const checkpoints = createCheckpoints({ dynamo, table: options.checkpointsTable, world });
  const deps = {
    registry: createRegistry({ dynamo, checkpointsTable: options.checkpointsTable }),
    log: createLog({ dynamo, logTable: options.logTable, world }),
    checkpoints,
    openGaps: createOpenGaps({ dynamo, table: options.recoveryTable, world }),
    queues: createQueueSigns({ sqs: options.sqs, logger: silentLogger }),
    wakeUps: createWakeUps({ sqs: options.sqs, world }),
    world,
  };
  return {
    async getCheckpoint(consumer, stream) {
      const checkpoint = await checkpoints.get({ consumer: consumerName(consumer), streamId: streamId(stream) });
      return checkpoint?.version ?? 0;
    },
    detectGaps: async (consumer, stream) => detectGaps(deps, consumerName(consumer), streamId(stream)),
    recoverConsumer: async (consumer, stream) => recoverConsumer(deps, consumerName(consumer), streamId(stream)),
  };
}
