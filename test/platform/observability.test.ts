// Logger, metrics and tracing: what a line, a value and a span carry, with the recording implementations and with
// Powertools itself, whose output is read back.

import { Logger as PowertoolsLogger } from '@aws-lambda-powertools/logger';
import { Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';
import { Tracer as PowertoolsTracer } from '@aws-lambda-powertools/tracer';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidInputError } from '../../lib/model/errors.ts';
import { errorFacts, recordingLogger, silentLogger } from '../../lib/platform/logging.ts';
import { recordingMetrics, silentMetrics } from '../../lib/platform/metrics.ts';
import { createLogger, createMetrics, createTracing } from '../../lib/platform/powertools.ts';
import { recordingTracing, silentTracing } from '../../lib/platform/tracing.ts';
import { captureOutput } from '../support/captured-output.ts';

/** Everything that is written to stdout and stderr, parsed. */
const output = captureOutput();

describe('a logger', () => {
  it('adds the facts of its parents to every line; a line’s own win', () => {
    const logger = recordingLogger();
    const child = logger.child({ correlationId: 'c-1', version: 1 }).child({ streamId: 's-1' });
    child.info('resolved', { version: 2 });
    logger.warn('apart');
    expect(logger.lines).toEqual([
      { level: 'info', message: 'resolved', facts: { correlationId: 'c-1', streamId: 's-1', version: 2 } },
      { level: 'warn', message: 'apart', facts: {} },
    ]);
  });

  it('may be silent', () => {
    silentLogger.child({ a: 1 }).error('nobody hears', { b: 2 });
    expect(output).toEqual([]);
  });
});

describe('the Powertools logger', () => {
  const logger = () => createLogger(new PowertoolsLogger({ serviceName: 'inventory', logLevel: 'DEBUG' }));

  it('writes one JSON line with level, message, service and facts', () => {
    logger().child({ correlationId: 'c-1' }).info('resolved', { version: 2 });
    expect(output).toMatchObject([
      { level: 'INFO', message: 'resolved', service: 'inventory', correlationId: 'c-1', version: 2 },
    ]);
  });

  it.each(['debug', 'info', 'warn', 'error'] as const)('has the level %s', (level) => {
    logger()[level]('a line');
    expect(output).toMatchObject([{ level: level.toUpperCase(), message: 'a line' }]);
  });

  it('keeps facts whose names it reserves, under another name', () => {
    logger().info('a line', { message: 'a fact', timestamp: 5, level: 'high' });
    expect(output).toMatchObject([
      { level: 'INFO', message: 'a line', fact_message: 'a fact', fact_timestamp: 5, fact_level: 'high' },
    ]);
    expect(output[0]?.timestamp).not.toBe(5);
  });

  it('shows lines of a child made before the invocation with the invocation’s request id', () => {
    const parent = logger();
    const child = parent.child({ correlationId: 'c-1' });
    parent.powertools.addContext({ awsRequestId: 'r-9', functionName: 'f' } as never);
    child.info('a line');
    expect(output).toMatchObject([{ function_request_id: 'r-9', correlationId: 'c-1' }]);
  });

  it('writes an error with code and causes, and not its input a second time', () => {
    const error = new InvalidInputError('INVALID_THING', {
      what: 'thing',
      got: 'x'.repeat(100_000),
      allowed: 'less',
      remedy: 'shorten it',
    });
    logger().error('failed', { error: new Error('outer', { cause: error }), other: error });
    const [line] = output as { error: { cause: unknown }; other: unknown }[];
    expect(line?.error.cause).toMatchObject({ name: 'InvalidInputError', code: 'INVALID_THING', retryable: false });
    expect(line?.other).toMatchObject({ code: 'INVALID_THING' });
    expect(JSON.stringify(line).length).toBeLessThan(20_000);
  });
});

describe('what was thrown', () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  const endless = new Error('endless');
  endless.cause = endless;
  const hostile = Object.defineProperty(new Error('hostile'), 'message', {
    get: () => {
      throw new Error('no');
    },
  });

  it.each<[string, unknown]>([
    ['text', 'plain'],
    ['undefined', undefined],
    ['null', null],
    ['a bigint', 10n],
    ['a symbol', Symbol('s')],
    ['an object without a prototype', Object.create(null)],
    ['a cyclic object', cyclic],
    ['an error that causes itself', endless],
    ['an error that cannot be read', hostile],
  ])('can be logged when it is %s', (_what, thrown) => {
    const facts = errorFacts(thrown);
    expect(typeof facts.name).toBe('string');
    expect(typeof facts.message).toBe('string');
    expect(() => JSON.stringify(facts)).not.toThrow();
  });
});

describe('metrics', () => {
  it('count one when nothing else is said, and can be summed up in a test', () => {
    const metrics = recordingMetrics();
    metrics.count('EventsResolved', 3, 'Count', { consumer: 'a' });
    metrics.count('EventsResolved');
    expect(metrics.total('EventsResolved')).toBe(4);
    expect(metrics.values[1]).toEqual({ name: 'EventsResolved', value: 1, unit: 'Count', dimensions: {} });
    silentMetrics.count('EventsResolved');
  });
});

