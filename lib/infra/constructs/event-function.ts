// A Lambda function with the conventions of the house: Node 24 on arm64, JSON logs in a log group of its own with a
// retention, tracing, and a role that holds only what is granted (no managed policy). No reserved concurrency: it would be
// taken from the whole account.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  type Code,
  type FunctionProps,
  Function as LambdaFunction,
  LoggingFormat,
  type RecursiveLoop,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeTracing } from './acknowledgements.ts';
import { BUNDLE_HANDLER, type ProjectFunctionName, projectCode } from './bundling.ts';

/** Namespace of every metric that the functions write. */
export const METRICS_NAMESPACE = 'EventRecovery';
export const DEFAULT_LOG_RETENTION = RetentionDays.ONE_MONTH;
/** 512 MB has 0.29 vCPU; a cold start of the bundles stays well under a second. */
export const DEFAULT_MEMORY_MB = 512;

/**
 * For functions that EventBridge or S3 invoke: Lambda tries again at most twice (after 1 and 2 minutes) and, while it is
 * throttled, until an age of at most 6 hours. What is given up on must have an on-failure destination.
 */
export const ASYNC_INVOKE = { retryAttempts: 2, maxEventAge: Duration.hours(6) } as const;

export interface FunctionConventionsProps {
  /** `service` of log lines, traces and metrics. */
  readonly service: string;
  readonly description: string;
  readonly timeout: Duration;
  /** @default 512 */
  readonly memorySize?: number;
  readonly environment?: Record<string, string>;
  /** @default one month */
  readonly logRetention?: RetentionDays;
  /** @default ApplicationLogLevel.INFO */
  readonly logLevel?: ApplicationLogLevel;
  /** @default Lambda stops what looks like a loop through SQS, SNS or S3 */
  readonly recursiveLoop?: RecursiveLoop;
}

export type FunctionConventions = Required<
  Pick<
    FunctionProps,
    | 'runtime'
    | 'architecture'
    | 'role'
    | 'logGroup'
    | 'loggingFormat'
    | 'applicationLogLevelV2'
    | 'systemLogLevelV2'
    | 'tracing'
    | 'timeout'
    | 'memorySize'
    | 'environment'
    | 'description'
  >
> &
  Pick<FunctionProps, 'recursiveLoop'>;

/** The properties that make a function one of the house; role and log group are created in `scope`. */
export function functionConventions(scope: Construct, props: FunctionConventionsProps): FunctionConventions {
  const role = new Role(scope, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  const logGroup = new LogGroup(scope, 'LogGroup', {
    retention: props.logRetention ?? DEFAULT_LOG_RETENTION,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  logGroup.grantWrite(role);
  acknowledgeTracing(role);
  const logLevel = props.logLevel ?? ApplicationLogLevel.INFO;
  return {
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    role,
    logGroup,
    loggingFormat: LoggingFormat.JSON,
    applicationLogLevelV2: logLevel,
    systemLogLevelV2: SystemLogLevel.WARN,
    tracing: Tracing.ACTIVE,
    timeout: props.timeout,
    memorySize: props.memorySize ?? DEFAULT_MEMORY_MB,
    description: props.description,
    recursiveLoop: props.recursiveLoop,
    environment: {
      POWERTOOLS_SERVICE_NAME: props.service,
      POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
      LOG_LEVEL: logLevel,
      ...props.environment,
    },
  };
}

export interface EventFunctionProps extends FunctionConventionsProps {
  readonly code: Code;
}

/** A function whose code is a bundle of one file. */
export class EventFunction extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: EventFunctionProps) {
    super(scope, id);
    this.function = new LambdaFunction(this, 'Function', {
      ...functionConventions(this, props),
      code: props.code,
      handler: BUNDLE_HANDLER,
    });
  }
}

/** One of the project's own functions, from `lambdas/<name>/handler.ts`. */
export class ProjectFunction extends EventFunction {
  constructor(
    scope: Construct,
    id: string,
    name: ProjectFunctionName,
    props: Omit<FunctionConventionsProps, 'service'>,
  ) {
    super(scope, id, { ...props, service: name, code: projectCode(scope, name) });
  }
}
