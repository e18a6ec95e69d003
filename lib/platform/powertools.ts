// Logger, metrics and tracing by Powertools for AWS Lambda: JSON log lines, CloudWatch embedded metrics, X-Ray segments.
// Only the edges import this file, so that domain code and CDK apps do not load Powertools. Service, namespace and level
// come from the standard variables POWERTOOLS_SERVICE_NAME, POWERTOOLS_METRICS_NAMESPACE and LOG_LEVEL.

import { Logger as PowertoolsLogger } from '@aws-lambda-powertools/logger';
import { Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';
import { Tracer as PowertoolsTracer } from '@aws-lambda-powertools/tracer';
import { errorFacts, type Facts, type Logger, loggerOf } from './logging.ts';
import type { Dimensions, Metrics } from './metrics.ts';
import type { Tracing } from './tracing.ts';

/** Powertools refuses these keys in a line; a fact of that name is kept under `fact_<name>`. */
const RESERVED_KEYS = new Set(['level', 'message', 'sampling_rate', 'service', 'timestamp']);

export interface PowertoolsLogging extends Logger {
  /** For Powertools' own middleware (`injectLambdaContext`): request id and cold start on every line. */
  readonly powertools: PowertoolsLogger;
}

/** @example const logger = createLogger(); logger.child({ correlationId }).info('event resolved', { version }); */
export function createLogger(powertools = new PowertoolsLogger()): PowertoolsLogging {
  const logger = loggerOf(({ level, message, facts }) => powertools[level](message, loggable(facts)));
  return { ...logger, powertools };
}

function loggable(facts: Facts): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(facts)) {
    fields[RESERVED_KEYS.has(key) ? `fact_${key}` : key] = value instanceof Error ? errorFacts(value) : value;
  }
  return fields;
}

export interface PowertoolsMetricsAdapter extends Metrics {
  /** For Powertools' own middleware (`logMetrics`, cold start); holds the values without dimensions. */
  readonly powertools: PowertoolsMetrics;
}

/** Dimension combinations buffered before everything is written; a guard, an invocation uses a handful. */
const BUFFERED_COMBINATIONS_MAX = 50;

/**
 * One embedded-metric document has one set of dimensions for all its values, so values are buffered per combination.
 * Nothing is kept over a flush: no state between invocations.
 */
export function createMetrics(powertools = new PowertoolsMetrics()): PowertoolsMetricsAdapter {
  const byDimensions = new Map<string, PowertoolsMetrics>();
  const flush = () => {
    for (const buffered of byDimensions.values()) buffered.publishStoredMetrics();
    byDimensions.clear();
    if (powertools.hasStoredMetrics()) powertools.publishStoredMetrics();
  };
  const bufferFor = (dimensions: Dimensions): PowertoolsMetrics => {
    const entries = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1));
    if (entries.length === 0) return powertools;
    const key = JSON.stringify(entries);
    const known = byDimensions.get(key);
    if (known) return known;
    if (byDimensions.size >= BUFFERED_COMBINATIONS_MAX) flush();
    const made = new PowertoolsMetrics({ defaultDimensions: Object.fromEntries(entries) });
    byDimensions.set(key, made);
    return made;
  };
  return {
    powertools,
    flush,
    count(name, value = 1, unit = 'Count', dimensions = {}) {
      if (Number.isFinite(value)) bufferFor(dimensions).addMetric(name, unit, value);
    },
  };
}

export interface PowertoolsTracing extends Tracing {
  /** For Powertools' own middleware (`captureLambdaHandler`). */
  readonly powertools: PowertoolsTracer;
}

/** Off outside Lambda and without active tracing: spans then cost one function call. */
export function createTracing(powertools = new PowertoolsTracer()): PowertoolsTracing {
  return {
    powertools,
    captureClient: <Client>(client: Client): Client => {
      powertools.captureAWSv3Client(client);
      return client;
    },
    async span(name, annotations, work) {
      // A subsegment of the handler's segment that is never made the current one: streams are worked side by side.
      const parent = powertools.isTracingEnabled() ? powertools.getSegment() : undefined;
      const segment = parent?.addNewSubsegment(`## ${name}`);
      for (const [key, value] of Object.entries(annotations)) segment?.addAnnotation(key, value);
      try {
        return await work();
      } catch (error) {
        segment?.addError(error as Error);
        throw error;
      } finally {
        segment?.close();
      }
    },
  };
}
