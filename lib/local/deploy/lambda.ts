// AWS::Lambda::*: functions, permissions, event source mappings and the policy of asynchronous invocations.

import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventRecoveryError } from '../../model/errors.ts';
import type { Cloud } from '../cloud.ts';
import { createFunction } from '../functions/lambda-function.ts';
import type { Statement } from '../iam/policy.ts';
import { arn } from '../names.ts';
import { type Handler, namesOf, propertiesOf, type Resource } from './resource.ts';

interface FunctionProperties {
  FunctionName?: string;
  Code: { ZipFile?: string; S3Bucket?: string; S3Key?: string };
  Handler: string;
  Runtime: string;
  Role: string;
  Timeout?: number;
  MemorySize?: number;
  Environment?: { Variables?: Record<string, string> };
  ReservedConcurrentExecutions?: number;
  DeadLetterConfig?: { TargetArn?: string };
  LoggingConfig?: { LogGroup?: string };
}

const FUNCTION_HONOURED = [
  'FunctionName',
  'Code',
  'Handler',
  'Runtime',
  'Role',
  'Timeout',
  'MemorySize',
  'Environment',
  'ReservedConcurrentExecutions',
  'DeadLetterConfig',
  'LoggingConfig',
];
const FUNCTION_LEFT_OUT = [
  'Architectures',
  'Description',
  'TracingConfig',
  'RecursiveLoop',
  'EphemeralStorage',
  'KmsKeyArn',
  'SnapStart',
  'RuntimeManagementConfig',
];
/** Lambda's defaults. */
const TIMEOUT_SECONDS = 3;
const MEMORY_MB = 128;

export const createLambda: Handler = (resource, cloud) => {
  const properties = propertiesOf<FunctionProperties>(resource, FUNCTION_HONOURED, FUNCTION_LEFT_OUT);
  const named = namesOf(resource, properties.FunctionName, 64);
  const variables = properties.Environment?.Variables ?? {};
  const functionArn = arn('lambda', `function:${named.name}`);
  const notRunnable = properties.Runtime.startsWith('nodejs')
    ? undefined
    : `${resource.path ?? named.name} needs runtime ${properties.Runtime}; the local system runs Node.js`;
  const lambda = createFunction(
    {
      ...named,
      aliases: variables.CONSUMER_NAME === undefined ? [] : [variables.CONSUMER_NAME],
      arn: functionArn,
      handler: properties.Handler,
      codeFolder: codeFolder(resource, properties, cloud),
      variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, String(value)])),
      timeoutMs: (properties.Timeout ?? TIMEOUT_SECONDS) * 1_000,
      memoryMb: properties.MemorySize ?? MEMORY_MB,
      roleArn: properties.Role,
      logGroup: properties.LoggingConfig?.LogGroup ?? `/aws/lambda/${named.name}`,
      reservedConcurrency: properties.ReservedConcurrentExecutions,
      notRunnable,
    },
    cloud.surroundings,
  );
  cloud.functions.add(lambda);
  const deadLetterArn = properties.DeadLetterConfig?.TargetArn;
  if (deadLetterArn !== undefined) cloud.functions.setAsyncPolicy(named.name, { onFailure: deadLetterArn });
  return { ref: named.name, attributes: { Arn: functionArn } };
};

function codeFolder(resource: Resource, { Code, Handler: handler }: FunctionProperties, cloud: Cloud): string {
  if (Code.ZipFile !== undefined) {
    const folder = join(cloud.runFolder, 'inline', resource.stackName, resource.logicalId);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${handler.split('.')[0]}.js`), Code.ZipFile);
    return folder;
  }
  const hash = (Code.S3Key ?? '').replace(/^.*\//, '').replace(/\.[a-z]+$/, '');
  const folder = cloud.assets.get(hash);
  if (folder !== undefined && existsSync(folder) && statSync(folder).isDirectory()) return folder;
  throw new EventRecoveryError(
    'LOCAL_NO_CODE',
    `${resource.path ?? resource.logicalId}: its asset ${Code.S3Key ?? JSON.stringify(Code)} is no folder in the assembly; remedy: deploy it from a folder (Code.fromAsset), not from a zip file or an image`,
    { facts: { logicalId: resource.logicalId } },
  );
}

interface PermissionProperties {
  Action: string;
  FunctionName: string;
  Principal: string;
  SourceArn?: string;
  SourceAccount?: string;
}

export const addPermission: Handler = (resource, cloud) => {
  const honoured = ['Action', 'FunctionName', 'Principal', 'SourceArn', 'SourceAccount'];
  const properties = propertiesOf<PermissionProperties>(resource, honoured);
  const functionArn = cloud.functions.get(properties.FunctionName).spec.arn;
  const condition: Statement['Condition'] = {};
  if (properties.SourceArn) condition.ArnLike = { 'aws:SourceArn': properties.SourceArn };
  if (properties.SourceAccount) condition.StringEquals = { 'aws:SourceAccount': properties.SourceAccount };
  const isService = properties.Principal.endsWith('.amazonaws.com');
  cloud.identities.allowOnResource(functionArn, [
    {
      Effect: 'Allow',
      Action: properties.Action,
      Resource: functionArn,
      Principal: isService ? { Service: properties.Principal } : { AWS: properties.Principal },
      Condition: condition,
    },
  ]);
  return { ref: resource.logicalId };
};

interface InvokeConfigProperties {
  FunctionName: string;
  MaximumRetryAttempts?: number;
  DestinationConfig?: { OnFailure?: { Destination: string }; OnSuccess?: { Destination: string } };
}

export const configureAsync: Handler = (resource, cloud) => {
  const honoured = ['FunctionName', 'MaximumRetryAttempts', 'DestinationConfig'];
  const properties = propertiesOf<InvokeConfigProperties>(resource, honoured, [
    'MaximumEventAgeInSeconds',
    'Qualifier',
  ]);
  const { OnFailure, OnSuccess } = properties.DestinationConfig ?? {};
  cloud.functions.setAsyncPolicy(properties.FunctionName, {
    ...(properties.MaximumRetryAttempts === undefined ? {} : { retries: properties.MaximumRetryAttempts }),
    ...(OnFailure && { onFailure: OnFailure.Destination }),
    ...(OnSuccess && { onSuccess: OnSuccess.Destination }),
  });
  return { ref: resource.logicalId };
};

/** A version is the function itself here: there is one code at a time. */
export const publishVersion: Handler = (resource, cloud) => {
  const properties = propertiesOf<{ FunctionName: string }>(resource, ['FunctionName'], ['Description', 'CodeSha256']);
  const { spec } = cloud.functions.get(properties.FunctionName);
  return { ref: `${spec.arn}:1`, attributes: { Version: '1', FunctionArn: `${spec.arn}:1` } };
};

export const createAlias: Handler = (resource, cloud) => {
  const properties = propertiesOf<{ FunctionName: string; Name: string }>(
    resource,
    ['FunctionName', 'Name'],
    ['FunctionVersion', 'Description'],
  );
  const { spec } = cloud.functions.get(properties.FunctionName);
  const aliasArn = `${spec.arn}:${properties.Name}`;
  return { ref: aliasArn, attributes: { AliasArn: aliasArn } };
};
