// What AWS is asked, and that an answer that is missing is never read as "all is well".

import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../lib/platform/logging.ts';
import { createAwsSigns } from '../../../lib/recovery/recover/ask-aws.ts';
import {
  askMetrics,
  lambdaMetrics,
  queueMetric,
  ruleMetrics,
  tableMetrics,
} from '../../../lib/recovery/recover/ask-metrics.ts';

type Query = {
  Id: string;
  MetricStat: { Metric: { MetricName: string; Dimensions: { Name: string; Value: string }[] } };
};
type Input = { MetricDataQueries: Query[]; NextToken?: string };
const cloudWatch = (answer: (input: Input) => unknown) =>
  ({ send: async ({ input }: { input: Input }) => answer(input) }) as never;
const NOW = 1_000_000_000;

describe('the metrics', () => {
  it('are summed over the minutes; of an age the newest counts; a metric without a point is 0', async () => {
    const numbers = await askMetrics(
      cloudWatch(({ MetricDataQueries }) => ({
        MetricDataResults: MetricDataQueries.map(({ Id, MetricStat: { Metric } }) => ({
          Id,
          Values: { Errors: [1, 2, 3], ApproximateAgeOfOldestMessage: [5, 900] }[Metric.MetricName] ?? [],
        })),
      })),
      [...lambdaMetrics('f'), queueMetric('q', 'ApproximateAgeOfOldestMessage')],
      NOW,
    );
    expect(numbers('f', 'Errors')).toBe(6);
    expect(numbers('f', 'Throttles')).toBe(0);
    expect(numbers('q', 'ApproximateAgeOfOldestMessage')).toBe(5);
  });

  it('are asked 500 at a time, page after page', async () => {
    const sizes: number[] = [];
    const tables = Array.from({ length: 300 }, (_, index) => `t${index}`);
    const numbers = await askMetrics(
      cloudWatch(({ MetricDataQueries, NextToken }) => {
        if (NextToken === undefined) sizes.push(MetricDataQueries.length);
        const half = MetricDataQueries.length / 2;
        const part = NextToken === undefined ? MetricDataQueries.slice(0, half) : MetricDataQueries.slice(half);
        return {
          MetricDataResults: part.map(({ Id }) => ({ Id, Values: [1] })),
          NextToken: NextToken === undefined ? 'more' : undefined,
        };
      }),
      tables.flatMap(tableMetrics),
      NOW,
    );
    expect(sizes).toEqual([500, 100]);
    expect(numbers('t299', 'WriteThrottleEvents')).toBe(1);
  });

  it('of a rule name its bus, too', () => {
    expect(ruleMetrics('rule', 'bus')[0]?.dimensions).toEqual({ RuleName: 'rule', EventBusName: 'bus' });
  });

  it.each<[string, (input: Input) => unknown]>([
    ['is missing', () => ({ MetricDataResults: [] })],
    ['is not there at all', () => ({})],
    [
      'is an error',
      ({ MetricDataQueries }) => ({
        MetricDataResults: MetricDataQueries.map(({ Id }) => ({ Id, Values: [], StatusCode: 'InternalError' })),
      }),
    ],
    [
      'is refused',
      ({ MetricDataQueries }) => ({
        MetricDataResults: MetricDataQueries.map(({ Id }) => ({ Id, Values: [], StatusCode: 'Forbidden' })),
      }),
    ],
  ])('have no answer when one of them %s', async (_what, answer) => {
    await expect(askMetrics(cloudWatch(answer), lambdaMetrics('f'), NOW)).rejects.toThrow();
  });
});

describe('what AWS says', () => {
  const consumer = { name: 'billing', functionName: 'billing-fn', queueUrl: 'https://sqs/1/billing-q' } as never;
  const MAPPING = { State: 'Enabled', EventSourceArn: 'arn:aws:sqs:x:1:billing-q', UUID: 'm' };
  const answers: Record<string, () => unknown> = {
    GetEventSourceMappingCommand: () => ({ State: 'Enabled' }),
    ListEventSourceMappingsCommand: () => ({ EventSourceMappings: [MAPPING] }),
    ListRuleNamesByTargetCommand: () => ({ RuleNames: ['rule'] }),
    DescribeRuleCommand: () => ({ State: 'ENABLED' }),
    ListTargetsByRuleCommand: () => ({
      Targets: [{ Arn: MAPPING.EventSourceArn, DeadLetterConfig: { Arn: 'arn:aws:sqs:x:1:billing-undelivered' } }],
    }),
    GetQueueAttributesCommand: () => ({
      Attributes: { RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:x:1:billing-dlq"}' },
    }),
    ListObjectsV2Command: () => ({
      Contents: [{ LastModified: new Date(NOW - 3_600_000) }, { LastModified: new Date(NOW) }],
    }),
  };
  const asked: string[] = [];
  function signs(failing?: string) {
    const client = {
      send: async ({ constructor: { name }, input }: { constructor: { name: string }; input: Input }) => {
        if (name === failing) throw new Error('denied');
        if (name !== 'GetMetricDataCommand') return answers[name]?.();
        for (const {
          MetricStat: { Metric },
        } of input.MetricDataQueries)
          asked.push(`${Metric.Dimensions[0]?.Value}/${Metric.MetricName}`);
        return { MetricDataResults: input.MetricDataQueries.map(({ Id }) => ({ Id, Values: [] })) };
      },
    } as never;
    return createAwsSigns({
      lambda: client,
      cloudWatch: client,
      events: client,
      sqs: client,
      s3: client,
      logger: silentLogger,
      busName: 'bus',
      relay: { functionName: 'relay', mappingId: 'm' },
      failuresBucket: 'failures',
      deadLetterQueues: ['schedules'],
      tables: [],
      namespace: 'n',
    });
  }

  it('covers age and dead letters of every queue, the rule, and the batches of the last minutes', async () => {
    const evidence = await signs().look([consumer], NOW);
    expect(asked).toEqual(
      expect.arrayContaining([
        'billing-q/ApproximateAgeOfOldestMessage',
        'billing-dlq/ApproximateNumberOfMessagesVisible',
        'billing-undelivered/ApproximateNumberOfMessagesVisible',
        'schedules/ApproximateNumberOfMessagesVisible',
        'rule/FailedInvocations',
        'rule/InvocationsSentToDLQ',
      ]),
    );
    expect(evidence).toMatchObject({ unanswered: [], relay: { failedBatches: 1 }, deadLetterQueues: [] });
  });

  it.each([...Object.keys(answers), 'GetMetricDataCommand'])(
    'names what %s did not answer, and does not fill it in',
    async (failing) => {
      const evidence = await signs(failing).look([consumer], NOW);
      expect(evidence.unanswered).toHaveLength(1);
      const { consumers, ...rest } = evidence;
      const of = consumers.get('billing');
      const absent: Record<string, unknown> = {
        GetEventSourceMappingCommand: rest.relay?.mappingState,
        ListEventSourceMappingsCommand: of?.mappingState,
        ListRuleNamesByTargetCommand: of?.ruleState,
        DescribeRuleCommand: of?.ruleState,
        ListTargetsByRuleCommand: of?.ruleState,
        GetQueueAttributesCommand: of?.deadLetterQueueDepth,
        ListObjectsV2Command: rest.relay?.failedBatches,
        GetMetricDataCommand: of?.oldestMessageSeconds,
      };
      expect(absent[failing]).toBeUndefined();
    },
  );
});
