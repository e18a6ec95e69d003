// The dead-letter intake: one function behind the dead-letter queues of all consumers and of our own functions, and a schedule
// that tells people about new dead letters. Consumers' stacks attach their queues to it (`attachToIntake`), so it knows none of
// them; the queues of schedules, rules and the relay's repair are attached by the stack that it stands in.

import { Duration } from 'aws-cdk-lib';
import { ArnPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnEventSourceMapping, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { grantOnKeys, REGISTRY_KEYS } from '../key-grants.ts';
import { createDeadLetterQueue } from '../queues.ts';
import { runbookAlarm } from '../runbook-alarm.ts';
import { DEFAULT_PARAMETER_PREFIX, sharedValue } from '../shared-parameters.ts';
import { grantDeadLetters } from './dead-letter-grants.ts';
import { onSchedule } from './on-schedule.ts';
import { grantWakeUps } from './wake-up-grants.ts';

/** A dead-letter queue's visibility is 30 s by default, and Lambda refuses a function that may take longer. */
const INTAKE_TIMEOUT = Duration.seconds(30);
const BATCH_SIZE = 10;
/** How soon people hear of a dead letter. */
const ANNOUNCE_PERIOD = Duration.minutes(1);

/** What a consumer needs to attach its dead-letter queues. */
export interface IDeadLetterIntake {
  readonly functionArn: string;
  readonly roleArn: string;
}

export interface DeadLetterIntakeProps {
  readonly eventStore: IEventStore;
  readonly alertsTopic: ITopic;
}

export class DeadLetterIntake extends Construct implements IDeadLetterIntake {
  readonly function: LambdaFunction;
  readonly functionArn: string;
  readonly roleArn: string;
  /** Announcements that failed three times. */
  readonly deadLetterQueue: Queue;

  /** The intake of a deployment in the same account and region. */
  static fromDeployment(scope: Construct, prefix: string = DEFAULT_PARAMETER_PREFIX): IDeadLetterIntake {
    return {
      functionArn: sharedValue(scope, prefix, 'intake-dead-letters-function-arn'),
      roleArn: sharedValue(scope, prefix, 'intake-dead-letters-role-arn'),
    };
  }

  constructor(scope: Construct, id: string, { eventStore, alertsTopic }: DeadLetterIntakeProps) {
    super(scope, id);
    const { checkpointsTable, deadLettersTable, recoveryTable, encryptionKey } = eventStore;
    this.deadLetterQueue = createDeadLetterQueue(this, 'DeadLetterQueue', { encryptionKey });
    this.function = new ProjectFunction(this, 'IntakeDeadLetters', 'intake-dead-letters', {
      description: 'Takes in what queues and rules gave up on, and tells people about dead letters',
      timeout: INTAKE_TIMEOUT,
      environment: {
        CHECKPOINTS_TABLE: checkpointsTable.tableName,
        DEAD_LETTERS_TABLE: deadLettersTable.tableName,
        RECOVERY_TABLE: recoveryTable.tableName,
        ALERTS_TOPIC_ARN: alertsTopic.topicArn,
      },
    }).function;
    this.functionArn = this.function.functionArn;
    this.roleArn = this.function.role?.roleArn ?? '';
    grantOnKeys(this.function, checkpointsTable, REGISTRY_KEYS, 'Query');
    checkpointsTable.grant(this.function, 'dynamodb:GetItem');
    grantDeadLetters(this.function, eventStore);
    grantOnKeys(this.function, recoveryTable, 'gap#*', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'intake#*', 'GetItem', 'PutItem', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'undeliverable', 'PutItem');
    grantOnKeys(this.function, recoveryTable, 'alert', 'PutItem', 'UpdateItem');
    grantWakeUps(this.function, eventStore);
    alertsTopic.grantPublish(this.function);
    onSchedule(this, 'AnnounceSchedule', {
      function: this.function,
      every: ANNOUNCE_PERIOD,
      description: 'Tell people about new dead letters',
      input: { action: 'announce' },
      deadLetterQueue: this.deadLetterQueue,
    });
    this.createAlarms(alertsTopic);
  }

  /**
   * Takes in what the functions of this stack and the ground floor gave up on. Its own queue is left alone: what keeps it from
   * working keeps it from telling; an alarm watches that queue.
   * @param groundFloorArns queues of a stack that knows no intake: their permission is the role's
   */
  takeIn(queues: readonly Queue[], groundFloorArns: readonly string[]): void {
    for (const queue of queues) {
      if (queue !== this.deadLetterQueue) attachToIntake(queue, 'DeadLetterIntake', this, queue);
    }
    this.function.addToRolePolicy(new PolicyStatement({ actions: POLLING, resources: [...groundFloorArns] }));
    for (const [index, queueArn] of groundFloorArns.entries()) {
      const mapping = intakeMapping(this, `GroundFloor${index + 1}`, this.functionArn, queueArn);
      mapping.node.addDependency(this.function);
    }
  }

  private createAlarms(alertsTopic: ITopic): void {
    runbookAlarm(this, 'ErrorsAlarm', {
      metric: this.function.metricErrors({ statistic: 'Sum', period: Duration.minutes(5) }),
      threshold: 1,
      evaluationPeriods: 3,
      meaning: 'The dead-letter intake fails for 15 minutes: dead letters are kept, but nobody is told.',
      runbook: 'intake-errors',
      alertsTopic,
    });
    runbookAlarm(this, 'AnnounceFailedAlarm', {
      metric: this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({
        statistic: 'Maximum',
        period: Duration.minutes(5),
      }),
      threshold: 1,
      meaning: 'An announcement of dead letters failed three times.',
      runbook: 'intake-announce-failed',
      alertsTopic,
    });
  }
}

/** SQS, for an event source mapping ("Using Lambda with Amazon SQS"): what its function's role must be allowed. */
const POLLING = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

/** Lets the intake read a dead-letter queue of a consumer. The queue says so itself: the intake's role knows no queues. */
export function attachToIntake(scope: Construct, id: string, intake: IDeadLetterIntake, queue: Queue): void {
  queue.addToResourcePolicy(
    new PolicyStatement({
      sid: 'DeadLetterIntake',
      principals: [new ArnPrincipal(intake.roleArn)],
      actions: POLLING,
      resources: [queue.queueArn],
    }),
  );
  const mapping = intakeMapping(scope, id, intake.functionArn, queue.queueArn);
  // Lambda checks the permission when the mapping is created.
  const policy = queue.node.tryFindChild('Policy');
  if (policy !== undefined) mapping.node.addDependency(policy);
}

// The plain resource: an imported function would bring intrinsics only to cut its name out of the ARN.
const intakeMapping = (scope: Construct, id: string, functionName: string, eventSourceArn: string) =>
  new CfnEventSourceMapping(scope, id, {
    functionName,
    eventSourceArn,
    batchSize: BATCH_SIZE,
    functionResponseTypes: ['ReportBatchItemFailures'],
  });
