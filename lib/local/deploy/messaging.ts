// Queues, topics, subscriptions and buckets on fauxqs, with the policies that let EventBridge, SNS and functions in.

import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { EventRecoveryError } from '../../model/errors.ts';
import type { Statement } from '../iam/policy.ts';
import { ACCOUNT, arn, REGION, resourceOfArn } from '../names.ts';
import { type Handler, namesOf, propertiesOf, tagsOf, unsupportedProperty } from './resource.ts';

interface PolicyProperties {
  PolicyDocument: { Statement: Statement | Statement[] };
  Queues?: string[];
  Topics?: string[];
  Bucket?: string;
}

interface QueueProperties {
  QueueName?: string;
  VisibilityTimeout?: number;
  RedrivePolicy?: { deadLetterTargetArn: string; maxReceiveCount: number };
  [attribute: string]: unknown;
}

const QUEUE_ATTRIBUTES = [
  'VisibilityTimeout',
  'DelaySeconds',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'FifoQueue',
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoThroughputLimit',
];
const QUEUE_ENCRYPTION = [
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'SqsManagedSseEnabled',
  'RedriveAllowPolicy',
];
/** SQS's default. */
const VISIBILITY_SECONDS = 30;

export const createQueue: Handler = async (resource, cloud) => {
  const honoured = ['QueueName', 'RedrivePolicy', ...QUEUE_ATTRIBUTES];
  const properties = propertiesOf<QueueProperties>(resource, honoured, QUEUE_ENCRYPTION);
  const fifo = properties.FifoQueue === true ? '.fifo' : '';
  const named = namesOf(resource, properties.QueueName, 80 - fifo.length);
  const name = named.name.endsWith(fifo) ? named.name : named.name + fifo;
  const attributes: Record<string, string> = {};
  for (const attribute of QUEUE_ATTRIBUTES) {
    const value = properties[attribute];
    if (value !== undefined) attributes[attribute] = String(value);
  }
  if (properties.RedrivePolicy) attributes.RedrivePolicy = JSON.stringify(properties.RedrivePolicy);
  await cloud.sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  const url = `${cloud.endpoint()}/${ACCOUNT}/${name}`;
  const queueArn = arn('sqs', name);
  cloud.queues.set(name, {
    ...named,
    name,
    arn: queueArn,
    url,
    visibilityTimeoutSeconds: properties.VisibilityTimeout ?? VISIBILITY_SECONDS,
    isDeadLetterQueue: false,
    tags: tagsOf(resource),
  });
  const deadLetter = cloud.queues.get(resourceOfArn(properties.RedrivePolicy?.deadLetterTargetArn ?? ''));
  if (deadLetter) deadLetter.isDeadLetterQueue = true;
  return { ref: url, attributes: { Arn: queueArn, QueueName: name, QueueUrl: url } };
};

export const attachQueuePolicy: Handler = (resource, cloud) => {
  const properties = propertiesOf<PolicyProperties>(resource, ['PolicyDocument', 'Queues']);
  for (const url of properties.Queues ?? []) {
    const queueArn = arn('sqs', url.split('/').pop() ?? '');
    cloud.identities.allowOnResource(queueArn, [properties.PolicyDocument.Statement].flat());
  }
  return { ref: resource.logicalId };
};

export const createTopic: Handler = async (resource, cloud) => {
  const encryption = ['KmsMasterKeyId', 'TracingConfig', 'SignatureVersion', 'DataProtectionPolicy'];
  const properties = propertiesOf<{ TopicName?: string; DisplayName?: string }>(
    resource,
    ['TopicName', 'DisplayName'],
    encryption,
  );
  const named = namesOf(resource, properties.TopicName, 256);
  const Attributes = properties.DisplayName === undefined ? undefined : { DisplayName: properties.DisplayName };
  await cloud.sns.send(new CreateTopicCommand({ Name: named.name, Attributes }));
  const topicArn = arn('sns', named.name);
  return { ref: topicArn, attributes: { TopicArn: topicArn, TopicName: named.name } };
};

export const attachTopicPolicy: Handler = (resource, cloud) => {
  const properties = propertiesOf<PolicyProperties>(resource, ['PolicyDocument', 'Topics']);
  for (const topicArn of properties.Topics ?? []) {
    cloud.identities.allowOnResource(topicArn, [properties.PolicyDocument.Statement].flat());
  }
  return { ref: resource.logicalId };
};

