// The part of CloudWatch that functions read: IteratorAge of the stream pollers, what functions, tables and rules did, how queues
// are at that moment, and what functions print. A question for another metric is an error and not an empty answer, which would mean "nothing happened".
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html

import { evidenceOf, type IteratorAge } from '../mappings/evidence.ts';
import type { Mapping } from '../mappings/mapping.ts';
import type { LocalMetrics, MetricPoint, Statistic } from '../metrics/metrics.ts';
import type { ServiceHandler } from './gateway.ts';
import { errorReply, jsonReply } from './replies.ts';

interface Query {
  Id: string;
  MetricStat?: {
    Metric?: { Namespace?: string; MetricName?: string; Dimensions?: { Name: string; Value: string }[] };
    Period?: number;
    Stat?: string;
  };
}

interface GetMetricData {
  StartTime: number;
  EndTime: number;
  ScanBy?: 'TimestampAscending' | 'TimestampDescending';
  MetricDataQueries: Query[];
}

export const cloudWatchService =
  (
    mappings: () => readonly Mapping[],
    metrics: Pick<LocalMetrics, 'minutes'>,
    queueNow: (name: string) => Promise<QueueNow | undefined>,
  ): ServiceHandler =>
  async (call) => {
    if (call.operation !== 'GetMetricData') return unknown(call.operation);
    const input = JSON.parse(call.bodyText()) as GetMetricData;
    const strange = input.MetricDataQueries.find((query) => metricOf(query) === undefined);
    if (strange) return unknown(`metric ${JSON.stringify(strange.MetricStat)}`);
    const pointsOf = async (metric: AskedMetric, period: number): Promise<[number, number][]> => {
      const { name, dimensions, statistic, namespace } = metric;
      if (name === 'IteratorAge') return iteratorAges(mappings(), dimensions.FunctionName ?? '', input, period);
      const minutes =
        namespace === 'AWS/SQS'
          ? queueMinute(name, await queueNow(dimensions.QueueName ?? ''), input)
          : metrics.minutes(metric, statistic);
      return inPeriods(minutes, statistic, input, period);
    };
    const results = input.MetricDataQueries.map(async (query) => {
      const metric = metricOf(query) as AskedMetric;
      const points = await pointsOf(metric, query.MetricStat?.Period ?? 60);
      return {
        Id: query.Id,
        Label: metric.name,
        Timestamps: points.map(([seconds]) => seconds),
        Values: points.map(([, value]) => value),
        StatusCode: 'Complete',
      };
    });
    return jsonReply({ MetricDataResults: await Promise.all(results) });
  };

/** A queue as it is at the moment of the question: the local CloudWatch keeps no history of queues. */
export interface QueueNow {
  visible: number;
  oldestAgeSeconds: number;
}

/** Pure: one point, in the last minute that was asked for. */
export function queueMinute(
  name: string,
  queue: QueueNow | undefined,
  { EndTime }: Pick<GetMetricData, 'EndTime'>,
): [seconds: number, value: number][] {
  if (queue === undefined) return [];
  return [
    [
      Math.floor((EndTime - 1) / 60) * 60,
      name === 'ApproximateAgeOfOldestMessage' ? queue.oldestAgeSeconds : queue.visible,
    ],
  ];
}

const unknown = (what: string) =>
  errorReply(
    'cloudwatch',
    'UnknownOperationException',
    `the local CloudWatch has no ${what}; it has GetMetricData with sum and maximum of ${Object.entries(KNOWN)
      .map(([namespace, names]) => `${namespace} ${names.join(', ')}`)
      .join('; ')}; and of what functions print`,
  );

/** What is counted here. A question for another metric is a mistake and not "nothing happened". */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  'AWS/Lambda': ['IteratorAge', 'Invocations', 'Errors', 'Throttles'],
  'AWS/DynamoDB': ['ReadThrottleEvents', 'WriteThrottleEvents'],
  'AWS/SQS': ['ApproximateAgeOfOldestMessage', 'ApproximateNumberOfMessagesVisible'],
  'AWS/Events': ['FailedInvocations', 'InvocationsSentToDLQ'],
};

interface AskedMetric extends Omit<MetricPoint, 'value'> {
  statistic: Statistic;
}

function metricOf({ MetricStat: { Metric, Stat } = {} }: Query): AskedMetric | undefined {
  const { Namespace: namespace = '', MetricName: name = '', Dimensions = [] } = Metric ?? {};
  if (Stat !== 'Sum' && Stat !== 'Maximum') return undefined;
  const known = KNOWN[namespace];
  if (namespace.startsWith('AWS/') && !known?.includes(name)) return undefined;
  const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]));
  return { namespace, name, dimensions, statistic: Stat };
}

function iteratorAges(mappings: readonly Mapping[], name: string, input: GetMetricData, period: number) {
  const ages = mappings
    .filter(({ functionName }) => functionName === name)
    .flatMap((mapping) => evidenceOf(mapping)?.iteratorAges ?? []);
  return dataPoints(ages, input, period);
}

/** Pure: minutes joined to periods; the newest first unless asked. */
function inPeriods(
  minutes: readonly [number, number][],
  statistic: Statistic,
  { StartTime, EndTime, ScanBy }: Pick<GetMetricData, 'StartTime' | 'EndTime' | 'ScanBy'>,
  periodSeconds: number,
): [seconds: number, value: number][] {
  const periods = new Map<number, number>();
  for (const [seconds, value] of minutes) {
    const period = Math.floor(seconds / periodSeconds) * periodSeconds;
    if (period + periodSeconds <= StartTime || seconds >= EndTime) continue;
    const before = periods.get(period);
    const joined = statistic === 'Sum' ? (before ?? 0) + value : Math.max(before ?? value, value);
    periods.set(period, joined);
  }
  const ascending = [...periods].sort(([a], [b]) => a - b);
  return ScanBy === 'TimestampAscending' ? ascending : ascending.reverse();
}

/** Pure: the highest age of each period, stamped with the period's beginning in seconds; the newest first unless asked. */
export function dataPoints(
  ages: readonly IteratorAge[],
  { StartTime, EndTime, ScanBy = 'TimestampDescending' }: Pick<GetMetricData, 'StartTime' | 'EndTime' | 'ScanBy'>,
  periodSeconds: number,
): [seconds: number, value: number][] {
  const highest = new Map<number, number>();
  for (const { at, ageMs } of ages) {
    const period = Math.floor(at / 1_000 / periodSeconds) * periodSeconds;
    // CloudWatch: StartTime is inclusive, and rounded down to the period; EndTime is exclusive.
    if (period + periodSeconds <= StartTime || at / 1_000 >= EndTime) continue;
    highest.set(period, Math.max(highest.get(period) ?? 0, ageMs));
  }
  const ascending = [...highest].sort(([a], [b]) => a - b);
  return ScanBy === 'TimestampAscending' ? ascending : ascending.reverse();
}
