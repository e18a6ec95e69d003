// The verification as a function: reads every table, writes none. It is never run by a schedule (it reads everything); the
// operator, the drill and the recovery ask for it.

import { Duration } from 'aws-cdk-lib';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE, ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { DEFAULT_PARAMETER_PREFIX, sharedValue } from '../shared-parameters.ts';

/** Lambda's longest (Lambda quotas): about 50 MB of commits a second are read, so some 40 GB; more is verified in batches. */
const TIMEOUT = Duration.minutes(15);
/** The log's entries of the verified streams are held in memory, about 150 bytes each: some 10 million fit. */
const MEMORY_MB = 2_048;

export interface VerifyConsistencyProps {
  readonly eventStore: IEventStore;
}

/** Who asks consumers about their effects: what a consumer needs to let it. */
export interface IVerification {
  readonly roleArn: string;
}

export class VerifyConsistency extends Construct implements IVerification {
  readonly function: LambdaFunction;
  readonly roleArn: string;

  /** The verification of a deployment in the same account and region. */
  static fromDeployment(scope: Construct, prefix: string = DEFAULT_PARAMETER_PREFIX): IVerification {
    return { roleArn: sharedValue(scope, prefix, 'verify-consistency-role-arn') };
  }

  constructor(scope: Construct, id: string, { eventStore }: VerifyConsistencyProps) {
    super(scope, id);
    const { eventsTable, logTable, checkpointsTable, deadLettersTable, recoveryTable } = eventStore;
    this.function = new ProjectFunction(this, 'VerifyConsistency', 'verify-consistency', {
      description: 'Re-reads everything and accounts for every event; changes nothing',
      timeout: TIMEOUT,
      memorySize: MEMORY_MB,
      environment: {
        EVENTS_TABLE: eventsTable.tableName,
        LOG_TABLE: logTable.tableName,
        CHECKPOINTS_TABLE: checkpointsTable.tableName,
        DEAD_LETTERS_TABLE: deadLettersTable.tableName,
        RECOVERY_TABLE: recoveryTable.tableName,
      },
    }).function;
    this.roleArn = this.function.role?.roleArn ?? '';
    eventsTable.grant(this.function, 'dynamodb:Scan', 'dynamodb:Query');
    logTable.grant(this.function, 'dynamodb:Scan', 'dynamodb:Query', 'dynamodb:GetItem');
    checkpointsTable.grant(this.function, 'dynamodb:Query', 'dynamodb:GetItem');
    // The table alone: a grant of the table would name its indexes with a wildcard.
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['dynamodb:Scan'], resources: [deadLettersTable.tableArn] }),
    );
    recoveryTable.grant(this.function, 'dynamodb:GetItem');
    eventStore.encryptionKey?.grantDecrypt(this.function);
  }

  /** What contradicts what is stored. @default sum over 5 minutes */
  metricViolations(options?: MetricOptions): Metric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName: 'Violations',
      dimensionsMap: { service: 'verify-consistency' },
      statistic: 'Sum',
      period: Duration.minutes(5),
      ...options,
    });
  }
}
