// Where the deployment is: the shared SSM parameters tell the names, and operations run through the deployed functions, so
// that permissions, limits and audit are those of the console. Honours AWS_ENDPOINT_URL* like every SDK client.

import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { EventRecoveryError } from '../model/errors.ts';

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
      const answer = await ssm.send(new GetParametersByPathCommand({ Path: prefix, NextToken }));
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
      `SSM parameter "${prefix}/${key}" does not exist here; remedy: deploy the stacks, or pass the right --prefix, --profile and region`,
      { facts: { parameter: `${prefix}/${key}` } },
    );
  };

  return {
    value,
    async invoke<Answer>(functionName: string, input: unknown): Promise<Answer> {
      const FunctionName = await value(`${functionName}-function-arn`);
      const { Payload, FunctionError } = await lambda.send(
        new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(input)) }),
      );
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
