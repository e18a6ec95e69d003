// Where the deployment is: the shared SSM parameters tell the names, and operations run through the deployed functions, so
// that permissions, limits and audit are those of the console. Honours AWS_ENDPOINT_URL* like every SDK client.

import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { EventRecoveryError } from '../model/errors.ts';
import { isThrottle } from '../platform/retry.ts';

/** @throws EventRecoveryError `AWS_NOT_CONFIGURED`, `AWS_REFUSED`, `AWS_UNREACHABLE`: each says what to do */
export interface Deployment {
  /** A shared value, for example `recovery-table-name`. @throws EventRecoveryError `NOT_DEPLOYED` */
  value(key: string): Promise<string>;
  /** Calls `<name>-function-arn` and waits for its answer. @throws EventRecoveryError with the function's own code */
  invoke<Answer>(functionName: string, input: unknown): Promise<Answer>;
}

/** A function answers with this instead of throwing, so that a code survives the way back. */
export interface FailedAnswer {
  error: { code: string; message: string; retryable?: boolean; facts?: Record<string, unknown> };
}

const PARAMETER_PAGES_MAX = 20;

export interface DeploymentOptions {
  /** Prefix of the deployment's SSM parameters. */
  prefix: string;
  ssm?: Pick<SSMClient, 'send'>;
  lambda?: Pick<LambdaClient, 'send'>;
}

export function createDeployment({
  prefix,
  ssm = new SSMClient(),
  lambda = new LambdaClient(),
}: DeploymentOptions): Deployment {
  let known: Promise<Map<string, string>> | undefined;

  async function load(): Promise<Map<string, string>> {
    const values = new Map<string, string>();
    let NextToken: string | undefined;
    for (let page = 0; page < PARAMETER_PAGES_MAX; page++) {
      const answer = await reaching(ssm.send(new GetParametersByPathCommand({ Path: prefix, NextToken })));
      for (const { Name = '', Value = '' } of answer.Parameters ?? []) values.set(Name.slice(prefix.length + 1), Value);
      NextToken = answer.NextToken;
      if (NextToken === undefined) break;
    }
    return values;
  }

  const value = async (key: string): Promise<string> => {
    known ??= load();
    const found = (await known).get(key);
    if (found !== undefined) return found;
    throw new EventRecoveryError(
      'NOT_DEPLOYED',
      `SSM parameter "${prefix}/${key}" does not exist here; remedy: deploy the stacks, or pass the right --prefix, AWS_PROFILE and AWS_REGION`,
      { facts: { parameter: `${prefix}/${key}` } },
    );
  };

  return {
    value,
    async invoke<Answer>(functionName: string, input: unknown): Promise<Answer> {
      const FunctionName = await value(`${functionName}-function-arn`);
      const invoke = new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(input)) });
      const { Payload, FunctionError } = await reaching(lambda.send(invoke));
      const answer: unknown = Payload ? JSON.parse(Buffer.from(Payload).toString('utf8')) : null;
      if (FunctionError) {
        const { errorMessage } = (answer ?? {}) as { errorMessage?: string };
        throw new EventRecoveryError('FUNCTION_FAILED', `${functionName}: ${errorMessage ?? FunctionError}`, {
          retryable: true,
        });
      }
      if (isFailed(answer)) {
        const { code, message, retryable, facts } = answer.error;
        throw new EventRecoveryError(code, message, { retryable, facts });
      }
      return answer as Answer;
    },
  };
}

const isFailed = (answer: unknown): answer is FailedAnswer =>
  typeof answer === 'object' && answer !== null && typeof (answer as Partial<FailedAnswer>).error?.code === 'string';

/** What the SDK says about a call that did not come through, with what to do about it. The SDK has tried again already. */
async function reaching<Answer>(call: Promise<Answer>): Promise<Answer> {
  try {
    return await call;
  } catch (error) {
    throw unreached(error);
  }
}

const CONFIGURE =
  'set AWS_REGION and credentials (AWS_PROFILE, for example), or export what "npx event-recovery local" prints';

function unreached(error: unknown): unknown {
  const { name = 'Error', message = '', code, $metadata } = (error ?? {}) as Partial<Error> & Record<string, unknown>;
  const failure = (ourCode: string, remedy: string) =>
    new EventRecoveryError(ourCode, `${name}: ${message}; remedy: ${remedy}`, { retryable: true, cause: error });
  // An SDK that was told no region has no name of its own for that.
  if (name === 'CredentialsProviderError' || message === 'Region is missing') {
    return failure('AWS_NOT_CONFIGURED', CONFIGURE);
  }
  const { httpStatusCode = 0 } = ($metadata ?? {}) as { httpStatusCode?: number };
  if (httpStatusCode >= 400 && httpStatusCode < 500 && !isThrottle(error)) {
    return failure(
      'AWS_REFUSED',
      'check account and permissions: the command reads SSM parameters and invokes functions',
    );
  }
  if ($metadata === undefined && code === undefined) return error;
  return failure('AWS_UNREACHABLE', 'check network and AWS_ENDPOINT_URL, then try again');
}
