// What AWS itself says about functions, event source mappings and rules. A port: the real one asks Lambda, CloudWatch and
// EventBridge; who cannot be asked is left out.

import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { ConsumerEvidence, Evidence } from '../diagnose/types.ts';

export interface AwsEvidence {
  relay?: Evidence['relay'];
  bus?: Evidence['bus'];
  tables?: Evidence['tables'];
  /** Those that hold something and belong to no consumer. */
  deadLetterQueues?: Evidence['deadLetterQueues'];
  /** What could not be asked. */
  unanswered?: readonly string[];
  /** By the consumer's name. */
  consumers: ReadonlyMap<
    string,
    Pick<
      ConsumerEvidence,
      | 'mappingState'
      | 'mappingId'
      | 'ruleState'
      | 'ruleName'
      | 'busName'
      | 'functionState'
      | 'oldestMessageSeconds'
      | 'deadLetterQueueDepth'
      | 'undelivered'
    >
  >;
}

export interface AwsSigns {
  /** @param now milliseconds since 1970; the metrics of the last 15 minutes count */
  look(consumers: readonly RegisteredConsumer[], now: number): Promise<AwsEvidence>;
}

/** Nobody is asked: for tests, and for a system without AWS around it. */
export const noSigns: AwsSigns = { look: async () => ({ consumers: new Map() }) };
