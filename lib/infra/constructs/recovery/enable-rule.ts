// EnableRule: the function that enables a consumer's rule on the bus after somebody has agreed. It reaches the rules of this bus
// and nothing else; an event source mapping of a consumer stays with people, because its ARN is known to the consumer's stack alone.

import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { acknowledgeResourceWildcard } from '../acknowledgements.ts';
import type { IEventBus } from '../event-bus.ts';
import { ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { grantOnKeys } from '../key-grants.ts';

const TIMEOUT = Duration.seconds(30);

export interface EnableRuleProps {
  readonly eventStore: IEventStore;
  readonly eventBus: IEventBus;
}

export class EnableRule extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, { eventStore, eventBus }: EnableRuleProps) {
    super(scope, id);
    const { recoveryTable } = eventStore;
    const { eventBusName } = eventBus.bus;
    const { function: enableRule } = new ProjectFunction(this, 'EnableRule', 'enable-rule', {
      description: "Enables a consumer's rule that somebody disabled, when somebody has agreed",
      timeout: TIMEOUT,
      environment: { RECOVERY_TABLE: recoveryTable.tableName, EVENT_BUS_NAME: eventBusName },
    });
    this.function = enableRule;
    grantOnKeys(enableRule, recoveryTable, 'audit#*', 'PutItem');
    const rules = Stack.of(this).formatArn({
      service: 'events',
      resource: 'rule',
      resourceName: `${eventBusName}/*`,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
    enableRule.addToRolePolicy(
      new PolicyStatement({ actions: ['events:DescribeRule', 'events:EnableRule'], resources: [rules] }),
    );
    if (enableRule.role) {
      acknowledgeResourceWildcard(enableRule.role, rules, 'Rules of the bus, whichever stack made them.');
    }
  }
}
