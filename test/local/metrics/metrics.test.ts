// What the local CloudWatch counts: per minute, by name and dimensions; from functions' own lines; throttled requests by table.

import { describe, expect, it } from '@jest/globals';
import { createLocalMetrics, embeddedMetrics, throttlePoint } from '../../../lib/local/metrics/metrics.ts';

const errors = { namespace: 'AWS/Lambda', name: 'Errors', dimensions: { FunctionName: 'f' } };

describe('local metrics', () => {
  it('are summed and compared per minute, apart by dimension, and forgotten after half an hour', () => {
    let now = 60_000;
    const metrics = createLocalMetrics(() => now);
    metrics.add({ ...errors, value: 2 });
    metrics.add({ ...errors, value: 3 });
    metrics.add({ ...errors, dimensions: { FunctionName: 'g' }, value: 50 });
    now = 125_000;
    metrics.add({ ...errors, value: 1 });
    expect(metrics.minutes(errors, 'Sum')).toEqual([
      [60, 5],
      [120, 1],
    ]);
    expect(metrics.minutes(errors, 'Maximum')).toEqual([
      [60, 3],
      [120, 1],
    ]);
    now = 60_000 * 32 + 1;
    metrics.add({ ...errors, value: 7 });
    expect(metrics.minutes(errors, 'Sum').map(([seconds]) => seconds)).toEqual([120, 1_920]);
  });

  it('are read from the embedded format, one value or several, and other lines are left alone', () => {
    const line = JSON.stringify({
      _aws: {
        CloudWatchMetrics: [
          { Namespace: 'EventRecovery', Dimensions: [['service']], Metrics: [{ Name: 'A' }, { Name: 'B' }] },
        ],
      },
      service: 'relay-commits',
      A: 4,
      B: [1, 2],
    });
    const point = { namespace: 'EventRecovery', dimensions: { service: 'relay-commits' } };
    expect(embeddedMetrics(line)).toEqual([
      { ...point, name: 'A', value: 4 },
      { ...point, name: 'B', value: 1 },
      { ...point, name: 'B', value: 2 },
    ]);
    expect(embeddedMetrics('"CloudWatchMetrics" {')).toEqual([]);
    expect(embeddedMetrics('hello')).toEqual([]);
  });

  it('know which table refused a read or a write', () => {
    const batch = '{"RequestItems":{"Checkpoints":{"Keys":[]}}}';
    expect(throttlePoint('BatchGetItem', 'ThrottlingException', batch)).toMatchObject({
      name: 'ReadThrottleEvents',
      dimensions: { TableName: 'Checkpoints' },
    });
    const put = '{"TableName":"Log","Item":{}}';
    expect(throttlePoint('PutItem', 'ProvisionedThroughputExceededException', put)).toMatchObject({
      name: 'WriteThrottleEvents',
      dimensions: { TableName: 'Log' },
    });
    expect(throttlePoint('PutItem', 'ConditionalCheckFailedException', put)).toBeUndefined();
  });
});
