// What an EventConsumer is given: each property with its unit, its valid range and its default.

import type { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ApplicationLogLevel, IFunction } from 'aws-cdk-lib/aws-lambda';
import type { NodejsFunctionProps } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { ConsumerDeclaration } from '../../model/consumer.ts';
import type { IEventBus } from './event-bus.ts';
import type { IEventStore } from './event-store-base.ts';
import type { IDeadLetterIntake } from './recovery/dead-letter-intake.ts';
import type { IVerification } from './recovery/verify-consistency.ts';

export interface EventConsumerProps {
  readonly eventStore: IEventStore;
  readonly eventBus: IEventBus;
  /** What the consumer's code declares: hand over the same constant. */
  readonly consumer: ConsumerDeclaration;

  /** Absolute path of the file that exports `handler`. Exactly one of `entry`, `nodejsFunctionProps`, `function`. */
  readonly entry?: string;
  /** For a build of your own: passed to `NodejsFunction`; the conventions of the project are defaults under it. */
  readonly nodejsFunctionProps?: NodejsFunctionProps;
  /**
   * A function that you own. It gets the permissions and, when it is made in this app, the environment variables and the leave
   * to loop through its own queue (`recursiveLoop`); see `environmentVariables` otherwise. `timeout` must then say its timeout.
   */
  readonly function?: IFunction;

  /** Of the function. 1 to 900 seconds. @default Duration.seconds(10) */
  readonly timeout?: Duration;
  /** 128 to 10,240 MB. @default 512 */
  readonly memorySize?: number;
  /** More environment variables for the function. @default - none */
  readonly environment?: Record<string, string>;
  /**
   * How long a received message stays invisible: at least 6 x timeout + maxBatchingWindow, at most 12 hours.
   * @default 6 x timeout + maxBatchingWindow
   */
  readonly visibilityTimeout?: Duration;
  /** Messages per invocation: 1 to 10, up to 10,000 with a `maxBatchingWindow`. @default 10 */
  readonly batchSize?: number;
  /** How long to wait for a full batch. 0 to 300 seconds. @default Duration.seconds(0) */
  readonly maxBatchingWindow?: Duration;
  /** Invocations at the same time: 2 to 1,000. @default 10 */
  readonly maxConcurrency?: number;
  /** Receives before a message goes to the dead-letter queue: more than 1 + maxAttempts, at most 1,000. @default 1 + maxAttempts + 6 */
  readonly maxReceiveCount?: number;
  /** How long a completed effect is remembered: at least 14 days. @default Duration.days(15) */
  readonly markerTtl?: Duration;
  /** Alarm when the oldest message waits this long: 1 minute to 14 days. @default Duration.minutes(15) */
  readonly queueAgeAlarm?: Duration;
  /**
   * Takes in what the consumer's dead-letter queues hold: `DeadLetterIntake.fromDeployment(this)`.
   * @default - messages stay there for 14 days, the alarms tell
   */
  readonly deadLetterIntake?: IDeadLetterIntake;
  /**
   * May ask the consumer's function about its effects: `VerifyConsistency.fromDeployment(this)`. Needed exactly when the
   * consumer declares `verifiesEffects`. @default - nobody may
   */
  readonly verification?: IVerification;
  /** @default - the bus's topic */
  readonly alertsTopic?: ITopic;
  /** Key of the queues. @default - the event store's key, or SQS's own encryption */
  readonly encryptionKey?: IKey;
  /** @default one month */
  readonly logRetention?: RetentionDays;
  /** @default ApplicationLogLevel.INFO */
  readonly logLevel?: ApplicationLogLevel;
}
