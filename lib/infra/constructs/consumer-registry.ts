// Writes each deployed consumer into the registry: one function behind a CloudFormation custom resource. It gets the plain
// CloudFormation request and answers to its ResponseURL itself, so no provider framework is deployed.

import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ProjectFunction } from './event-function.ts';
import type { IEventStore } from './event-store-base.ts';
import { grantOnKeys, REGISTRY_KEYS } from './key-grants.ts';

/** Type of the custom resource in templates. */
export const CONSUMER_RESOURCE_TYPE = 'Custom::EventConsumer';
/** A few reads and one conditional write; a minute covers every retry of them. */
export const REGISTRATION_TIMEOUT = Duration.minutes(1);

/** Properties of the custom resource as the function sees them. CloudFormation hands on strings only. */
export interface ConsumerResourceProperties {
  /** A `ConsumerDeclaration` with every default filled in, as JSON: CloudFormation would turn numbers into strings. */
  readonly Declaration: string;
  readonly QueueUrl: string;
  readonly FunctionName: string;
  /** Stack and logical id of the consumer: another owner of the same name is refused. */
  readonly Owner: string;
}

export class ConsumerRegistry extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: { readonly eventStore: IEventStore }) {
    super(scope, id);
    const { eventStore } = props;
    this.function = new ProjectFunction(this, 'RegisterConsumer', 'register-consumer', {
      description: 'Writes consumers into the registry when their stack is deployed, changed or removed',
      timeout: REGISTRATION_TIMEOUT,
      environment: {
        CHECKPOINTS_TABLE: eventStore.checkpointsTable.tableName,
        LOG_TABLE: eventStore.logTable.tableName,
      },
    }).function;
    grantOnKeys(this.function, eventStore.checkpointsTable, REGISTRY_KEYS, 'GetItem', 'PutItem');
    // The log's head, where a consumer with startFrom "now" begins.
    eventStore.logTable.grant(this.function, 'dynamodb:Query');
  }
}
