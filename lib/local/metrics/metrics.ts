// What CloudWatch would know: sums and maxima per minute of what functions, tables and rules did, and of what functions print
// as metrics. Forgets after half an hour.

export interface MetricPoint {
  namespace: string;
  name: string;
  dimensions: Readonly<Record<string, string>>;
  value: number;
}

export type Statistic = 'Sum' | 'Maximum';

export interface LocalMetrics {
  add(point: MetricPoint): void;
  /** One value per minute that has one, by the minute's beginning in seconds, oldest first. */
  minutes(metric: Omit<MetricPoint, 'value'>, statistic: Statistic): [seconds: number, value: number][];
}

const MINUTE_MS = 60_000;
const KEPT_MINUTES = 30;

export function createLocalMetrics(now: () => number): LocalMetrics {
  const metrics = new Map<string, Map<number, { sum: number; maximum: number }>>();
  const keyOf = ({ namespace, name, dimensions }: Omit<MetricPoint, 'value'>): string =>
    JSON.stringify([namespace, name, Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1))]);
  return {
    add(point) {
      const key = keyOf(point);
      const minutes = metrics.get(key) ?? new Map<number, { sum: number; maximum: number }>();
      metrics.set(key, minutes);
      const minute = Math.floor(now() / MINUTE_MS);
      const { sum = 0, maximum = Number.NEGATIVE_INFINITY } = minutes.get(minute) ?? {};
      minutes.set(minute, { sum: sum + point.value, maximum: Math.max(maximum, point.value) });
      for (const old of minutes.keys()) if (old < minute - KEPT_MINUTES) minutes.delete(old);
    },
    minutes: (metric, statistic) =>
      [...(metrics.get(keyOf(metric)) ?? [])]
        .sort(([a], [b]) => a - b)
        .map(([minute, { sum, maximum }]) => [minute * 60, statistic === 'Sum' ? sum : maximum]),
  };
}

/** Metrics in the embedded format that a function printed; none when the line is something else. */
export function embeddedMetrics(line: string): MetricPoint[] {
  if (!line.includes('"CloudWatchMetrics"')) return [];
  try {
    const printed = JSON.parse(line) as EmbeddedLine;
    return printed._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
      Metrics.flatMap(({ Name }) =>
        Dimensions.flatMap((names) => {
          const dimensions = Object.fromEntries(names.map((name) => [name, String(printed[name])]));
          const values = [printed[Name]].flat().filter((value) => typeof value === 'number');
          return values.map((value) => ({ namespace: Namespace, name: Name, dimensions, value }));
        }),
      ),
    );
  } catch {
    return [];
  }
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
interface EmbeddedLine {
  _aws: { CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[] };
  [name: string]: unknown;
}

const THROTTLED = /^(ThrottlingException|ProvisionedThroughputExceededException|RequestLimitExceeded)$/;
const READS = /^(GetItem|BatchGetItem|Query|Scan|TransactGetItems)$/;

/** The point that a refused DynamoDB request is; undefined for what is no throttle. */
export function throttlePoint(operation: string, code: string, body: string): MetricPoint | undefined {
  if (!THROTTLED.test(code)) return undefined;
  const table = /"TableName"\s*:\s*"([^"]+)"/.exec(body)?.[1] ?? /"RequestItems"\s*:\s*\{\s*"([^"]+)"/.exec(body)?.[1];
  if (table === undefined) return undefined;
  const name = READS.test(operation) ? 'ReadThrottleEvents' : 'WriteThrottleEvents';
  return { namespace: 'AWS/DynamoDB', name, dimensions: { TableName: table.replace(/^.*\//, '') }, value: 1 };
}
