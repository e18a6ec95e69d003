// An alarm that tells its reader what to do: each names a heading of docs/runbooks/README.md (a test compares both) and
// goes to the alerts topic. Missing data is good: a quiet system has no datapoints; unless silence itself is what is wrong.

import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

/** Headings of docs/runbooks/README.md, as anchors. */
export type RunbookAnchor =
  | 'relay-iterator-age'
  | 'relay-errors'
  | 'relay-log-ceiling'
  | 'relay-backfill-failed'
  | 'relay-gave-up'
  | 'relay-repair-failed'
  | 'consumer-queue-age'
  | 'consumer-dead-letter-queue'
  | 'consumer-undelivered'
  | 'consumer-errors'
  | 'consumer-throttles'
  | 'intake-errors'
  | 'intake-announce-failed'
  | 'redrive-failed'
  | 'archive-stalled'
  | 'archive-failed'
  | 'restore-failed'
  | 'replay-failed'
  | 'replay-stopped'
  | 'drill-failed'
  | 'drill-broken'
  | 'drill-silent'
  | 'recovery-not-started'
  | 'recovery-failed'
  | 'recovery-cut-off'
  | 'recovery-did-not-help'
  | 'gap-scan-silent'
  | 'gap-scan-failed'
  | 'gap-scan-gaps'
  | 'gap-scan-lag'
  | 'gap-scan-unknown'
  | 'scrub-silent'
  | 'scrub-failed'
  | 'scrub-overdue'
  | 'scrub-damage';

export const RUNBOOK = 'docs/runbooks/README.md';

export interface RunbookAlarmProps {
  readonly metric: IMetric;
  /** Alarm when the value reaches it. */
  readonly threshold: number;
  /** What it means, in one sentence. */
  readonly meaning: string;
  readonly runbook: RunbookAnchor;
  readonly alertsTopic: ITopic;
  /** For what must happen in every period: alarm when the value stays under the threshold or is missing. @default false */
  readonly silenceIsBad?: boolean;
  /** Periods of the metric in a row. @default 1 */
  readonly evaluationPeriods?: number;
}

export function runbookAlarm(scope: Construct, id: string, props: RunbookAlarmProps): Alarm {
  const alarm = new Alarm(scope, id, {
    metric: props.metric,
    threshold: props.threshold,
    evaluationPeriods: props.evaluationPeriods ?? 1,
    comparisonOperator: props.silenceIsBad
      ? ComparisonOperator.LESS_THAN_THRESHOLD
      : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: props.silenceIsBad ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    alarmDescription: `${props.meaning} Runbook: ${RUNBOOK}#${props.runbook}`,
  });
  alarm.addAlarmAction(new SnsAction(props.alertsTopic));
  alarm.addOkAction(new SnsAction(props.alertsTopic));
  return alarm;
}
