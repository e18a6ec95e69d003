// Deploys the stacks of an assembly into the local cloud: parameters, conditions, resources in dependency order,
// outputs and exports. The first error stops it and names the resource.

import { EventRecoveryError } from '../../model/errors.ts';
import type { AssemblyStack } from '../assembly/read-assembly.ts';
import type { Cloud } from '../cloud.ts';
import { ACCOUNT, REGION } from '../names.ts';
import { NO_VALUE, resolve, type Scope } from '../template/intrinsics.ts';
import { creationOrder } from '../template/order.ts';
import type { TemplateResource } from '../template/template.ts';
import { handlerOf } from './handlers.ts';
import type { Created, Resource } from './resource.ts';

export interface Deployed {
  /** Outputs of all stacks by name; on a clash the later stack wins and both stand under `Stack.Name`. */
  outputs: Record<string, string>;
}

/** The CDK's own check that the account is bootstrapped. */
const BOOTSTRAP_PARAMETER = /^\/cdk-bootstrap\/[^/]+\/version$/;

export async function deploy(stacks: readonly AssemblyStack[], cloud: Cloud): Promise<Deployed> {
  const exports = new Map<string, unknown>();
  const outputsByStack = new Map<string, Record<string, unknown>>();
  const outputs: Record<string, string> = {};
  for (const stack of stacks) {
    const created = new Map<string, Created>();
    const scope = scopeOf(stack, created, { exports, outputsByStack, cloud });
    const resources = selected(stack.template.Resources ?? {}, scope);
    for (const logicalId of creationOrder(resources)) {
      created.set(
        logicalId,
        await createOne(stack.stackName, logicalId, resources[logicalId] as TemplateResource, scope, cloud),
      );
    }
    const own: Record<string, unknown> = {};
    outputsByStack.set(stack.stackName, own);
    for (const [name, output] of Object.entries(stack.template.Outputs ?? {})) {
      if (output.Condition !== undefined && !scope.condition(output.Condition)) continue;
      const value = resolve(output.Value, scope);
      own[name] = value;
      outputs[name] = String(value);
      outputs[`${stack.stackName}.${name}`] = String(value);
      if (output.Export) exports.set(String(resolve(output.Export.Name, scope)), value);
    }
  }
  return { outputs };
}

async function createOne(
  stackName: string,
  logicalId: string,
  template: TemplateResource,
  scope: Scope,
  cloud: Cloud,
): Promise<Created> {
  const path = template.Metadata?.['aws:cdk:path'];
  const resource: Resource = {
    stackName,
    logicalId,
    type: template.Type,
    properties: {},
    path: path === undefined ? undefined : String(path),
  };
  const handler = handlerOf(resource);
  try {
    resource.properties = resolve(template.Properties ?? {}, scope) as Record<string, unknown>;
    return await handler(resource, cloud);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof EventRecoveryError ? error.code : 'LOCAL_DEPLOYMENT_FAILED';
    throw new EventRecoveryError(code, `${stackName}/${logicalId} (${template.Type}): ${message}`, { cause: error });
  }
}

function selected(resources: Record<string, TemplateResource>, scope: Scope): Record<string, TemplateResource> {
  return Object.fromEntries(
    Object.entries(resources).filter(
      ([, resource]) => resource.Condition === undefined || scope.condition(resource.Condition),
    ),
  );
}

interface Surroundings {
  exports: ReadonlyMap<string, unknown>;
  outputsByStack: ReadonlyMap<string, Record<string, unknown>>;
  cloud: Cloud;
}

function scopeOf(
  stack: AssemblyStack,
  created: ReadonlyMap<string, Created>,
  { exports, outputsByStack, cloud }: Surroundings,
): Scope {
  const { template, stackName } = stack;
  const pseudo: Record<string, unknown> = {
    'AWS::AccountId': ACCOUNT,
    'AWS::Region': REGION,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
    'AWS::StackId': `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${stackName}/local`,
    'AWS::NotificationARNs': [],
    'AWS::NoValue': NO_VALUE,
  };
  const parameter = (name: string): unknown => {
    const declared = template.Parameters?.[name];
    if (declared === undefined) return undefined;
    if (!declared.Type.startsWith('AWS::SSM::Parameter::')) return declared.Default;
    const path = declared.Default ?? '';
    const value = cloud.parameters.get(path) ?? (BOOTSTRAP_PARAMETER.test(path) ? '99' : undefined);
    if (value === undefined) throw missingParameter(name, path, cloud);
    return declared.Type.includes('List<') ? value.split(',') : value;
  };
  const scope: Scope = {
    ref: (name) => (name in pseudo ? pseudo[name] : (created.get(name)?.ref ?? parameter(name))),
    attribute: (logicalId, name) => created.get(logicalId)?.attributes?.[name],
    condition: (name) => resolve(template.Conditions?.[name], scope) === true,
    mapping: (name) => template.Mappings?.[name],
    imported: (name) => exports.get(name),
    stackOutput: (otherStack, output) => outputsByStack.get(otherStack)?.[output],
    parameter: (name) => cloud.parameters.get(name),
  };
  return scope;
}

const missingParameter = (name: string, path: string, cloud: Cloud): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_UNKNOWN_PARAMETER',
    `parameter ${name} reads SSM parameter ${path}, which no deployed stack wrote; there are: ${[...cloud.parameters.keys()].join(', ') || 'none'}; remedy: make the stack depend on the one that writes it`,
    { facts: { name, path } },
  );
