// The scrub: every five minutes it goes on with its patrol over the Events and the Log table, as long as its read budget
// allows; between two rotations it only looks whether one is due. It overlaps no other scrub (a lease decides).

import { Duration } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { Rule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { InvalidInputError } from '../../../model/errors.ts';
import {
  DEFAULT_READ_UNITS_PER_SECOND,
  DEFAULT_ROTATION_DAYS,
  READ_UNITS_PER_SECOND_MAX,
  ROTATION_DAYS_MAX,
} from '../../../recovery/scrub/request.ts';
import type { IEventBus } from '../event-bus.ts';
import { ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { grantOnKeys } from '../key-grants.ts';
import { createDeadLetterQueue, metricDeadLetters } from '../queues.ts';
import { runbookAlarm } from '../runbook-alarm.ts';
import { functionMetric } from './function-metric.ts';
import { onSchedule } from './on-schedule.ts';

/** How often the patrol goes on. An invocation ends before the next one begins. */
export const SCRUB_PERIOD = Duration.minutes(5);
export const SCRUB_TIMEOUT = Duration.minutes(5);
/** Three invocations in a row that did not happen. */
const SILENCE = Duration.minutes(15);

export interface ScrubOptions {
  /**
   * Any damage is found within this time: a rotation begins after half of it, and an alarm says when one takes longer than
   * the other half.
   * @default 7 days, allowed: 1 to 60
   */
  readonly rotationDays?: number;
  /**
   * Read units a second that the patrol may use, in on-demand capacity of both tables together. 100 read 400 KB a second:
   * 120 GB in half a week. Allowed: 1 to 3,000, what one partition can give.
   * @default 100
   */
  readonly readUnitsPerSecond?: number;
}

export interface ScrubProps extends ScrubOptions {
  readonly eventStore: IEventStore;
  readonly eventBus: IEventBus;
}

export class Scrub extends Construct {
  readonly function: LambdaFunction;
  readonly rule: Rule;
  /** Scheduled scrubs that failed three times. */
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, props: ScrubProps) {
    super(scope, id);
    const { eventStore, eventBus } = props;
    const rotationDays = whole('rotationDays', props.rotationDays ?? DEFAULT_ROTATION_DAYS, ROTATION_DAYS_MAX);
    const readUnits = whole(
      'readUnitsPerSecond',
      props.readUnitsPerSecond ?? DEFAULT_READ_UNITS_PER_SECOND,
      READ_UNITS_PER_SECOND_MAX,
    );
    this.deadLetterQueue = createDeadLetterQueue(this, 'DeadLetterQueue', { encryptionKey: eventStore.encryptionKey });
    this.function = new ProjectFunction(this, 'ScrubEvents', 'scrub-events', {
      description: 'Re-reads what is stored and finds what is not what was appended',
      timeout: SCRUB_TIMEOUT,
      environment: {
        EVENTS_TABLE: eventStore.eventsTable.tableName,
        LOG_TABLE: eventStore.logTable.tableName,
        RECOVERY_TABLE: eventStore.recoveryTable.tableName,
        EVENT_BUS_NAME: eventBus.bus.eventBusName,
        RELAY_FUNCTION_ARN: eventBus.relayFunctionArn,
        RELAY_MAPPING_ARN: eventBus.relayMappingArn,
        ROTATION_DAYS: String(rotationDays),
        READ_UNITS_PER_SECOND: String(readUnits),
      },
    }).function;
    this.grantScrubbing(props);
    this.rule = onSchedule(this, 'Schedule', {
      function: this.function,
      every: SCRUB_PERIOD,
      description: 'Go on with the scrub',
      deadLetterQueue: this.deadLetterQueue,
    });
    this.createAlarms(eventBus);
  }

  /** A metric of the scrub. @default maximum over 5 minutes */
  metric(metricName: string, options?: MetricOptions): Metric {
    return functionMetric('scrub-events', metricName, { period: SCRUB_PERIOD, ...options });
  }

  private grantScrubbing({ eventStore, eventBus }: ScrubProps): void {
    const { eventsTable, logTable, recoveryTable } = eventStore;
    const reads = ['dynamodb:Scan', 'dynamodb:Query', 'dynamodb:BatchGetItem'];
    eventsTable.grant(this.function, ...reads);
    logTable.grant(this.function, ...reads);
    grantOnKeys(this.function, logTable, 'incident', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'finding', 'PutItem', 'UpdateItem', 'Query');
    grantOnKeys(this.function, recoveryTable, 'scrub', 'GetItem', 'PutItem');
    grantOnKeys(this.function, recoveryTable, 'lease', 'GetItem', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'audit#*', 'PutItem');
    eventBus.bus.grantPutEventsTo(this.function);
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['lambda:GetEventSourceMapping'], resources: [eventBus.relayMappingArn] }),
    );
    // CloudWatch knows no resources for GetMetricData (Service Authorization Reference).
    this.function.addToRolePolicy(new PolicyStatement({ actions: ['cloudwatch:GetMetricData'], resources: ['*'] }));
  }

  private createAlarms({ alertsTopic }: IEventBus): void {
    runbookAlarm(this, 'SilentAlarm', {
      metric: this.metric('Scrubs', { statistic: 'Sum', period: SILENCE }),
      threshold: 1,
      silenceIsBad: true,
      meaning: 'No scrub finished for 15 minutes: damage of what is stored would not be noticed.',
      runbook: 'scrub-silent',
      alertsTopic,
    });
    runbookAlarm(this, 'FailedAlarm', {
      metric: metricDeadLetters(this.deadLetterQueue),
      threshold: 1,
      meaning: 'A scheduled scrub failed three times.',
      runbook: 'scrub-failed',
      alertsTopic,
    });
    runbookAlarm(this, 'OverdueAlarm', {
      metric: this.metric('ScrubOverdue'),
      threshold: 100,
      meaning: 'The last whole look at what is stored began longer ago than the rotation allows.',
      runbook: 'scrub-overdue',
      alertsTopic,
    });
    runbookAlarm(this, 'DamageAlarm', {
      metric: this.metric('OpenDamages'),
      threshold: 1,
      meaning: 'What is stored is not what was appended.',
      runbook: 'scrub-damage',
      alertsTopic,
    });
  }
}

function whole(name: string, value: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  throw new InvalidInputError('INVALID_SCRUB_OPTION', {
    what: name,
    got: value,
    allowed: `a whole number from 1 to ${max}`,
    remedy: `pass another ${name} to Scrub, or leave it out`,
  });
}
