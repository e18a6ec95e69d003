// What AWS itself says: event source mappings and rules (on or off), queues, the batches that the relay gave up on, and the
// metrics of the last minutes. Reads only. Who does not answer is named: no answer is no evidence, in either direction.

import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import {
  DescribeRuleCommand,
  type EventBridgeClient,
  ListRuleNamesByTargetCommand,
  ListTargetsByRuleCommand,
} from '@aws-sdk/client-eventbridge';
import {
  GetEventSourceMappingCommand,
  type LambdaClient,
  ListEventSourceMappingsCommand,
} from '@aws-sdk/client-lambda';
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { Logger } from '../../platform/logging.ts';
import {
  type AskedMetric,
  askMetrics,
  lambdaMetrics,
  queueMetric,
  ruleMetrics,
  tableMetrics,
  WINDOW_MS,
} from './ask-metrics.ts';
import type { AwsEvidence, AwsSigns } from './aws-signs.ts';

export interface AskAwsOptions {
  lambda: Pick<LambdaClient, 'send'>;
  cloudWatch: Pick<CloudWatchClient, 'send'>;
  events: Pick<EventBridgeClient, 'send'>;
  sqs: Pick<SQSClient, 'send'>;
  s3: Pick<S3Client, 'send'>;
  logger: Logger;
  busName: string;
  /** The relay's function and its event source mapping. */
  relay: { functionName: string; mappingId: string };
  /** Where Lambda writes the batches that the relay gave up on. */
  failuresBucket: string;
  /** Dead-letter queues that belong to no consumer: of schedules and of our own functions. */
  deadLetterQueues: readonly string[];
  /** Tables whose throttles count. */
  tables: readonly string[];
  /** Namespace of the functions' own metrics. */
  namespace: string;
}

/** 1,000 objects each; the bucket forgets them after its lifecycle's days. Guards the loop. */
const LIST_PAGES_MAX = 20;

/** What is known of one consumer before the metrics are asked. */
interface Wiring {
  mapping?: { state?: string; id?: string };
  rule?: { name: string; state?: string };
  queueName: string;
  deadLetterQueue?: string;
  undeliveredQueue?: string;
}

type ConsumerSigns = NonNullable<ReturnType<AwsEvidence['consumers']['get']>>;