describe('Powertools metrics', () => {
  const metrics = () => createMetrics(new PowertoolsMetrics({ namespace: 'EventRecovery', serviceName: 'inventory' }));
  const documents = () => output.filter((line) => '_aws' in line);

  beforeEach(() => {
    process.env.POWERTOOLS_METRICS_NAMESPACE = 'EventRecovery';
    process.env.POWERTOOLS_SERVICE_NAME = 'inventory';
  });
  afterEach(() => {
    delete process.env.POWERTOOLS_METRICS_NAMESPACE;
    delete process.env.POWERTOOLS_SERVICE_NAME;
  });

  it('write one document per combination of dimensions, in the project’s namespace', () => {
    const counters = metrics();
    counters.count('EventsResolved', 3, 'Count', { consumer: 'a' });
    counters.count('EventsResolved', 4, 'Count', { consumer: 'a' });
    counters.count('EventsResolved', 5, 'Count', { consumer: 'b' });
    counters.count('Waited', 12, 'Milliseconds');
    counters.flush();
    expect(documents()).toMatchObject([
      { consumer: 'a', service: 'inventory', EventsResolved: [3, 4] },
      { consumer: 'b', service: 'inventory', EventsResolved: 5 },
      { service: 'inventory', Waited: 12 },
    ]);
    expect(documents()[0]).toMatchObject({
      _aws: {
        CloudWatchMetrics: [
          { Namespace: 'EventRecovery', Dimensions: [['service', 'consumer']], Metrics: [{ Unit: 'Count' }] },
        ],
      },
    });
  });

  it('are written once: a flush leaves nothing for the next invocation', () => {
    const counters = metrics();
    counters.count('EventsResolved', 3, 'Count', { consumer: 'a' });
    counters.flush();
    counters.flush();
    expect(documents()).toHaveLength(1);
  });

  it('combine dimensions whatever their order', () => {
    const counters = metrics();
    counters.count('X', 1, 'Count', { consumer: 'a', reason: 'r' });
    counters.count('X', 2, 'Count', { reason: 'r', consumer: 'a' });
    counters.flush();
    expect(documents()).toMatchObject([{ X: [1, 2], consumer: 'a', reason: 'r' }]);
  });

  it('leave out what is no number', () => {
    const counters = metrics();
    counters.count('X', Number.NaN);
    counters.count('X', Number.POSITIVE_INFINITY);
    counters.flush();
    expect(documents()).toEqual([]);
  });

  it('hold a bounded number of combinations', () => {
    const counters = metrics();
    for (let i = 0; i < 51; i++) counters.count('X', 1, 'Count', { consumer: `c-${i}` });
    expect(documents()).toHaveLength(50);
    counters.flush();
    expect(documents()).toHaveLength(51);
  });
});

describe('tracing', () => {
  it.each([
    ['silent', silentTracing],
    ['recording', recordingTracing()],
    ['of Powertools, switched off', createTracing(new PowertoolsTracer({ enabled: false }))],
  ])('that is %s gives back the result or the error of its work', async (_what, tracing) => {
    await expect(tracing.span('work', { streamId: 's' }, async () => 5)).resolves.toBe(5);
    const error = new Error('failed');
    await expect(tracing.span('work', {}, () => Promise.reject(error))).rejects.toBe(error);
    const client = {};
    expect(tracing.captureClient(client)).toBe(client);
  });

  it('records spans with their annotations and how they ended', async () => {
    const tracing = recordingTracing();
    await tracing.span('good', { streamId: 's' }, async () => undefined);
    await tracing.span('bad', {}, () => Promise.reject(new Error('x'))).catch(() => undefined);
    const running = tracing.span('open', {}, () => new Promise(() => undefined));
    expect(running).toBeInstanceOf(Promise);
    expect(tracing.spans).toEqual([
      { name: 'good', annotations: { streamId: 's' }, outcome: 'done' },
      { name: 'bad', annotations: {}, outcome: 'failed' },
      { name: 'open', annotations: {}, outcome: 'running' },
    ]);
  });

  it('closes a segment of its own per span, with annotations and errors, when tracing is on', async () => {
    const segments: { name: string; annotations: Record<string, unknown>; errors: unknown[]; closed: number }[] = [];
    const parent = {
      addNewSubsegment(name: string) {
        const segment = { name, annotations: {} as Record<string, unknown>, errors: [] as unknown[], closed: 0 };
        segments.push(segment);
        return {
          addAnnotation: (key: string, value: unknown) => {
            segment.annotations[key] = value;
          },
          addError: (error: unknown) => segment.errors.push(error),
          close: () => {
            segment.closed += 1;
          },
        };
      },
    };
    const tracer = { isTracingEnabled: () => true, getSegment: () => parent } as unknown as PowertoolsTracer;
    const tracing = createTracing(tracer);
    const error = new Error('failed');
    await Promise.allSettled([
      tracing.span('one', { streamId: 's-1' }, async () => undefined),
      tracing.span('two', { streamId: 's-2' }, () => Promise.reject(error)),
    ]);
    expect(segments).toEqual([
      { name: '## one', annotations: { streamId: 's-1' }, errors: [], closed: 1 },
      { name: '## two', annotations: { streamId: 's-2' }, errors: [error], closed: 1 },
    ]);
  });
});
