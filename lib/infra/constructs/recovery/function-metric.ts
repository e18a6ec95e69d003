// A metric that a scheduled function of the recovery counts.

import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS_NAMESPACE } from '../event-function.ts';

/** @default maximum over the period of its schedule */
export const functionMetric = (service: string, metricName: string, options: MetricOptions): Metric =>
  new Metric({
    namespace: METRICS_NAMESPACE,
    metricName,
    dimensionsMap: { service },
    statistic: 'Maximum',
    ...options,
  });
