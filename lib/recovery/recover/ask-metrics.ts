// CloudWatch's numbers of the last minutes, all in one question. A metric that has no point in that time is 0: Lambda,
// DynamoDB and EventBridge send none when nothing happened; a question that fails has no answer at all.

import { type CloudWatchClient, GetMetricDataCommand, type MetricDataQuery } from '@aws-sdk/client-cloudwatch';

/** Alarms look at 5 minutes and three times in a row; what is older has been repaired or alarmed. */
export const WINDOW_MS = 10 * 60_000;
const PERIOD_SECONDS = 60;
/** GetMetricData: at most 500 queries (CloudWatch API reference). */
const QUERIES_MAX = 500;
/** Pages of one question: 500 queries of 10 points fit into one (100,800 points); guards the loop. */
const PAGES_MAX = 10;

export interface AskedMetric {
  namespace: string;
  name: string;
  /** Maximum: the newest minute counts. Sum: over all minutes. */
  statistic: 'Sum' | 'Maximum';
  dimensions: Record<string, string>;
}

/** By its first dimension's value (a function, table, queue or rule) and the metric's name. */
export type Numbers = (of: string, metric: string) => number;

export const lambdaMetrics = (FunctionName: string): AskedMetric[] =>
  ['Invocations', 'Errors', 'Throttles'].map((name) => ({
    namespace: 'AWS/Lambda',
    name,
    statistic: 'Sum',
    dimensions: { FunctionName },
  }));

export const tableMetrics = (TableName: string): AskedMetric[] =>
  ['ReadThrottleEvents', 'WriteThrottleEvents'].map((name) => ({
    namespace: 'AWS/DynamoDB',
    name,
    statistic: 'Sum',
    dimensions: { TableName },
  }));

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html */
export const queueMetric = (
  QueueName: string,
  name: 'ApproximateAgeOfOldestMessage' | 'ApproximateNumberOfMessagesVisible',
): AskedMetric => ({ namespace: 'AWS/SQS', name, statistic: 'Maximum', dimensions: { QueueName } });

/** Both dimensions: a rule of a bus of one's own. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html */
export const ruleMetrics = (RuleName: string, EventBusName: string): AskedMetric[] =>
  ['FailedInvocations', 'InvocationsSentToDLQ'].map((name) => ({
    namespace: 'AWS/Events',
    name,
    statistic: 'Sum',
    dimensions: { RuleName, EventBusName },
  }));

/** Rejects when CloudWatch does not answer every question. */
export async function askMetrics(
  cloudWatch: Pick<CloudWatchClient, 'send'>,
  metrics: readonly AskedMetric[],
  now: number,
): Promise<Numbers> {
  const numbers = new Map<string, number>();
  for (let at = 0; at < metrics.length; at += QUERIES_MAX) {
    const part = metrics.slice(at, at + QUERIES_MAX);
    for (const [index, values] of await valuesOf(cloudWatch, part, now)) {
      const metric = part[index];
      if (metric === undefined) continue;
      // The newest minute of an age counts: what was late before and is caught up now is no lag.
      const value = metric.statistic === 'Maximum' ? (values[0] ?? 0) : values.reduce((sum, one) => sum + one, 0);
      numbers.set(`${Object.values(metric.dimensions)[0]}/${metric.name}`, value);
    }
  }
  return (of, metric) => numbers.get(`${of}/${metric}`) ?? 0;
}

async function valuesOf(cloudWatch: Pick<CloudWatchClient, 'send'>, metrics: readonly AskedMetric[], now: number) {
  const values = new Map<number, number[]>();
  let NextToken: string | undefined;
  for (let page = 1; page <= PAGES_MAX; page += 1) {
    const answer = await cloudWatch.send(
      new GetMetricDataCommand({
        StartTime: new Date(now - WINDOW_MS),
        EndTime: new Date(now),
        ScanBy: 'TimestampDescending',
        MetricDataQueries: metrics.map(queryOf),
        NextToken,
      }),
    );
    for (const { Id = '', Values = [], StatusCode } of answer.MetricDataResults ?? []) {
      if (StatusCode === 'InternalError' || StatusCode === 'Forbidden') throw new Error(`${Id}: ${StatusCode}`);
      const index = Number(Id.slice(1));
      values.set(index, [...(values.get(index) ?? []), ...Values]);
    }
    NextToken = answer.NextToken;
    if (NextToken === undefined) break;
  }
  // A question that has no answer is not the same as nothing that happened.
  const unanswered = metrics.filter((_, index) => !values.has(index));
  if (unanswered.length > 0) throw new Error(`no answer for ${unanswered.length} of ${metrics.length} metrics`);
  return values;
}

const queryOf = ({ namespace, name, statistic, dimensions }: AskedMetric, index: number): MetricDataQuery => ({
  Id: `m${index}`,
  MetricStat: {
    Metric: {
      Namespace: namespace,
      MetricName: name,
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
    },
    Period: PERIOD_SECONDS,
    Stat: statistic,
  },
});