export function createAwsSigns(options: AskAwsOptions): AwsSigns {
  const { lambda, events, sqs, cloudWatch, logger, busName, relay, tables, namespace } = options;

  return {
    async look(consumers, now) {
      const unanswered: string[] = [];
      const asked = async <T>(what: string, ask: () => Promise<T>): Promise<T | undefined> => {
        try {
          return await ask();
        } catch (error) {
          unanswered.push(what);
          logger.warn('could not be asked, and is no evidence', { what, error });
          return undefined;
        }
      };
      const wirings = new Map<string, Wiring>();
      for (const consumer of consumers) wirings.set(consumer.name, await wiringOf(consumer, asked));
      const mapping = await asked('the mapping of the relay', () =>
        lambda.send(new GetEventSourceMappingCommand({ UUID: relay.mappingId })),
      );
      const failedBatches = await asked('the batches that the relay gave up on', () =>
        failedBatchesSince(now - WINDOW_MS),
      );
      const numbers = await asked('metrics', () => askMetrics(cloudWatch, metricsOf(consumers, wirings), now));

      const found = new Map<string, ConsumerSigns>();
      for (const { name, functionName } of consumers) {
        const { mapping: ofConsumer, rule, queueName, deadLetterQueue, undeliveredQueue } = wirings.get(name) as Wiring;
        const depthOf = (queue: string | undefined) =>
          queue === undefined ? undefined : numbers?.(queue, 'ApproximateNumberOfMessagesVisible');
        found.set(name, {
          mappingState: ofConsumer?.state,
          mappingId: ofConsumer?.id,
          ruleState: rule?.state,
          ruleName: rule?.name,
          busName,
          ...(numbers && {
            functionState: {
              errors: numbers(functionName, 'Errors'),
              throttles: numbers(functionName, 'Throttles'),
              invocations: numbers(functionName, 'Invocations'),
            },
            oldestMessageSeconds: numbers(queueName, 'ApproximateAgeOfOldestMessage'),
            deadLetterQueueDepth: depthOf(deadLetterQueue),
            undelivered: {
              waiting: depthOf(undeliveredQueue) ?? 0,
              failed: rule === undefined ? 0 : numbers(rule.name, 'FailedInvocations'),
              sent: rule === undefined ? 0 : numbers(rule.name, 'InvocationsSentToDLQ'),
            },
          }),
        });
      }
      return {
        unanswered,
        relay: {
          ...(mapping && { mappingState: mapping.State, mappingId: relay.mappingId }),
          ...(failedBatches !== undefined && { failedBatches }),
          ...(numbers && {
            errors: numbers(relay.functionName, 'Errors'),
            throttles: numbers(relay.functionName, 'Throttles'),
            iteratorAgeMs: numbers(relay.functionName, 'IteratorAge'),
          }),
        },
        ...(numbers && {
          bus: { failedEntries: numbers('relay-commits', 'EntriesNotPublished') },
          tables: {
            throttles: tables
              .flatMap(tableMetrics)
              .reduce((sum, { dimensions, name }) => sum + numbers(dimensions.TableName ?? '', name), 0),
          },
          deadLetterQueues: options.deadLetterQueues
            .map((queue) => ({ queue, depth: numbers(queue, 'ApproximateNumberOfMessagesVisible') }))
            .filter(({ depth }) => depth > 0),
        }),
        consumers: found,
      };
    },
  };

  async function wiringOf(
    { name, functionName, queueUrl }: RegisteredConsumer,
    asked: <T>(what: string, ask: () => Promise<T>) => Promise<T | undefined>,
  ): Promise<Wiring> {
    const mappings = await asked(`event source mappings of ${name}`, () => mappingsOf(functionName));
    const queueArn = mappings?.queueArn;
    const rule = queueArn === undefined ? undefined : await asked(`rules of ${name}`, () => ruleOf(queueArn));
    const deadLetterQueue = await asked(`the queue of ${name}`, () => deadLetterQueueOf(queueUrl));
    return {
      mapping: mappings,
      rule,
      queueName: lastOf(queueUrl, '/'),
      deadLetterQueue,
      undeliveredQueue: rule?.undelivered,
    };
  }

  async function mappingsOf(functionName: string) {
    const { EventSourceMappings = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName: functionName, MaxItems: 100 }),
    );
    const off = EventSourceMappings.find(({ State }) => isOff(State));
    const queue = EventSourceMappings.find(({ EventSourceArn }) => EventSourceArn?.includes(':sqs:'));
    const shown = off ?? EventSourceMappings[0];
    return { state: shown?.State, id: shown?.UUID, queueArn: queue?.EventSourceArn };
  }

  /** The disabled one, or the first; with the queue of what it could not deliver. */
  async function ruleOf(queueArn: string) {
    const { RuleNames = [] } = await events.send(
      new ListRuleNamesByTargetCommand({ TargetArn: queueArn, EventBusName: busName }),
    );
    let shown: { name: string; state?: string; undelivered?: string } | undefined;
    for (const name of RuleNames) {
      const { State: state } = await events.send(new DescribeRuleCommand({ Name: name, EventBusName: busName }));
      if (shown?.state !== 'DISABLED') shown = { name, state };
    }
    if (shown === undefined) return undefined;
    const { Targets = [] } = await events.send(
      new ListTargetsByRuleCommand({ Rule: shown.name, EventBusName: busName }),
    );
    const deadLetterArn = Targets.find(({ Arn }) => Arn === queueArn)?.DeadLetterConfig?.Arn;
    return { ...shown, ...(deadLetterArn !== undefined && { undelivered: lastOf(deadLetterArn, ':') }) };
  }

  async function deadLetterQueueOf(QueueUrl: string): Promise<string | undefined> {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['RedrivePolicy'] }),
    );
    const policy = JSON.parse(Attributes.RedrivePolicy ?? '{}') as { deadLetterTargetArn?: string };
    return policy.deadLetterTargetArn === undefined ? undefined : lastOf(policy.deadLetterTargetArn, ':');
  }

  async function failedBatchesSince(since: number): Promise<number> {
    let count = 0;
    let ContinuationToken: string | undefined;
    for (let page = 1; page <= LIST_PAGES_MAX; page += 1) {
      const { Contents = [], NextContinuationToken } = await options.s3.send(
        new ListObjectsV2Command({ Bucket: options.failuresBucket, ContinuationToken }),
      );
      count += Contents.filter(({ LastModified }) => (LastModified?.getTime() ?? 0) >= since).length;
      ContinuationToken = NextContinuationToken;
      if (ContinuationToken === undefined) break;
    }
    return count;
  }

  function metricsOf(consumers: readonly RegisteredConsumer[], wirings: ReadonlyMap<string, Wiring>): AskedMetric[] {
    const ofConsumers = consumers.flatMap(({ name, functionName }): AskedMetric[] => {
      const { rule, queueName, deadLetterQueue, undeliveredQueue } = wirings.get(name) as Wiring;
      const lastStops = [deadLetterQueue, undeliveredQueue].filter((queue) => queue !== undefined);
      return [
        ...lambdaMetrics(functionName),
        queueMetric(queueName, 'ApproximateAgeOfOldestMessage'),
        ...lastStops.map((queue) => queueMetric(queue, 'ApproximateNumberOfMessagesVisible')),
        ...(rule === undefined ? [] : ruleMetrics(rule.name, busName)),
      ];
    });
    return [
      ...ofConsumers,
      ...lambdaMetrics(relay.functionName),
      ...tables.flatMap(tableMetrics),
      ...options.deadLetterQueues.map((queue) => queueMetric(queue, 'ApproximateNumberOfMessagesVisible')),
      {
        namespace: 'AWS/Lambda',
        name: 'IteratorAge',
        statistic: 'Maximum',
        dimensions: { FunctionName: relay.functionName },
      },
      {
        namespace,
        name: 'EntriesNotPublished',
        statistic: 'Sum',
        dimensions: { service: 'relay-commits' },
      },
    ];
  }
}

const lastOf = (text: string, separator: string): string => text.slice(text.lastIndexOf(separator) + 1);
const isOff = (state: string | undefined): boolean => state === 'Disabled' || state === 'Disabling';
