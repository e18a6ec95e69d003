// Custom resources: the function behind the service token gets a Create request, and the deployment waits for what it
// answers to the ResponseURL. Nothing is deleted when the local system stops: it forgets everything anyway.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html

import { randomUUID } from 'node:crypto';
import { EventRecoveryError } from '../../model/errors.ts';
import { invocationFailed } from '../functions/functions.ts';
import { ACCOUNT, REGION } from '../names.ts';
import { type Handler, propertiesOf, unsupportedProperty } from './resource.ts';

interface CustomProperties {
  ServiceToken: string;
  ServiceTimeout?: number | string;
}

/** CloudFormation itself waits an hour; nobody wants that on a desk. */
const ANSWER_LIMIT_MS = 120_000;

export const createCustomResource: Handler = async (resource, cloud) => {
  const { ServiceToken, ServiceTimeout, ...properties } = resource.properties as unknown as CustomProperties;
  const lambda = cloud.functions.get(ServiceToken);
  const what = `${resource.type} ${resource.path ?? resource.logicalId}`;
  const limitMs = ServiceTimeout === undefined ? ANSWER_LIMIT_MS : Number(ServiceTimeout) * 1_000;
  const { path, answer } = cloud.customAnswers.expect(what, limitMs);
  const request = {
    RequestType: 'Create',
    ResponseURL: cloud.endpoint() + path,
    StackId: `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${resource.stackName}/local`,
    RequestId: randomUUID(),
    ResourceType: resource.type,
    LogicalResourceId: resource.logicalId,
    ServiceToken,
    ResourceProperties: asStrings({ ServiceToken, ...properties }),
  };
  const invoked = lambda.invoke(JSON.stringify(request)).then((outcome) => {
    if (outcome.kind !== 'done') throw invocationFailed(lambda.spec.name, outcome);
    return answer;
  });
  answer.catch(() => undefined);
  const result = await Promise.race([answer, invoked]);
  invoked.catch(() => undefined);
  if (result.Status !== 'SUCCESS') {
    throw new EventRecoveryError(
      'LOCAL_CUSTOM_RESOURCE_FAILED',
      `${what} failed: ${result.Reason ?? 'no reason given'}`,
      {
        facts: { logicalId: resource.logicalId, reason: result.Reason },
      },
    );
  }
  return { ref: result.PhysicalResourceId ?? request.RequestId, attributes: result.Data ?? {} };
};

/** CloudFormation hands numbers and booleans to custom resources as strings. */
function asStrings(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asStrings);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, asStrings(part)]));
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

interface BucketNotifications {
  BucketName: string;
  NotificationConfiguration: Record<string, unknown>;
}

/** The CDK's own helper for bucket notifications is a Python function; what it would do is done here. */
export const notifyBucket: Handler = (resource, cloud) => {
  const leftOut = ['ServiceToken', 'Managed', 'SkipDestinationValidation'];
  const properties = propertiesOf<BucketNotifications>(resource, ['BucketName', 'NotificationConfiguration'], leftOut);
  const bucket = cloud.buckets.get(properties.BucketName);
  const others = Object.keys(properties.NotificationConfiguration).filter((key) => key !== 'EventBridgeConfiguration');
  if (!bucket || others.length > 0)
    throw unsupportedProperty(resource, others.join(', ') || `bucket ${properties.BucketName}`);
  bucket.eventBridge = true;
  return { ref: resource.logicalId };
};
