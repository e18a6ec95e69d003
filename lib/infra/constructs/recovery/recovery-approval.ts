// The two functions of an approval: one that the recovery asks with, one that people decide with. Whoever may invoke the second
// may let a recovery overwrite something: grant it to few.

import { Duration } from 'aws-cdk-lib';
import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { IEventBus } from '../event-bus.ts';
import { ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { grantOnKeys } from '../key-grants.ts';

/** A few writes and one message, with their retries. */
const TIMEOUT = Duration.seconds(30);

export interface RecoveryApprovalProps {
  readonly eventStore: IEventStore;
  readonly eventBus: IEventBus;
}

export class RecoveryApproval extends Construct {
  readonly ask: LambdaFunction;
  readonly decide: LambdaFunction;

  constructor(scope: Construct, id: string, { eventStore, eventBus }: RecoveryApprovalProps) {
    super(scope, id);
    const { recoveryTable } = eventStore;
    const { alertsTopic } = eventBus;
    this.ask = new ProjectFunction(this, 'AskApproval', 'ask-approval', {
      description: 'Asks people whether a recovery may overwrite something',
      timeout: TIMEOUT,
      environment: { RECOVERY_TABLE: recoveryTable.tableName, ALERTS_TOPIC_ARN: alertsTopic.topicArn },
    }).function;
    grantOnKeys(this.ask, recoveryTable, 'approval', 'GetItem', 'PutItem');
    alertsTopic.grantPublish(this.ask);
    this.decide = new ProjectFunction(this, 'DecideApproval', 'decide-approval', {
      description: "Takes a person's approval or refusal of a recovery",
      timeout: TIMEOUT,
      environment: { RECOVERY_TABLE: recoveryTable.tableName },
    }).function;
    grantOnKeys(this.decide, recoveryTable, 'approval', 'GetItem', 'UpdateItem');
    grantOnKeys(this.decide, recoveryTable, 'audit#*', 'PutItem');
  }

  /**
   * Let the decision reach the executions of this state machine. Whoever asks tells it when it was made meanwhile. A policy of
   * its own: the machine waits for the function that asks, and a function waits for its role's own policy.
   */
  grantAnswers(stateMachineArn: string): void {
    const roles = [this.ask, this.decide].flatMap(({ role }) => role ?? []);
    new Policy(this, 'AnswersPolicy', {
      roles,
      statements: [
        new PolicyStatement({
          actions: ['states:SendTaskSuccess', 'states:SendTaskFailure'],
          resources: [stateMachineArn],
        }),
      ],
    });
  }
}
