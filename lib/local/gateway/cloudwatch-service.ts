// The part of CloudWatch that functions read: IteratorAge of the stream pollers. There are no other metrics here, and a
// question for one is an error and not an empty answer, which would mean "nothing happened".
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html

import { evidenceOf, type IteratorAge } from '../mappings/evidence.ts';
import type { Mapping } from '../mappings/mapping.ts';
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
  (mappings: () => readonly Mapping[]): ServiceHandler =>
  async (call) => {
    if (call.operation !== 'GetMetricData') return unknown(call.operation);
    const input = JSON.parse(call.bodyText()) as GetMetricData;
    const strange = input.MetricDataQueries.find((query) => functionOf(query) === undefined);
    if (strange) return unknown(`metric ${JSON.stringify(strange.MetricStat?.Metric)}`);
    return jsonReply({
      MetricDataResults: input.MetricDataQueries.map((query) => {
        const ages = mappings()
          .filter(({ functionName }) => functionName === functionOf(query))
          .flatMap((mapping) => evidenceOf(mapping)?.iteratorAges ?? []);
        const points = dataPoints(ages, input, query.MetricStat?.Period ?? 60);
        return {
          Id: query.Id,
          Label: 'IteratorAge',
          Timestamps: points.map(([seconds]) => seconds),
          Values: points.map(([, value]) => value),
          StatusCode: 'Complete',
        };
      }),
    });
  };

const unknown = (what: string) =>
  errorReply(
    'cloudwatch',
    'UnknownOperationException',
    `the local CloudWatch has no ${what}; it has GetMetricData with the maximum of AWS/Lambda IteratorAge by FunctionName`,
  );

function functionOf({ MetricStat: { Metric, Stat } = {} }: Query): string | undefined {
  if (Metric?.Namespace !== 'AWS/Lambda' || Metric.MetricName !== 'IteratorAge' || Stat !== 'Maximum') return undefined;
  const [dimension, ...more] = Metric.Dimensions ?? [];
  return dimension?.Name === 'FunctionName' && more.length === 0 ? dimension.Value : undefined;
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
