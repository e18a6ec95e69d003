// Which AWS operation a request is, and who sends it. The caller is in the access key id (every Lambda process has its
// own), the service in the signature's scope, the operation in the target header, the form body or the REST path.

import type { IncomingHttpHeaders } from 'node:http';

export interface AwsRequest {
  method: string;
  /** Path without query, still encoded. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Identified {
  /** As in the SDK's package name: `eventbridge`, not `events`. */
  service: string;
  operation: string;
  accessKeyId?: string;
}

/** Signing names that differ from the SDK's package names. */
const SERVICE_BY_SIGNING_NAME: Record<string, string> = {
  events: 'eventbridge',
  states: 'sfn',
  monitoring: 'cloudwatch',
  logs: 'cloudwatch-logs',
};

const SERVICE_BY_TARGET: Record<string, string> = {
  DynamoDB_20120810: 'dynamodb',
  DynamoDBStreams_20120810: 'dynamodb',
  AmazonSQS: 'sqs',
  AWSEvents: 'eventbridge',
  AmazonSSM: 'ssm',
  AWSStepFunctions: 'sfn',
  GraniteServiceVersion20100801: 'cloudwatch',
};

/** `Credential=AKID/20260101/us-east-1/sqs/aws4_request` */
const CREDENTIAL = /Credential=([^/,\s]+)\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/;

export function identify(request: AwsRequest): Identified {
  const signed = String(request.headers.authorization ?? request.query.get('X-Amz-Credential') ?? '');
  const credential = CREDENTIAL.exec(signed.startsWith('AWS4') ? signed : `Credential=${signed}`);
  const accessKeyId = credential?.[1];
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') {
    const dot = target.lastIndexOf('.');
    const service = SERVICE_BY_TARGET[target.slice(0, dot)] ?? target.slice(0, dot);
    return { service, operation: target.slice(dot + 1), accessKeyId };
  }
  const signingName = credential?.[2] ?? 's3';
  const service = SERVICE_BY_SIGNING_NAME[signingName] ?? signingName;
  return { service, operation: operationOf(service, request), accessKeyId };
}

function operationOf(service: string, request: AwsRequest): string {
  if (String(request.headers['content-type']).startsWith('application/x-www-form-urlencoded')) {
    return new URLSearchParams(request.body.toString('utf8')).get('Action') ?? 'Unknown';
  }
  if (service === 's3') return s3Operation(request);
  if (service === 'lambda') return lambdaOperation(request);
  const rpc = /\/operation\/(\w+)$/.exec(request.path);
  return rpc?.[1] ?? `${request.method} ${request.path}`;
}

/** Lambda's REST paths, https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html */
function lambdaOperation({ method, path }: AwsRequest): string {
  if (method === 'POST' && /\/functions\/[^/]+\/invocations$/.test(path)) return 'Invoke';
  if (method === 'GET' && /\/functions\/[^/]+\/configuration$/.test(path)) return 'GetFunctionConfiguration';
  if (method === 'GET' && /\/functions\/[^/]+$/.test(path)) return 'GetFunction';
  if (method === 'GET' && /\/event-source-mappings\/[^/]+$/.test(path)) return 'GetEventSourceMapping';
  if (method === 'GET' && /\/event-source-mappings\/?$/.test(path)) return 'ListEventSourceMappings';
  return `${method} ${path}`;
}

/** Path-style S3: `/bucket` or `/bucket/key`. */
function s3Operation({ method, path, query, headers }: AwsRequest): string {
  const hasKey = path.split('/').length > 2 && path.split('/')[2] !== '';
  if (method === 'PUT' && hasKey) {
    if (query.has('partNumber')) return headers['x-amz-copy-source'] ? 'UploadPartCopy' : 'UploadPart';
    return headers['x-amz-copy-source'] ? 'CopyObject' : 'PutObject';
  }
  if (method === 'POST' && query.has('delete')) return 'DeleteObjects';
  if (method === 'POST' && query.has('uploads')) return 'CreateMultipartUpload';
  if (method === 'POST' && query.has('uploadId')) return 'CompleteMultipartUpload';
  if (method === 'DELETE') {
    if (query.has('uploadId')) return 'AbortMultipartUpload';
    return hasKey ? 'DeleteObject' : 'DeleteBucket';
  }
  if (method === 'HEAD') return hasKey ? 'HeadObject' : 'HeadBucket';
  if (method === 'GET' && hasKey) return 'GetObject';
  if (method === 'GET' && path === '/') return 'ListBuckets';
  if (method === 'GET') return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
  if (method === 'PUT') return 'CreateBucket';
  return `${method} ${path}`;
}

/** Bucket and key of a path-style S3 request. */
export function s3Target(path: string): { bucket: string; key: string } {
  const [, bucket = '', ...key] = path.split('/');
  return { bucket: decodeURIComponent(bucket), key: key.map(decodeURIComponent).join('/') };
}

/** Id of an event source mapping in a Lambda API path. */
export const mappingIdOf = (path: string): string =>
  decodeURIComponent(/\/event-source-mappings\/([^/]+)$/.exec(path)?.[1] ?? '');
