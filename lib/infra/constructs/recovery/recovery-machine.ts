// The recovery as a Standard workflow with its two own functions, diagnose and report-status; the repairs are functions of
// their own capabilities. Logged without execution data (it names streams and reasons), traced.

import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, QueryLanguage, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledgeResourceWildcard } from '../acknowledgements.ts';
import type { IEventBus } from '../event-bus.ts';
import { DEFAULT_LOG_RETENTION, ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { grantOnKeys, REGISTRY_KEYS } from '../key-grants.ts';
import { grantDeadLetters } from './dead-letter-grants.ts';
import { EnableRule } from './enable-rule.ts';
import { grantLooking } from './looking-grants.ts';
import { RecoveryApproval } from './recovery-approval.ts';
import { RECOVERY_TIMEOUT, recoveryDefinition } from './recovery-definition.ts';
import { grantWakeUps } from './wake-up-grants.ts';

/** 10,000 open gaps and dead letters of a consumer are read in seconds. */
const DIAGNOSE_TIMEOUT = Duration.minutes(5);
const REPORT_TIMEOUT = Duration.minutes(1);

/** https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy */
const LOG_DELIVERY = [
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
];
/** https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html */
const TRACING = [
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
];

export interface RecoveryMachineProps {
  readonly eventStore: IEventStore;
  readonly eventBus: IEventBus;
  readonly scanGaps: IFunction;
  readonly redriveDeadLetters: IFunction;
  readonly replayEvents: IFunction;
  readonly restoreCommits: IFunction;
  readonly verifyConsistency: IFunction;
}

export class RecoveryMachine extends Construct {
  readonly stateMachine: StateMachine;
  readonly diagnose: LambdaFunction;
  readonly reportStatus: LambdaFunction;
  readonly approval: RecoveryApproval;

  constructor(scope: Construct, id: string, props: RecoveryMachineProps) {
    super(scope, id);
    this.diagnose = this.createDiagnose(props);
    this.reportStatus = this.createReportStatus(props);
    this.approval = new RecoveryApproval(this, 'Approval', props);
    const enableRule = new EnableRule(this, 'EnableRule', props).function;
    const role = this.createRole([
      this.diagnose,
      this.reportStatus,
      this.approval.ask,
      enableRule,
      props.scanGaps,
      props.redriveDeadLetters,
      props.replayEvents,
      props.restoreCommits,
      props.verifyConsistency,
    ]);
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      comment: 'Finds out what is wrong, repairs it, proves it, reports it. {} proposes and changes nothing.',
      stateMachineType: StateMachineType.STANDARD,
      queryLanguage: QueryLanguage.JSON_PATH,
      definitionBody: DefinitionBody.fromChainable(
        recoveryDefinition(new Construct(this, 'States'), {
          ...props,
          diagnose: this.diagnose,
          reportStatus: this.reportStatus,
          askApproval: this.approval.ask,
          enableRule,
        }),
      ),
      // Its permissions are ours to name: what the tasks would add reaches every version of a function.
      role: role.withoutPolicyUpdates(),
      timeout: RECOVERY_TIMEOUT,
      tracingEnabled: true,
      logs: {
        level: LogLevel.ALL,
        includeExecutionData: false,
        destination: new LogGroup(this, 'LogGroup', {
          retention: DEFAULT_LOG_RETENTION,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    });
    this.grantBatches(role);
    this.approval.grantAnswers(this.stateMachine.stateMachineArn);
  }

  /** The diagnosis also looks at what lies in these: dead-letter queues that belong to no consumer. */
  watchDeadLetters(queueArns: readonly string[]): void {
    this.diagnose.addEnvironment('DEAD_LETTER_QUEUES', queueArns.join(','));
  }

  /**
   * A Distributed Map starts its batches as executions of the same state machine; a policy of its own, because the machine
   * waits for its role. https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
   */
  private grantBatches(role: Role): void {
    // The CDK's own one takes the machine's name apart with Fn::Select, which no other resource here needs.
    this.stateMachine.node.tryRemoveChild('DistributedMapPolicy');
    const { stateMachineArn, stateMachineName } = this.stateMachine;
    const executions = Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${stateMachineName}*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const policy = new Policy(this, 'BatchesPolicy', {
      roles: [role],
      statements: [
        new PolicyStatement({ actions: ['states:StartExecution'], resources: [stateMachineArn] }),
        new PolicyStatement({
          actions: ['states:DescribeExecution', 'states:StopExecution', 'states:RedriveExecution'],
          resources: [executions],
        }),
      ],
    });
    acknowledgeResourceWildcard(policy, executions, 'Executions of its own batches; their names are not known before.');
  }

  /** Invokes these functions, writes its log, traces. */
  private createRole(functions: readonly IFunction[]): Role {
    const role = new Role(this, 'Role', {
      description: 'What the recovery does: it invokes functions',
      assumedBy: new ServicePrincipal('states.amazonaws.com'),
    });
    const functionArns = functions.map(({ functionArn }) => functionArn);
    role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: functionArns }));
    role.addToPolicy(new PolicyStatement({ actions: [...LOG_DELIVERY, ...TRACING], resources: ['*'] }));
    acknowledgeResourceWildcard(role, '*', 'X-Ray and the delivery of logs know no resources.');
    return role;
  }

  private createDiagnose({ eventStore, eventBus }: RecoveryMachineProps): LambdaFunction {
    const { checkpointsTable, deadLettersTable, recoveryTable } = eventStore;
    const { function: diagnose } = new ProjectFunction(this, 'Diagnose', 'diagnose', {
      description: 'Looks at every consumer and says what is wrong; takes the leases of a recovery',
      timeout: DIAGNOSE_TIMEOUT,
      environment: {
        EVENTS_TABLE: eventStore.eventsTable.tableName,
        LOG_TABLE: eventStore.logTable.tableName,
        CHECKPOINTS_TABLE: checkpointsTable.tableName,
        DEAD_LETTERS_TABLE: deadLettersTable.tableName,
        RECOVERY_TABLE: recoveryTable.tableName,
        EVENT_BUS_NAME: eventBus.bus.eventBusName,
        RELAY_FUNCTION_ARN: eventBus.relayFunctionArn,
        RELAY_MAPPING_ARN: eventBus.relayMappingArn,
        RELAY_FAILURES_BUCKET: eventStore.relayFailuresBucket.bucketName,
      },
    });
    grantOnKeys(diagnose, checkpointsTable, REGISTRY_KEYS, 'Query');
    grantDeadLetters(diagnose, eventStore);
    grantOnKeys(diagnose, recoveryTable, 'gap#*', 'Query');
    grantOnKeys(diagnose, recoveryTable, 'scan', 'Query');
    grantOnKeys(diagnose, recoveryTable, 'finding', 'Query');
    diagnose.addToRolePolicy(
      new PolicyStatement({ actions: ['s3:ListBucket'], resources: [eventStore.relayFailuresBucket.bucketArn] }),
    );
    grantOnKeys(diagnose, recoveryTable, 'lease', 'GetItem', 'UpdateItem');
    grantWakeUps(diagnose, eventStore);
    grantLooking(diagnose, eventBus);
    return diagnose;
  }

  private createReportStatus({ eventStore, eventBus }: RecoveryMachineProps): LambdaFunction {
    const { recoveryTable, archiveBucket } = eventStore;
    const { bus, alertsTopic } = eventBus;
    const { function: reportStatus } = new ProjectFunction(this, 'ReportStatus', 'report-status', {
      description: 'Stores and announces the report of a recovery',
      timeout: REPORT_TIMEOUT,
      environment: {
        RECOVERY_TABLE: recoveryTable.tableName,
        ARCHIVE_BUCKET: archiveBucket.bucketName,
        ALERTS_TOPIC_ARN: alertsTopic.topicArn,
        EVENT_BUS_NAME: bus.eventBusName,
      },
    });
    grantOnKeys(reportStatus, recoveryTable, 'lease', 'GetItem', 'UpdateItem');
    const reports = archiveBucket.arnForObjects('recoveries/*');
    reportStatus.addToRolePolicy(new PolicyStatement({ actions: ['s3:PutObject'], resources: [reports] }));
    eventStore.encryptionKey?.grantEncryptDecrypt(reportStatus);
    if (reportStatus.role) acknowledgeResourceWildcard(reportStatus.role, reports, 'Reports, one folder per recovery.');
    alertsTopic.grantPublish(reportStatus);
    bus.grantPutEventsTo(reportStatus);
    return reportStatus;
  }
}
