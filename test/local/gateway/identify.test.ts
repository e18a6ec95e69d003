import { describe, expect, it } from '@jest/globals';
import { identify } from '../../../lib/local/gateway/identify.ts';

const signed = (service: string): string =>
  `AWS4-HMAC-SHA256 Credential=LOCAL00000000007/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=x`;
const request = (service: string, method: string, url: string, headers: Record<string, string> = {}, body = '') => {
  const { pathname, searchParams } = new URL(url, 'http://local');
  return identify({
    method,
    path: pathname,
    query: searchParams,
    headers: { authorization: signed(service), ...headers },
    body: Buffer.from(body),
  });
};

describe('which operation a request is', () => {
  it('knows the caller by its access key', () => {
    expect(request('sqs', 'POST', '/', { 'x-amz-target': 'AmazonSQS.SendMessage' })).toEqual({
      service: 'sqs',
      operation: 'SendMessage',
      accessKeyId: 'LOCAL00000000007',
    });
  });

  it.each([
    ['DynamoDB_20120810.TransactWriteItems', 'dynamodb', 'TransactWriteItems'],
    ['DynamoDBStreams_20120810.GetRecords', 'dynamodb', 'GetRecords'],
    ['AWSEvents.PutEvents', 'eventbridge', 'PutEvents'],
    ['AmazonSSM.GetParameter', 'ssm', 'GetParameter'],
    ['AWSStepFunctions.StartExecution', 'sfn', 'StartExecution'],
  ])('reads the target header %s', (target, service, operation) => {
    expect(request('any', 'POST', '/', { 'x-amz-target': target })).toMatchObject({ service, operation });
  });

  it('reads the action of a form', () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
    expect(request('sns', 'POST', '/', form, 'Version=2010-03-31&Action=Publish')).toMatchObject({
      service: 'sns',
      operation: 'Publish',
    });
  });

  it.each([
    ['PUT', '/bucket/key', 'PutObject'],
    ['PUT', '/bucket/key?partNumber=1&uploadId=x', 'UploadPart'],
    ['GET', '/bucket/key', 'GetObject'],
    ['HEAD', '/bucket/a/b', 'HeadObject'],
    ['HEAD', '/bucket', 'HeadBucket'],
    ['GET', '/bucket/?list-type=2', 'ListObjectsV2'],
    ['POST', '/bucket?delete', 'DeleteObjects'],
    ['DELETE', '/bucket/key', 'DeleteObject'],
  ])('reads S3: %s %s', (method, url, operation) => {
    expect(request('s3', method, url)).toMatchObject({ service: 's3', operation });
  });

  it('reads Lambda paths', () => {
    expect(request('lambda', 'POST', '/2015-03-31/functions/f/invocations')).toMatchObject({
      service: 'lambda',
      operation: 'Invoke',
    });
  });

  it('reads an RPC path', () => {
    expect(
      request('monitoring', 'POST', '/service/GraniteServiceVersion20100801/operation/PutMetricData'),
    ).toMatchObject({
      service: 'cloudwatch',
      operation: 'PutMetricData',
    });
  });
});
