// How every function is run: request id on every line, metrics written at the end whatever the end was, nothing kept.

import { Logger as PowertoolsLogger } from '@aws-lambda-powertools/logger';
import { Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';
import { Tracer as PowertoolsTracer } from '@aws-lambda-powertools/tracer';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lambdaPipeline, type Observability } from '../../lib/platform/lambda-pipeline.ts';
import { createLogger, createMetrics, createTracing } from '../../lib/platform/powertools.ts';
import { captureOutput } from '../support/captured-output.ts';

const output = captureOutput();
let observability: Observability;
beforeEach(() => {
  process.env.AWS_LAMBDA_INITIALIZATION_TYPE = 'on-demand';
  observability = {
    logger: createLogger(new PowertoolsLogger({ serviceName: 'inventory' })),
    metrics: createMetrics(new PowertoolsMetrics({ namespace: 'EventRecovery', serviceName: 'inventory' })),
    tracing: createTracing(new PowertoolsTracer({ enabled: false })),
  };
});
afterEach(() => {
  delete process.env.AWS_LAMBDA_INITIALIZATION_TYPE;
});

const context = (awsRequestId: string) => ({
  awsRequestId,
  functionName: 'inventory-fn',
  getRemainingTimeInMillis: () => 5_000,
});
const metricsNamed = (name: string) => output.filter((line) => '_aws' in line && name in line);

describe('a function in the pipeline', () => {
  it('gets event and context, and its result is passed on', async () => {
    const handler = lambdaPipeline(
      async (event: { n: number }, { getRemainingTimeInMillis }) => event.n + getRemainingTimeInMillis(),
      observability,
    );
    expect(await handler({ n: 1 }, context('r-1'))).toBe(5_001);
  });

  it('has its request id on every line, also on lines of a logger made before', async () => {
    const child = observability.logger.child({ correlationId: 'c-1' });
    const handler = lambdaPipeline(async () => child.info('a line'), observability);
    await handler({}, context('r-1'));
    await handler({}, context('r-2'));
    expect(output.filter(({ message }) => message === 'a line')).toMatchObject([
      { function_request_id: 'r-1', correlationId: 'c-1', cold_start: true },
      { function_request_id: 'r-2', correlationId: 'c-1', cold_start: false },
    ]);
  });

  it('has its metrics written after success and after failure, and only once', async () => {
    const handler = lambdaPipeline(async (fails: boolean) => {
      observability.metrics.count('Worked', 1, 'Count', { consumer: 'inventory' });
      if (fails) throw new Error('failed');
    }, observability);
    await handler(false, context('r-1'));
    expect(metricsNamed('Worked')).toMatchObject([{ Worked: 1 }]);
    await expect(handler(true, context('r-2'))).rejects.toThrow('failed');
    expect(metricsNamed('Worked')).toMatchObject([{ Worked: 1 }, { Worked: 1 }]);
  });

  it('has its cold start counted once', async () => {
    const handler = lambdaPipeline(async () => undefined, observability);
    await handler({}, context('r-1'));
    await handler({}, context('r-2'));
    expect(metricsNamed('ColdStart')).toMatchObject([{ ColdStart: 1, function_name: 'inventory-fn' }]);
  });

  it('is not ended early: what its time is up for is left to Lambda', async () => {
    let release: (value: string) => void = () => undefined;
    const handler = lambdaPipeline(
      () =>
        new Promise<string>((resolve) => {
          release = resolve;
        }),
      observability,
    );
    const running = handler({}, { ...context('r-1'), getRemainingTimeInMillis: () => 1 });
    // A timer that was armed earlier for an earlier time would have fired before this one.
    const first = await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 10, 'still running'))]);
    expect(first).toBe('still running');
    release('done');
    expect(await running).toBe('done');
  });
});
