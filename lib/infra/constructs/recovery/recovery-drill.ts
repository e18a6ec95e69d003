// Drills in AWS: monthly the recovery is rehearsed on streams of its own (`drill-...`), with a consumer that no other stream
// reaches and that reaches no other stream. Nothing of it is there unless it is asked for.

import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { type CfnRule, Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type Function as LambdaFunction, RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { DRILL_STREAM_PREFIX } from '../../../model/ids.ts';
import { STREAM_MOVED } from '../../../model/wake-up.ts';
import { rehearsal, STEP } from '../../../recovery/drill/deployed/rehearsal.ts';
import { acknowledgeResourceWildcard } from '../acknowledgements.ts';
import type { IEventBus } from '../event-bus.ts';
import { EventConsumer } from '../event-consumer.ts';
import { METRICS_NAMESPACE, ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { grantOnKeys } from '../key-grants.ts';
import { createDeadLetterQueue, metricDeadLetters } from '../queues.ts';
import { runbookAlarm } from '../runbook-alarm.ts';
import type { IVerification } from './verify-consistency.ts';

/** Lambda's own limit: unclean ends take minutes, and so may the recovery. */
const DRILL_TIMEOUT = Duration.minutes(15);
/** An effect is one write. The shorter, the sooner a message of a dead function comes back. */
const REACT_TIMEOUT = Duration.seconds(5);
/** The first of the month, at an hour at which somebody will soon be awake. */
const MONTHLY = Schedule.cron({ minute: '0', hour: '5', day: '1' });
const DAILY = Schedule.cron({ minute: '30', hour: '6' });

export interface RecoveryDrillProps {
  readonly eventStore: IEventStore;
  readonly eventBus: IEventBus;
  readonly stateMachine: StateMachine;
  /** Asks the rehearsal consumer about its effects, as it does all that have a `verify`. */
  readonly verification: IVerification;
  /** When drills run. @default - 05:00 UTC on the first of each month */
  readonly schedule?: Schedule;
}

export class RecoveryDrill extends Construct {
  readonly function: LambdaFunction;
  readonly consumer: EventConsumer;
  /** Effects and cures of the rehearsal; rows go by themselves after three months. */
  readonly table: Table;
  /** Drills that could not be run at all. */
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, props: RecoveryDrillProps) {
    super(scope, id);
    const { eventStore } = props;
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      timeToLiveAttribute: 'expiresAt',
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: eventStore.encryptionKey ? TableEncryption.CUSTOMER_MANAGED : TableEncryption.DEFAULT,
      encryptionKey: eventStore.encryptionKey,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // It is worth nothing when the drills are gone.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.consumer = this.createConsumer(props);
    this.deadLetterQueue = createDeadLetterQueue(this, 'DeadLetterQueue', { encryptionKey: eventStore.encryptionKey });
    this.function = this.createDrill(props);
    this.createSchedules(props.schedule ?? MONTHLY);
    this.createAlarms(props.eventBus);
  }

  /** A metric of the drills: `DrillRuns`, `DrillFailures`, `DrillLostEvents`, `DrillDoubledEffects`. @default sum over 1 hour */
  metric(metricName: string, options?: MetricOptions): Metric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      dimensionsMap: { service: 'run-drill' },
      statistic: 'Sum',
      period: Duration.hours(1),
      ...options,
    });
  }

  private createConsumer({ eventStore, eventBus, verification }: RecoveryDrillProps): EventConsumer {
    const { function: react } = new ProjectFunction(this, 'ReactToDrill', 'react-to-drill', {
      description: 'Rehearses with drills: fails and dies as it is told, until cured',
      timeout: REACT_TIMEOUT,
      recursiveLoop: RecursiveLoop.ALLOW,
    });
    // Its dead-letter queues are attached to the intake with all others of this stack.
    const consumer = new EventConsumer(this, 'Rehearsal', {
      eventStore,
      eventBus,
      consumer: rehearsal,
      verification,
      function: react,
      timeout: REACT_TIMEOUT,
      environment: { DRILL_TABLE: this.table.tableName },
    });
    this.table.grant(consumer, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    // One of its two types is left out of its rule ON PURPOSE: these deliveries are lost, for certain and without a switch.
    const rule = consumer.rule.node.defaultChild as CfnRule;
    rule.addPropertyOverride('EventPattern.detail-type', [STEP, STREAM_MOVED]);
    return consumer;
  }

  private createDrill({ eventStore, stateMachine }: RecoveryDrillProps): LambdaFunction {
    const { eventsTable, logTable, deadLettersTable, recoveryTable, archiveBucket } = eventStore;
    const made = new ProjectFunction(this, 'RunDrill', 'run-drill', {
      description: 'Rehearses the recovery on streams of its own and compares the books',
      timeout: DRILL_TIMEOUT,
      environment: {
        EVENTS_TABLE: eventsTable.tableName,
        LOG_TABLE: logTable.tableName,
        DEAD_LETTERS_TABLE: deadLettersTable.tableName,
        RECOVERY_TABLE: recoveryTable.tableName,
        DRILL_TABLE: this.table.tableName,
        STATE_MACHINE_ARN: stateMachine.stateMachineArn,
        ARCHIVE_BUCKET: archiveBucket.bucketName,
      },
    }).function;
    // It may append to streams of drills, and to no other.
    grantOnKeys(made, eventsTable, `${DRILL_STREAM_PREFIX}*`, 'PutItem', 'GetItem', 'Query');
    grantOnKeys(made, logTable, `stream#${DRILL_STREAM_PREFIX}*`, 'GetItem', 'BatchGetItem');
    this.table.grant(made, 'dynamodb:PutItem', 'dynamodb:GetItem', 'dynamodb:Query');
    grantOnKeys(made, recoveryTable, 'lease', 'GetItem', 'UpdateItem');
    grantOnKeys(made, recoveryTable, 'drill', 'GetItem', 'PutItem', 'Query');
    const byConsumer = `${deadLettersTable.tableArn}/index/byConsumer`;
    made.addToRolePolicy(new PolicyStatement({ actions: ['dynamodb:Query'], resources: [byConsumer] }));
    const machineArn = stateMachine.stateMachineArn;
    made.addToRolePolicy(new PolicyStatement({ actions: ['states:StartExecution'], resources: [machineArn] }));
    const executions = Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${stateMachine.stateMachineName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    made.addToRolePolicy(new PolicyStatement({ actions: ['states:DescribeExecution'], resources: [executions] }));
    const reports = archiveBucket.arnForObjects('recoveries/*');
    made.addToRolePolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: [reports] }));
    if (made.role) {
      acknowledgeResourceWildcard(made.role, executions, 'Executions are named by whoever starts them.');
      acknowledgeResourceWildcard(made.role, reports, 'Reports, one folder per recovery.');
    }
    eventStore.encryptionKey?.grantEncryptDecrypt(made);
    // Not again by itself: half a drill more would only blur what went wrong.
    made.configureAsyncInvoke({
      retryAttempts: 0,
      maxEventAge: Duration.hours(6),
      onFailure: new SqsDestination(this.deadLetterQueue),
    });
    return made;
  }

  private createSchedules(monthly: Schedule): void {
    const target = (action: 'run' | 'check') =>
      new LambdaTarget(this.function, {
        event: RuleTargetInput.fromObject({ action }),
        deadLetterQueue: this.deadLetterQueue,
      });
    new Rule(this, 'Schedule', {
      description: 'Rehearse the recovery',
      schedule: monthly,
      targets: [target('run')],
    });
    new Rule(this, 'CheckSchedule', {
      description: 'Say whether drills are on time',
      schedule: DAILY,
      targets: [target('check')],
    });
  }

  private createAlarms({ alertsTopic }: IEventBus): void {
    runbookAlarm(this, 'FailedAlarm', {
      metric: this.metric('DrillFailures'),
      threshold: 1,
      meaning: 'A drill failed: the recovery did not find, repair or prove what was injected into its own streams.',
      runbook: 'drill-failed',
      alertsTopic,
    });
    runbookAlarm(this, 'BrokenAlarm', {
      metric: metricDeadLetters(this.deadLetterQueue),
      threshold: 1,
      meaning: 'A drill could not be run at all.',
      runbook: 'drill-broken',
      alertsTopic,
    });
    runbookAlarm(this, 'SilentAlarm', {
      // CloudWatch alarms look back a week at most; so the check says every day whether the last drill was in time.
      metric: this.metric('DrillOnTime', { statistic: 'Minimum', period: Duration.days(1) }),
      threshold: 1,
      silenceIsBad: true,
      meaning: 'No drill ended in the last 35 days, or nobody can say.',
      runbook: 'drill-silent',
      alertsTopic,
    });
  }
}
