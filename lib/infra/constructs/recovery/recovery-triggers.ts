// What starts a recovery besides a person: gaps that a scan announced, damage that a scrub announced, and alarms. Every rule goes to
// one function, which names the execution after what was found, so that the same finding starts one recovery. A schedule has it look
// after those that were cut off or have to wait.

import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { type EventPattern, type IEventBus as IAwsEventBus, Match, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { DAMAGE_FOUND, GAPS_FOUND, RECOVERY_SOURCE } from '../../../model/wake-up.ts';
import { ALARM_DETAIL_TYPE, ALARM_SOURCE, ALARMS_THAT_START } from '../../../recovery/start/decide-start.ts';
import { acknowledgeResourceWildcard } from '../acknowledgements.ts';
import type { IEventBus } from '../event-bus.ts';
import { METRICS_NAMESPACE, ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { grantOnKeys, REGISTRY_KEYS } from '../key-grants.ts';
import { createDeadLetterQueue } from '../queues.ts';
import { RUNBOOK, runbookAlarm } from '../runbook-alarm.ts';
import { onSchedule } from './on-schedule.ts';

const TIMEOUT = Duration.seconds(30);
const ALARM_PERIOD = Duration.minutes(5);
const LOOK_AFTER_EVERY = Duration.minutes(5);

export interface RecoveryTriggersProps {
  readonly eventStore: IEventStore;
  readonly eventBus: IEventBus;
  readonly stateMachine: StateMachine;
}

export class RecoveryTriggers extends Construct {
  readonly function: LambdaFunction;
  /** Signs that could not be turned into a recovery. */
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, props: RecoveryTriggersProps) {
    super(scope, id);
    const { eventStore, eventBus, stateMachine } = props;
    const { checkpointsTable, recoveryTable, encryptionKey } = eventStore;
    const { bus, alertsTopic } = eventBus;
    this.deadLetterQueue = createDeadLetterQueue(this, 'DeadLetterQueue', { encryptionKey });
    this.function = new ProjectFunction(this, 'StartRecovery', 'start-recovery', {
      description: 'Starts a recovery for what scans, scrubs and alarms tell',
      timeout: TIMEOUT,
      environment: {
        STATE_MACHINE_ARN: stateMachine.stateMachineArn,
        CHECKPOINTS_TABLE: checkpointsTable.tableName,
        RECOVERY_TABLE: recoveryTable.tableName,
        ALERTS_TOPIC_ARN: alertsTopic.topicArn,
      },
    }).function;
    grantOnKeys(this.function, checkpointsTable, REGISTRY_KEYS, 'Query');
    grantOnKeys(this.function, recoveryTable, 'recovery-start', 'GetItem', 'PutItem', 'Query');
    grantOnKeys(this.function, recoveryTable, 'lease', 'Query', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'alert', 'PutItem', 'UpdateItem');
    alertsTopic.grantPublish(this.function);
    this.grantStarting(stateMachine);
    onSchedule(this, 'LookAfterSchedule', {
      function: this.function,
      every: LOOK_AFTER_EVERY,
      description: 'Recoveries that were cut off, and those that have to wait',
      deadLetterQueue: this.deadLetterQueue,
    });
    this.rule('GapsFound', 'A gap scan found gaps', { source: [RECOVERY_SOURCE], detailType: [GAPS_FOUND] }, bus);
    this.rule('DamageFound', 'A scrub found damage', { source: [RECOVERY_SOURCE], detailType: [DAMAGE_FOUND] }, bus);
    this.rule('Alarms', 'An alarm that a recovery may help against', {
      source: [ALARM_SOURCE],
      detailType: [ALARM_DETAIL_TYPE],
      detail: {
        state: { value: ['ALARM'] },
        configuration: { description: ALARMS_THAT_START.flatMap((heading) => Match.suffix(`${RUNBOOK}#${heading}`)) },
      },
    });
    runbookAlarm(this, 'FailedAlarm', {
      metric: this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({
        statistic: 'Maximum',
        period: ALARM_PERIOD,
      }),
      threshold: 1,
      meaning: 'A sign could not be turned into a recovery: what it tells of is not being repaired.',
      runbook: 'recovery-not-started',
      alertsTopic,
    });
    runbookAlarm(this, 'FailedExecutionAlarm', {
      metric: stateMachine.metricFailed({ statistic: 'Sum', period: ALARM_PERIOD }),
      threshold: 1,
      meaning: 'A recovery ended without success.',
      runbook: 'recovery-failed',
      alertsTopic,
    });
    const cutOff = { threshold: 1, runbook: 'recovery-cut-off', alertsTopic } as const;
    runbookAlarm(this, 'TimedOutAlarm', {
      ...cutOff,
      metric: stateMachine.metricTimedOut({ statistic: 'Sum', period: ALARM_PERIOD }),
      meaning: 'A recovery took longer than it may, and ended without a report.',
    });
    runbookAlarm(this, 'AbortedAlarm', {
      ...cutOff,
      metric: stateMachine.metricAborted({ statistic: 'Sum', period: ALARM_PERIOD }),
      meaning: 'Somebody stopped a recovery: it ended without a report.',
    });
    runbookAlarm(this, 'DidNotHelpAlarm', {
      metric: new Metric({
        namespace: METRICS_NAMESPACE,
        metricName: 'Recoveries-did-not-help',
        dimensionsMap: { service: 'start-recovery' },
        statistic: 'Sum',
        period: ALARM_PERIOD,
      }),
      threshold: 1,
      meaning: 'A finding is still there after its recovery has ended; it is not started again.',
      runbook: 'recovery-did-not-help',
      alertsTopic,
    });
  }

  /** On the default bus when none is given. */
  private rule(id: string, description: string, eventPattern: EventPattern, eventBus?: IAwsEventBus): void {
    new Rule(this, id, {
      description,
      eventBus,
      eventPattern,
      targets: [new LambdaTarget(this.function, { deadLetterQueue: this.deadLetterQueue })],
    });
  }

  private grantStarting({ stateMachineArn, stateMachineName }: StateMachine): void {
    const executions = Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${stateMachineName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['states:StartExecution'], resources: [stateMachineArn] }),
    );
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['states:DescribeExecution'], resources: [executions] }),
    );
    if (this.function.role) {
      acknowledgeResourceWildcard(
        this.function.role,
        executions,
        'Recoveries of this state machine, whatever their name.',
      );
    }
  }
}