interface SubscriptionProperties {
  TopicArn: string;
  Protocol: string;
  Endpoint: string;
  RawMessageDelivery?: boolean;
  FilterPolicy?: object;
  FilterPolicyScope?: string;
}

/** E-mail and text messages leave the machine: they are accepted and not sent. */
const OUTSIDE = new Set(['email', 'email-json', 'sms', 'http', 'https']);

export const createSubscription: Handler = async (resource, cloud) => {
  const honoured = ['TopicArn', 'Protocol', 'Endpoint', 'RawMessageDelivery', 'FilterPolicy', 'FilterPolicyScope'];
  const properties = propertiesOf<SubscriptionProperties>(resource, honoured, [
    'RedrivePolicy',
    'Region',
    'DeliveryPolicy',
  ]);
  const { TopicArn, Protocol, Endpoint } = properties;
  if (OUTSIDE.has(Protocol)) return { ref: `${TopicArn}:not-sent` };
  if (Protocol !== 'sqs') throw unsupportedProperty(resource, `Protocol ${Protocol}`);
  const Attributes: Record<string, string> = {};
  if (properties.RawMessageDelivery) Attributes.RawMessageDelivery = 'true';
  if (properties.FilterPolicy) Attributes.FilterPolicy = JSON.stringify(properties.FilterPolicy);
  if (properties.FilterPolicyScope) Attributes.FilterPolicyScope = properties.FilterPolicyScope;
  const result = await cloud.sns.send(
    new SubscribeCommand({ TopicArn, Protocol, Endpoint, Attributes, ReturnSubscriptionArn: true }),
  );
  cloud.onStart(() => {
    const need = { action: 'sqs:SendMessage', resource: Endpoint, context: { 'aws:sourcearn': [TopicArn] } };
    const refusal = cloud.identities.serviceDenied('sns.amazonaws.com', need);
    if (refusal !== undefined) throw notPermitted(resource.logicalId, refusal);
  });
  return { ref: String(result.SubscriptionArn) };
};

/** A delivery that AWS would refuse later, silently: here the start fails at once. */
export const notPermitted = (logicalId: string, reason: string): EventRecoveryError =>
  new EventRecoveryError('LOCAL_NOT_PERMITTED', `${logicalId}: ${reason}; remedy: add the grant in the CDK app`, {
    facts: { logicalId, reason },
  });

interface BucketProperties {
  BucketName?: string;
  NotificationConfiguration?: { EventBridgeConfiguration?: object } & Record<string, unknown>;
}

const BUCKET_LEFT_OUT = [
  'BucketEncryption',
  'LifecycleConfiguration',
  'LoggingConfiguration',
  'ObjectLockConfiguration',
  'ObjectLockEnabled',
  'OwnershipControls',
  'PublicAccessBlockConfiguration',
  'VersioningConfiguration',
  'IntelligentTieringConfigurations',
  'AccessControl',
];

export const createBucket: Handler = async (resource, cloud) => {
  const properties = propertiesOf<BucketProperties>(
    resource,
    ['BucketName', 'NotificationConfiguration'],
    BUCKET_LEFT_OUT,
  );
  const named = namesOf(resource, properties.BucketName, 63);
  const name = named.name.toLowerCase();
  await cloud.s3.send(new CreateBucketCommand({ Bucket: name }));
  const notifications = properties.NotificationConfiguration ?? {};
  const others = Object.keys(notifications).filter((key) => key !== 'EventBridgeConfiguration');
  if (others.length > 0) throw unsupportedProperty(resource, others.join(', '));
  const bucketArn = `arn:aws:s3:::${name}`;
  cloud.buckets.set(name, { ...named, name, arn: bucketArn, eventBridge: 'EventBridgeConfiguration' in notifications });
  const domain = `${name}.s3.${REGION}.amazonaws.com`;
  const attributes = { Arn: bucketArn, DomainName: `${name}.s3.amazonaws.com`, RegionalDomainName: domain };
  return { ref: name, attributes };
};

export const attachBucketPolicy: Handler = (resource, cloud) => {
  const properties = propertiesOf<PolicyProperties>(resource, ['PolicyDocument', 'Bucket']);
  cloud.identities.allowOnResource(`arn:aws:s3:::${properties.Bucket}`, [properties.PolicyDocument.Statement].flat());
  return { ref: resource.logicalId };
};
