// Which handler runs which resource type, and the types that have nothing to run on one machine, each with the reason.
// A type in neither list is an error with its name.

import { EventRecoveryError } from '../../model/errors.ts';
import { ACCOUNT, arn, REGION } from '../names.ts';
import { createCustomResource, notifyBucket } from './custom.ts';
import { createBus, createRule } from './events.ts';
import { attachPolicy, createRole, putParameter } from './identity.ts';
import { addPermission, configureAsync, createAlias, createLambda, publishVersion } from './lambda.ts';
import { createMapping } from './mappings.ts';
import {
  attachBucketPolicy,
  attachQueuePolicy,
  attachTopicPolicy,
  createBucket,
  createQueue,
  createSubscription,
  createTopic,
} from './messaging.ts';
import type { Handler, Resource } from './resource.ts';
import { createStateMachine } from './states.ts';
import { createTable } from './tables.ts';

const HANDLERS: Record<string, Handler> = {
  'AWS::DynamoDB::Table': createTable,
  'AWS::DynamoDB::GlobalTable': createTable,
  'AWS::SQS::Queue': createQueue,
  'AWS::SQS::QueuePolicy': attachQueuePolicy,
  'AWS::SNS::Topic': createTopic,
  'AWS::SNS::TopicPolicy': attachTopicPolicy,
  'AWS::SNS::Subscription': createSubscription,
  'AWS::S3::Bucket': createBucket,
  'AWS::S3::BucketPolicy': attachBucketPolicy,
  'AWS::Events::EventBus': createBus,
  'AWS::Events::Rule': createRule,
  'AWS::Lambda::Function': createLambda,
  'AWS::Lambda::Permission': addPermission,
  'AWS::Lambda::EventSourceMapping': createMapping,
  'AWS::Lambda::EventInvokeConfig': configureAsync,
  'AWS::Lambda::Version': publishVersion,
  'AWS::Lambda::Alias': createAlias,
  'AWS::IAM::Role': createRole,
  'AWS::IAM::Policy': attachPolicy,
  'AWS::IAM::ManagedPolicy': attachPolicy,
  'AWS::SSM::Parameter': putParameter,
  'AWS::StepFunctions::StateMachine': createStateMachine,
  'AWS::CloudFormation::CustomResource': createCustomResource,
  'Custom::S3BucketNotifications': notifyBucket,
};

/** Types with nothing to run here, and why. */
export const NOTHING_TO_RUN: Readonly<Record<string, string>> = {
  'AWS::Logs::LogGroup': 'logs go to files under .local/runs',
  'AWS::Logs::MetricFilter': 'no metrics service',
  'AWS::Logs::QueryDefinition': 'a saved query of the console',
  'AWS::CloudWatch::Alarm': 'no metrics service, nobody to wake',
  'AWS::CloudWatch::CompositeAlarm': 'no metrics service, nobody to wake',
  'AWS::CloudWatch::Dashboard': 'a page of the console',
  'AWS::Events::EventBusPolicy': 'one account',
  'AWS::KMS::Key': 'nothing is encrypted at rest',
  'AWS::KMS::Alias': 'nothing is encrypted at rest',
  'AWS::CDK::Metadata': 'statistics of the CDK',
};

/** @throws EventRecoveryError `LOCAL_UNSUPPORTED_RESOURCE` */
export function handlerOf(resource: Resource): Handler {
  const handler = HANDLERS[resource.type];
  if (handler) return handler;
  if (resource.type.startsWith('Custom::')) return createCustomResource;
  if (Object.hasOwn(NOTHING_TO_RUN, resource.type)) return nothingToRun;
  throw new EventRecoveryError(
    'LOCAL_UNSUPPORTED_RESOURCE',
    `the local system does not know ${resource.type} (${resource.path ?? resource.logicalId}); remedy: add a handler, or the reason why there is nothing to run, in lib/local/deploy/handlers.ts`,
    { facts: { type: resource.type, logicalId: resource.logicalId } },
  );
}

/** Others may refer to it: it gets a name and an ARN. */
const nothingToRun: Handler = ({ type, logicalId, stackName, properties }) => {
  const service = type.split('::')[1]?.toLowerCase() ?? 'local';
  if (type === 'AWS::Logs::LogGroup') {
    const name = String(properties.LogGroupName ?? `${stackName}-${logicalId}`);
    return { ref: name, attributes: { Arn: `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${name}:*` } };
  }
  const kind = type.split('::')[2]?.toLowerCase() ?? 'resource';
  const name = String(properties.Name ?? properties.AlarmName ?? `${stackName}-${logicalId}`);
  return { ref: name, attributes: { Arn: arn(service, `${kind}/${name}`), KeyId: name } };
};
