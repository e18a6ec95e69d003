// The way every Lambda function of the project is run: Powertools' log context and cold start, a trace segment, metrics
// written at the end whatever the end was. No state passes from one invocation to the next.

import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy, { type MiddlewareObj, type MiddyfiedHandler } from '@middy/core';
import type { LambdaContext } from './lambda-context.ts';
import {
  createLogger,
  createMetrics,
  createTracing,
  type PowertoolsLogging,
  type PowertoolsMetricsAdapter,
  type PowertoolsTracing,
} from './powertools.ts';

/** Lambda passes its whole context; the middlewares read no more than its documented fields. */
type MiddyContext = Parameters<MiddyfiedHandler>[1];

export interface Observability {
  logger: PowertoolsLogging;
  metrics: PowertoolsMetricsAdapter;
  tracing: PowertoolsTracing;
}

/** Once per process, in module scope or lazily. */
export const createObservability = (): Observability => ({
  logger: createLogger(),
  metrics: createMetrics(),
  tracing: createTracing(),
});

export type LambdaHandler<Event, Result> = (event: Event, context: LambdaContext) => Promise<Result>;

/**
 * @example
 * const { logger, metrics, tracing } = createObservability();
 * export const handler = lambdaPipeline(run, { logger, metrics, tracing });
 */
export function lambdaPipeline<Event, Result>(
  run: LambdaHandler<Event, Result>,
  { logger, metrics, tracing }: Observability,
): LambdaHandler<Event, Result> {
  const pipeline = middy<Event, Result>({
    // Off: middy would answer with an error shortly before the end and leave the work running in a process that is used
    // again. Lambda ends the process instead, which is what leases and attempts count on.
    timeoutEarlyInMillis: 0,
  })
    .use(injectLambdaContext(logger.powertools) as MiddlewareObj<Event, Result>)
    .use(captureLambdaHandler(tracing.powertools, { captureResponse: false }) as MiddlewareObj<Event, Result>)
    .use(writeMetrics<Event, Result>(metrics))
    .handler((event: Event, context: MiddyContext) => run(event, context));
  return (event, context) => pipeline(event, context as MiddyContext);
}

function writeMetrics<Event, Result>(metrics: PowertoolsMetricsAdapter): MiddlewareObj<Event, Result> {
  const flush = () => metrics.flush();
  return {
    before: ({ context }) => metrics.powertools.captureColdStartMetric(context.functionName),
    after: flush,
    onError: flush,
  };
}
