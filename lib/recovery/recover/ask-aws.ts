// What AWS itself says: event source mappings and rules (on or off), and the metrics of the last minutes. Reads only. What cannot
// be asked is left out and logged: no answer is no evidence, in either direction.

import { type CloudWatchClient, GetMetricDataCommand, type MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { DescribeRuleCommand, type EventBridgeClient, ListRuleNamesByTargetCommand } from '@aws-sdk/client-eventbridge';
import {
  GetEventSourceMappingCommand,
  type LambdaClient,
  ListEventSourceMappingsCommand,
} from '@aws-sdk/client-lambda';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { Logger } from '../../platform/logging.ts';
import type { AwsEvidence, AwsSigns } from './aws-signs.ts';

export interface AskAwsOptions {
  lambda: Pick<LambdaClient, 'send'>;
  cloudWatch: Pick<CloudWatchClient, 'send'>;
  events: Pick<EventBridgeClient, 'send'>;
  logger: Logger;
  busName: string;
  /** The relay's function and its event source mapping. */
  relay: { functionName: string; mappingId: string };
  /** Tables whose throttles count. */
  tables: readonly string[];
  /** Namespace of the functions' own metrics. */
  namespace: string;
}

/** Alarms look at 5 minutes and three times in a row; what is older has been repaired or alarmed. */
const WINDOW_MS = 10 * 60_000;
const PERIOD_SECONDS = 60;
/** GetMetricData: at most 500 queries (CloudWatch API reference). */
const QUERIES_MAX = 500;

interface Asked {
  key: string;
  namespace: string;
  name: string;
  statistic: 'Sum' | 'Maximum';
  dimensions: Record<string, string>;
}

const FUNCTION_METRICS = ['Invocations', 'Errors', 'Throttles'] as const;

export function createAwsSigns(options: AskAwsOptions): AwsSigns {
  const { lambda, events, logger, busName, relay, tables, namespace } = options;

  const asked = async <T>(what: string, ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask();
    } catch (error) {
      logger.warn('could not be asked, and is no evidence', { what, error });
      return undefined;
    }
  };
  const mappingsOf = (functionName: string) =>
    asked(`event source mappings of ${functionName}`, async () => {
      const { EventSourceMappings = [] } = await lambda.send(
        new ListEventSourceMappingsCommand({ FunctionName: functionName, MaxItems: 100 }),
      );
      const off = EventSourceMappings.find(({ State }) => isOff(State));
      const queue = EventSourceMappings.find(({ EventSourceArn }) => EventSourceArn?.includes(':sqs:'));
      const shown = off ?? EventSourceMappings[0];
      return { state: shown?.State, id: shown?.UUID, queueArn: queue?.EventSourceArn };
    });
  const ruleState = (queueArn: string) =>
    asked(`rules of ${queueArn}`, async () => {
      const { RuleNames = [] } = await events.send(
        new ListRuleNamesByTargetCommand({ TargetArn: queueArn, EventBusName: busName }),
      );
      let shown: { name: string; state?: string } | undefined;
      for (const name of RuleNames) {
        const { State: state } = await events.send(new DescribeRuleCommand({ Name: name, EventBusName: busName }));
        if (shown?.state !== 'DISABLED') shown = { name, state };
      }
      return shown;
    });

  return {
    async look(consumers, now) {
      const numbers = await asked('metrics', () => metricsOf(options, consumers, now));
      const of = (key: string): number | undefined => numbers?.get(key);
      const found = new Map<string, NonNullable<ReturnType<AwsEvidence['consumers']['get']>>>();
      for (const { name, functionName } of consumers) {
        const mappings = await mappingsOf(functionName);
        const [errors, throttles, invocations] = ['Errors', 'Throttles', 'Invocations'].map((metric) =>
          of(`${functionName}/${metric}`),
        );
        const rule = mappings?.queueArn === undefined ? undefined : await ruleState(mappings.queueArn);
        found.set(name, {
          mappingState: mappings?.state,
          mappingId: mappings?.id,
          ruleState: rule?.state,
          ruleName: rule?.name,
          busName,
          ...(numbers && { functionState: { errors, throttles, invocations } }),
        });
      }
      const mapping = await asked('the relay', () =>
        lambda.send(new GetEventSourceMappingCommand({ UUID: relay.mappingId })),
      );
      const tableThrottles = tables.reduce((sum, table) => sum + (of(`throttles/${table}`) ?? 0), 0);
      return {
        relay: {
          ...(mapping && { mappingState: mapping.State, mappingId: relay.mappingId }),
          ...(numbers && {
            errors: of(`${relay.functionName}/Errors`) ?? 0,
            throttles: of(`${relay.functionName}/Throttles`) ?? 0,
            iteratorAgeMs: of('iteratorAge') ?? 0,
          }),
        },
        ...(numbers && { bus: { failedEntries: of('notPublished') ?? 0 }, tables: { throttles: tableThrottles } }),
        consumers: found,
      };
    },
  };

  async function metricsOf(
    { cloudWatch }: AskAwsOptions,
    consumers: readonly RegisteredConsumer[],
    now: number,
  ): Promise<Map<string, number>> {
    const functions = [...consumers.map(({ functionName }) => functionName), relay.functionName];
    const queries: Asked[] = [
      ...functions.flatMap((FunctionName) =>
        FUNCTION_METRICS.map((name) => ({
          key: `${FunctionName}/${name}`,
          namespace: 'AWS/Lambda',
          name,
          statistic: 'Sum' as const,
          dimensions: { FunctionName },
        })),
      ),
      ...tables.flatMap((TableName) =>
        (['ReadThrottleEvents', 'WriteThrottleEvents'] as const).map((name) => ({
          key: `throttles/${TableName}`,
          namespace: 'AWS/DynamoDB',
          name,
          statistic: 'Sum' as const,
          dimensions: { TableName },
        })),
      ),
      {
        key: 'iteratorAge',
        namespace: 'AWS/Lambda',
        name: 'IteratorAge',
        statistic: 'Maximum',
        dimensions: { FunctionName: relay.functionName },
      },
      {
        key: 'notPublished',
        namespace,
        name: 'EntriesNotPublished',
        statistic: 'Sum',
        dimensions: { service: 'relay-commits' },
      },
    ];
    const numbers = new Map<string, number>();
    for (let at = 0; at < queries.length; at += QUERIES_MAX) {
      const part = queries.slice(at, at + QUERIES_MAX);
      const { MetricDataResults = [] } = await cloudWatch.send(
        new GetMetricDataCommand({
          StartTime: new Date(now - WINDOW_MS),
          EndTime: new Date(now),
          ScanBy: 'TimestampDescending',
          MetricDataQueries: part.map(queryOf),
        }),
      );
      for (const { Id = '', Values = [] } of MetricDataResults) {
        const query = part[Number(Id.slice(1))];
        if (query === undefined) continue;
        // The newest minute of an age counts: what was late before and is caught up now is no lag.
        const value = query.statistic === 'Maximum' ? (Values[0] ?? 0) : Values.reduce((sum, one) => sum + one, 0);
        numbers.set(query.key, (numbers.get(query.key) ?? 0) + value);
      }
    }
    return numbers;
  }
}

const queryOf = ({ namespace, name, statistic, dimensions }: Asked, index: number): MetricDataQuery => ({
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

const isOff = (state: string | undefined): boolean => state === 'Disabled' || state === 'Disabling';
