// What a diagnosis may ask AWS about: metrics, event source mappings and the rules of the bus. Reading only. Where a read knows no
// resource (Service Authorization Reference of CloudWatch, Lambda and EventBridge), it stands on all.

import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { acknowledgeResourceWildcard } from '../acknowledgements.ts';
import type { IEventBus } from '../event-bus.ts';

export function grantLooking(diagnose: LambdaFunction, { bus, relayMappingArn }: IEventBus): void {
  const rules = Stack.of(diagnose).formatArn({
    service: 'events',
    resource: 'rule',
    resourceName: `${bus.eventBusName}/*`,
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
  diagnose.addToRolePolicy(
    new PolicyStatement({
      actions: ['cloudwatch:GetMetricData', 'lambda:ListEventSourceMappings', 'events:ListRuleNamesByTarget'],
      resources: ['*'],
    }),
  );
  diagnose.addToRolePolicy(
    new PolicyStatement({ actions: ['lambda:GetEventSourceMapping'], resources: [relayMappingArn] }),
  );
  diagnose.addToRolePolicy(
    new PolicyStatement({ actions: ['events:DescribeRule', 'events:ListTargetsByRule'], resources: [rules] }),
  );
  if (diagnose.role) acknowledgeResourceWildcard(diagnose.role, rules, 'Rules of the bus, whichever stack made them.');
}
