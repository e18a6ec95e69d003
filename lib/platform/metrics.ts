// Counting as code sees it: a name, a value, a unit and the few dimensions that alarms and dashboards look at. Values are
// buffered and written at the end of an invocation; counting never throws and never changes what happens.

/** The units that the project uses, spelled as CloudWatch spells them. */
export type MetricUnit = 'Count' | 'Milliseconds' | 'Seconds' | 'Bytes' | 'Percent' | 'None';

/** Each combination of values is a metric of its own and billed as one: never a stream id or an event id. */
export type Dimensions = Readonly<Record<string, string>>;

export interface Metrics {
  /**
   * Add one value.
   * @param value @default 1
   * @param unit @default 'Count'
   * @example metrics.count('EventsResolved', 12, 'Count', { consumer: 'inventory' });
   */
  count(name: string, value?: number, unit?: MetricUnit, dimensions?: Dimensions): void;
  /** Write what was counted since the last flush. */
  flush(): void;
}

export interface CountedValue {
  name: string;
  value: number;
  unit: MetricUnit;
  dimensions: Dimensions;
}

/** Counts nothing: for code that was given no metrics. */
export const silentMetrics: Metrics = { count: () => undefined, flush: () => undefined };

export interface RecordingMetrics extends Metrics {
  /** Every value so far, in order. Grows without bound: for tests. */
  readonly values: CountedValue[];
  /** Sum of all values of one name, whatever their dimensions. */
  total(name: string): number;
}

/** @example const metrics = recordingMetrics(); run(metrics); expect(metrics.total('EventsResolved')).toBe(12); */
export function recordingMetrics(): RecordingMetrics {
  const values: CountedValue[] = [];
  return {
    values,
    count: (name, value = 1, unit = 'Count', dimensions = {}) => {
      values.push({ name, value, unit, dimensions });
    },
    flush: () => undefined,
    total: (name) => values.filter((counted) => counted.name === name).reduce((sum, { value }) => sum + value, 0),
  };
}
