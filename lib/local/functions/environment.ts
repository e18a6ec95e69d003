// The environment of a function's processes: exactly what the template gives, plus what Lambda itself sets, plus the
// local endpoint. Nothing of the developer's own environment gets in.

import { InvalidInputError } from '../../model/errors.ts';
import type { Credentials } from '../iam/identities.ts';
import { REGION } from '../names.ts';

export interface FunctionIdentity {
  name: string;
  arn: string;
  handler: string;
  codeFolder: string;
  memoryMb: number;
  logGroup: string;
}

/** Lambda's quota for all variables of a function, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const VARIABLES_MAX_BYTES = 4_096;

/** @throws InvalidInputError `LOCAL_ENVIRONMENT_TOO_LARGE` above Lambda's 4 KB */
export function checkVariables(name: string, variables: Readonly<Record<string, string>>): void {
  const bytes = Buffer.byteLength(JSON.stringify(variables));
  if (bytes <= VARIABLES_MAX_BYTES) return;
  throw new InvalidInputError('LOCAL_ENVIRONMENT_TOO_LARGE', {
    what: `environment variables of ${name}`,
    got: bytes,
    allowed: `at most ${VARIABLES_MAX_BYTES} bytes in all, as on AWS`,
    remedy: 'shorten them, or read large values from SSM',
  });
}

export function environmentOf(
  identity: FunctionIdentity,
  variables: Readonly<Record<string, string>>,
  credentials: Credentials,
  endpoint: string,
): Record<string, string> {
  return {
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...variables,
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    _HANDLER: identity.handler,
    LAMBDA_TASK_ROOT: identity.codeFolder,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: identity.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(identity.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: identity.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_ENDPOINT_URL: endpoint,
    // No X-Ray daemon here, no instance metadata, and none of the developer's own profiles.
    POWERTOOLS_TRACE_ENABLED: 'false',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    LOCAL_FUNCTION_ARN: identity.arn,
  };
}
