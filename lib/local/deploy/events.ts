// AWS::Events::*: buses and rules. A rule whose target does not let EventBridge in would lose every event silently on
// AWS; here the start fails and says so.

import { type BusTarget, deliveryDenied } from '../bus/buses.ts';
import type { Pattern } from '../bus/pattern.ts';
import { arn, resourceOfArn } from '../names.ts';
import { notPermitted } from './messaging.ts';
import { type Handler, namesOf, propertiesOf, unsupportedProperty } from './resource.ts';

export const createBus: Handler = (resource, cloud) => {
  const leftOut = ['KmsKeyIdentifier', 'Description', 'LogConfig', 'DeadLetterConfig', 'Policy'];
  const properties = propertiesOf<{ Name: string }>(resource, ['Name'], leftOut);
  cloud.buses.addBus(properties.Name);
  return {
    ref: properties.Name,
    attributes: { Arn: arn('events', `event-bus/${properties.Name}`), Name: properties.Name },
  };
};

interface RuleProperties {
  Name?: string;
  EventBusName?: string;
  EventPattern?: Pattern;
  ScheduleExpression?: string;
  State?: string;
  Targets?: (BusTarget & { RetryPolicy?: object })[];
}

const TARGET_KEYS = new Set([
  'Id',
  'Arn',
  'DeadLetterConfig',
  'Input',
  'InputPath',
  'InputTransformer',
  'SqsParameters',
  'RetryPolicy',
  'RoleArn',
]);

export const createRule: Handler = (resource, cloud) => {
  const honoured = ['Name', 'EventBusName', 'EventPattern', 'ScheduleExpression', 'State', 'Targets'];
  const properties = propertiesOf<RuleProperties>(resource, honoured, ['Description', 'RoleArn']);
  const named = namesOf(resource, properties.Name, 64);
  const busName = resourceOfArn(properties.EventBusName ?? 'default').replace(/^event-bus\//, '');
  const targets = properties.Targets ?? [];
  for (const target of targets) {
    const unknown = Object.keys(target).filter((key) => !TARGET_KEYS.has(key));
    if (unknown.length > 0) throw unsupportedProperty(resource, `target ${unknown.join(', ')}`);
  }
  const ruleArn = arn('events', busName === 'default' ? `rule/${named.name}` : `rule/${busName}/${named.name}`);
  const rule = {
    ...named,
    arn: ruleArn,
    busName,
    pattern: properties.EventPattern,
    schedule: properties.ScheduleExpression,
    enabled: properties.State !== 'DISABLED',
    targets,
  };
  cloud.buses.addRule(rule);
  cloud.onStart(() => {
    for (const target of targets) {
      const refusal = deliveryDenied(cloud.identities, rule, target);
      if (refusal !== undefined) throw notPermitted(resource.path ?? resource.logicalId, refusal);
    }
  });
  return { ref: busName === 'default' ? named.name : `${busName}|${named.name}`, attributes: { Arn: ruleArn } };
};
