// AWS::IAM::* and AWS::SSM::Parameter. Roles matter here: every call of a function is checked against its statements.

import { EventRecoveryError } from '../../model/errors.ts';
import type { Statement } from '../iam/policy.ts';
import { ACCOUNT, arn } from '../names.ts';
import { type Handler, namesOf, propertiesOf } from './resource.ts';

interface PolicyDocument {
  Statement: Statement | Statement[];
}

interface RoleProperties {
  RoleName?: string;
  ManagedPolicyArns?: string[];
  Policies?: { PolicyDocument: PolicyDocument }[];
}

/** Permissions of the AWS managed policies that functions carry; they name services that have no API here. */
const MANAGED: Record<string, Statement[]> = {
  AWSLambdaBasicExecutionRole: [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }],
  AWSXRayDaemonWriteAccess: [{ Effect: 'Allow', Action: 'xray:*', Resource: '*' }],
  AWSLambdaSQSQueueExecutionRole: [
    {
      Effect: 'Allow',
      Action: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'logs:*'],
      Resource: '*',
    },
  ],
  AWSLambdaDynamoDBExecutionRole: [
    {
      Effect: 'Allow',
      Action: [
        'dynamodb:DescribeStream',
        'dynamodb:GetRecords',
        'dynamodb:GetShardIterator',
        'dynamodb:ListStreams',
        'logs:*',
      ],
      Resource: '*',
    },
  ],
};

const roleArnOf = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;

export const createRole: Handler = (resource, cloud) => {
  const leftOut = ['AssumeRolePolicyDocument', 'Description', 'MaxSessionDuration', 'Path', 'PermissionsBoundary'];
  const properties = propertiesOf<RoleProperties>(resource, ['RoleName', 'ManagedPolicyArns', 'Policies'], leftOut);
  const { name } = namesOf(resource, properties.RoleName, 64);
  const roleArn = roleArnOf(name);
  const inline = (properties.Policies ?? []).flatMap((policy) => policy.PolicyDocument.Statement);
  cloud.identities.allowRole(roleArn, inline);
  for (const managed of properties.ManagedPolicyArns ?? [])
    cloud.identities.allowRole(roleArn, managedStatements(managed));
  return { ref: name, attributes: { Arn: roleArn, RoleId: name } };
};

function managedStatements(managedArn: string): Statement[] {
  const name = managedArn.split('/').pop() ?? '';
  const statements = MANAGED[name];
  if (statements) return statements;
  throw new EventRecoveryError(
    'LOCAL_UNKNOWN_MANAGED_POLICY',
    `the local system does not know the managed policy ${name}; known: ${Object.keys(MANAGED).join(', ')}; remedy: add its statements to lib/local/deploy/identity.ts`,
    { facts: { managedArn } },
  );
}

/** Inline and managed policies of the template alike: their statements go to the roles that they name. */
export const attachPolicy: Handler = (resource, cloud) => {
  const leftOut = ['PolicyName', 'ManagedPolicyName', 'Description', 'Path', 'Groups', 'Users'];
  const properties = propertiesOf<{ PolicyDocument: PolicyDocument; Roles?: string[] }>(
    resource,
    ['PolicyDocument', 'Roles'],
    leftOut,
  );
  const statements = [properties.PolicyDocument.Statement].flat();
  for (const role of properties.Roles ?? []) cloud.identities.allowRole(roleArnOf(role), statements);
  const policyArn = `arn:aws:iam::${ACCOUNT}:policy/${resource.logicalId}`;
  return {
    ref: resource.type === 'AWS::IAM::ManagedPolicy' ? policyArn : resource.logicalId,
    attributes: { Id: resource.logicalId },
  };
};

export const putParameter: Handler = (resource, cloud) => {
  const leftOut = ['Type', 'Description', 'Tier', 'AllowedPattern', 'DataType'];
  const properties = propertiesOf<{ Name?: string; Value: string }>(resource, ['Name', 'Value'], leftOut);
  const name = properties.Name ?? `CFN-${resource.logicalId}`;
  cloud.parameters.set(name, String(properties.Value));
  const attributes = {
    Type: 'String',
    Value: properties.Value,
    Arn: arn('ssm', `parameter/${name.replace(/^\//, '')}`),
  };
  return { ref: name, attributes };
};
