// Synth for tests: the real app without bundling and without CloudFormation's own validation, which makes it 40 times
// faster. cdk-nag runs, as in the real one.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { OrderFulfilmentStack } from '../../examples/order-fulfilment/stack.ts';
import { EventBus, EventConsumer, type EventConsumerProps, EventStore } from '../../lib/index.ts';
import type { EventRecoveryAppProps } from '../../lib/infra/create-app.ts';
import { createCheckedApp } from '../../lib/infra/create-checked-app.ts';
import { creationOrder } from '../../lib/local/template/order.ts';

const outputs = mkdtempSync(join(tmpdir(), 'event-recovery-synth-'));
afterAll(() => rmSync(outputs, { recursive: true, force: true }));

/** A new folder for a cloud assembly, removed after the tests of the file. */
export const outdir = (): string => mkdtempSync(join(outputs, 'app-'));

export const NOT_BUNDLED = { 'aws:cdk:bundling-stacks': [] };

export interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  DependsOn?: string[];
}

export interface TemplateJson {
  Resources: Record<string, Resource>;
  Parameters?: Record<string, { Type: string; Default?: string }>;
  Outputs?: Record<string, { Value: unknown; Export?: unknown }>;
}

/** A new app with the flags of cdk.json, for tests of single constructs. */
export const testApp = (context: Record<string, unknown> = {}): App =>
  new App({
    context: { ...cdkJson.context, ...NOT_BUNDLED, ...context },
    builtinCloudFormationValidation: false,
    analyticsReporting: false,
    outdir: outdir(),
  });

export const templateOf = (stack: Stack): TemplateJson => Template.fromStack(stack).toJSON() as TemplateJson;

/** What `bin/app.ts` deploys. */
export function synthApp(props: EventRecoveryAppProps = {}) {
  const made = createCheckedApp({
    builtinCloudFormationValidation: false,
    analyticsReporting: false,
    outdir: outdir(),
    ...props,
    context: { ...NOT_BUNDLED, ...props.context },
  });
  const example = new OrderFulfilmentStack(made.app, made.stackName('Example'), {
    parameterPrefix: made.parameterPrefix,
  });
  example.addStackDependency(made.flow);
  example.addStackDependency(made.recovery);
  const assembly = made.app.synth();
  const template = (name: string): TemplateJson => {
    const found = assembly.getStackByName(made.stackName(name)).template as TemplateJson;
    // What CloudFormation's own validation would say first: a circle is an error here, too.
    creationOrder(found.Resources);
    return found;
  };
  return {
    ...made,
    example,
    templates: {
      data: template('Data'),
      flow: template('Flow'),
      recovery: template('Recovery'),
      example: template('Example'),
    },
  };
}

export const PLAIN_CONSUMER = { name: 'mailer', eventTypes: ['OrderPlaced'], effects: 'idempotent' } as const;

/** One stack with store, bus and a consumer. */
export function consumerStack(props: Partial<EventConsumerProps> = {}, app: App = testApp()) {
  const stack = new Stack(app, 'Test');
  const eventStore = new EventStore(stack, 'EventStore');
  const eventBus = new EventBus(stack, 'EventBus', { eventStore });
  const entry = new URL('../../examples/order-fulfilment/notification/handler.ts', import.meta.url).pathname;
  const code = props.function || props.nodejsFunctionProps || 'entry' in props ? {} : { entry };
  const consumer = new EventConsumer(stack, 'Mailer', {
    eventStore,
    eventBus,
    consumer: PLAIN_CONSUMER,
    ...code,
    ...props,
  });
  return { app, stack, eventStore, eventBus, consumer, template: () => templateOf(stack) };
}

export const resourcesOf = (template: TemplateJson, type: string): [id: string, resource: Resource][] =>
  Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);

/** The one resource of a type whose logical id begins with `prefix`. */
export function resource(template: TemplateJson, type: string, prefix = ''): Resource {
  const found = resourcesOf(template, type).filter(([id]) => id.startsWith(prefix));
  if (found.length !== 1)
    throw new Error(`expected one ${type} ${prefix}*, found ${found.map(([id]) => id).join(', ')}`);
  return (found[0] as [string, Resource])[1];
}

export interface PolicyStatementJson {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

/** Allowed statements of the role whose policy's logical id begins with `prefix`. */
export function statements(template: TemplateJson, prefix = ''): PolicyStatementJson[] {
  return resourcesOf(template, 'AWS::IAM::Policy')
    .filter(([id]) => id.startsWith(prefix))
    .flatMap(([, policy]) => (policy.Properties.PolicyDocument as { Statement: PolicyStatementJson[] }).Statement)
    .filter((statement) => statement.Effect === 'Allow');
}

export const actionsOf = (statement: PolicyStatementJson): string[] => [statement.Action].flat();
export const resourcesIn = (statement: PolicyStatementJson): unknown[] => [statement.Resource].flat();
