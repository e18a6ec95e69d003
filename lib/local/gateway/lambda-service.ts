// The part of Lambda's API that functions and operators call: Invoke (answer, event, dry run) and the reads that CDK's
// own helpers make.

import type { Functions } from '../functions/functions.ts';
import type { LambdaFunction } from '../functions/lambda-function.ts';
import type { GatewayCall, ServiceHandler } from './gateway.ts';
import { isJson } from './is-json.ts';
import { errorReply, jsonReply, type Reply } from './replies.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#function-configuration-deployment-and-execution */
const SYNCHRONOUS_MAX_BYTES = 6 * 1_048_576;
const EVENT_MAX_BYTES = 1_048_576;

export const lambdaService =
  (functions: Functions): ServiceHandler =>
  async (call) => {
    const name = decodeURIComponent(/\/functions\/([^/]+)/.exec(call.path)?.[1] ?? '');
    let lambda: LambdaFunction;
    try {
      lambda = functions.get(name);
    } catch (error) {
      return errorReply('lambda', 'ResourceNotFoundException', (error as Error).message, 404);
    }
    if (call.operation === 'Invoke') return invoke(functions, lambda, call);
    if (call.operation === 'GetFunctionConfiguration') return jsonReply(configurationOf(lambda));
    if (call.operation === 'GetFunction') return jsonReply({ Configuration: configurationOf(lambda) });
    return errorReply(
      'lambda',
      'UnknownOperationException',
      `the local system has no lambda ${call.operation}; it has Invoke, GetFunction`,
    );
  };

async function invoke(functions: Functions, lambda: LambdaFunction, call: GatewayCall): Promise<Reply> {
  const payload = call.body.length === 0 ? '{}' : call.bodyText();
  const type = call.headers['x-amz-invocation-type'] ?? 'RequestResponse';
  const limit = type === 'Event' ? EVENT_MAX_BYTES : SYNCHRONOUS_MAX_BYTES;
  if (call.body.length > limit) {
    return errorReply(
      'lambda',
      'RequestTooLargeException',
      `${call.body.length} byte payload is too large, limit ${limit}`,
      413,
    );
  }
  if (!isJson(payload))
    return errorReply('lambda', 'InvalidRequestContentException', 'Could not parse request body into json');
  if (type === 'DryRun') return { status: 204, headers: {}, body: Buffer.alloc(0) };
  if (type === 'Event') {
    functions.invokeEvent(lambda.spec.name, payload);
    return { status: 202, headers: {}, body: Buffer.alloc(0) };
  }
  const outcome = await lambda.invoke(payload);
  if (outcome.kind === 'throttled') return errorReply('lambda', 'TooManyRequestsException', 'Rate exceeded', 429);
  const headers = { 'content-type': 'application/json', 'x-amz-executed-version': '$LATEST' };
  if (outcome.kind === 'done') return { status: 200, headers, body: Buffer.from(outcome.payload) };
  return {
    status: 200,
    headers: { ...headers, 'x-amz-function-error': 'Unhandled' },
    body: Buffer.from(JSON.stringify(outcome.error)),
  };
}

const configurationOf = ({ spec }: LambdaFunction): object => ({
  FunctionName: spec.name,
  FunctionArn: spec.arn,
  Runtime: 'nodejs24.x',
  Handler: spec.handler,
  Timeout: spec.timeoutMs / 1_000,
  MemorySize: spec.memoryMb,
  Version: '$LATEST',
  State: 'Active',
  LastUpdateStatus: 'Successful',
});
