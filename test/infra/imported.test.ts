// Teams that already have a table, a bus, a bucket, a key or a topic bring their own: nothing is made in its place, and the
// functions get permissions on what was brought.

import { describe, expect, it } from '@jest/globals';
import { Duration, Stack } from 'aws-cdk-lib';
import { type ITable, Table } from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Code, Function as LambdaFunction, RecursiveLoop, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EventBus, EventConsumer, EventStore } from '../../lib/index.ts';
import { consumerStack, PLAIN_CONSUMER, resource, resourcesOf, statements, templateOf, testApp } from './synth.ts';

const ARN = 'arn:aws:dynamodb:eu-central-1:111122223333:table';
const entry = import.meta.filename;

const stackWith = (
  make: (stack: Stack) => {
    store?: ConstructorParameters<typeof EventStore>[2];
    bus?: Partial<ConstructorParameters<typeof EventBus>[2]>;
  },
) => {
  const stack = new Stack(testApp(), 'Test');
  const { store, bus } = make(stack);
  const eventStore = new EventStore(stack, 'EventStore', store);
  const eventBus = new EventBus(stack, 'EventBus', { eventStore, ...bus });
  return { stack, eventStore, eventBus };
};

describe('an imported table', () => {
  const imported = (stack: Stack): ITable =>
    Table.fromTableAttributes(stack, 'Mine', { tableArn: `${ARN}/mine`, tableStreamArn: `${ARN}/mine/stream/2026` });

  it('takes the place of the Events table: the relay reads its stream', () => {
    const { stack } = stackWith((scope) => ({ store: { eventsTable: imported(scope) } }));
    const template = templateOf(stack);
    const tables = resourcesOf(template, 'AWS::DynamoDB::Table').map(([id]) => id);
    expect(tables.filter((id) => id.includes('EventsTable'))).toEqual([]);
    expect(tables).toHaveLength(6);
    expect(resource(template, 'AWS::Lambda::EventSourceMapping').Properties.EventSourceArn).toBe(
      `${ARN}/mine/stream/2026`,
    );
    expect(JSON.stringify(statements(template, 'EventBusRelayRelayCommits'))).toContain(`"${ARN}/mine"`);
  });

  it('is refused without a stream, with the way to import it', () => {
    const noStream = (stack: Stack) => ({
      store: { eventsTable: Table.fromTableName(stack, 'Mine', 'mine') },
    });
    expect(() => stackWith(noStream)).toThrow(
      /eventsTable of Test\/EventStore: got "a table without tableStreamArn"; allowed: .* remedy: import it with Table.fromTableAttributes/,
    );
  });
});

describe('an imported bus, bucket and topic', () => {
  const { stack, eventStore, eventBus } = stackWith((scope) => ({
    store: {
      archiveBucket: Bucket.fromBucketName(scope, 'MyArchive', 'my-archive'),
      relayFailuresBucket: Bucket.fromBucketName(scope, 'MyFailures', 'my-failures'),
    },
    bus: {
      eventBus: events.EventBus.fromEventBusName(scope, 'MyBus', 'my-bus'),
      alertsTopic: Topic.fromTopicArn(scope, 'MyTopic', 'arn:aws:sns:eu-central-1:111122223333:my-alerts'),
    },
  }));
  new EventConsumer(stack, 'Mailer', { eventStore, eventBus, consumer: PLAIN_CONSUMER, entry });
  const template = templateOf(stack);

  it('are used, and none is made in their place', () => {
    for (const type of ['AWS::Events::EventBus', 'AWS::S3::Bucket', 'AWS::SNS::Topic']) {
      expect(resourcesOf(template, type)).toEqual([]);
    }
    expect(resource(template, 'AWS::Events::Rule', 'MailerRule').Properties.EventBusName).toBe('my-bus');
    expect(resource(template, 'AWS::Events::Rule', 'EventBusRelayRepairGaveUp').Properties.EventPattern).toMatchObject({
      detail: { bucket: { name: ['my-failures'] } },
    });
    for (const [, { Properties }] of resourcesOf(template, 'AWS::CloudWatch::Alarm')) {
      expect(Properties.AlarmActions).toEqual(['arn:aws:sns:eu-central-1:111122223333:my-alerts']);
    }
  });

  it('are granted: the relay publishes to the bus and writes failures to the bucket', () => {
    const relay = JSON.stringify(statements(template, 'EventBusRelayRelayCommits'));
    expect(relay).toContain(':event-bus/my-bus');
    expect(relay).toContain(':s3:::my-failures/*');
  });
});

describe('a key of the team', () => {
  const { stack, eventStore, eventBus } = stackWith((scope) => ({
    store: { encryptionKey: new Key(scope, 'Key', { enableKeyRotation: true }) },
  }));
  new EventConsumer(stack, 'Mailer', { eventStore, eventBus, consumer: PLAIN_CONSUMER, entry });
  const template = templateOf(stack);
  const key = { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] };

  it('encrypts tables, buckets, queues, bus and topic', () => {
    for (const [, { Properties }] of resourcesOf(template, 'AWS::DynamoDB::Table')) {
      expect(Properties.SSESpecification).toMatchObject({ SSEEnabled: true, KMSMasterKeyId: key });
    }
    for (const [, { Properties }] of resourcesOf(template, 'AWS::SQS::Queue'))
      expect(Properties.KmsMasterKeyId).toEqual(key);
    for (const [, { Properties }] of resourcesOf(template, 'AWS::S3::Bucket')) {
      expect(JSON.stringify(Properties.BucketEncryption)).toContain('aws:kms');
    }
    expect(resource(template, 'AWS::SNS::Topic').Properties.KmsMasterKeyId).toEqual(key);
    expect(resource(template, 'AWS::Events::EventBus').Properties.KmsKeyIdentifier).toEqual(key);
  });

  it('may be used by the functions that read and write with it', () => {
    for (const prefix of [
      'MailerConsumer',
      'EventBusRelayRelayCommits',
      'EventBusRelayRepair',
      'EventBusConsumerRegistry',
    ]) {
      expect(JSON.stringify(statements(template, prefix))).toContain('kms:Decrypt');
    }
  });
});

describe('a function of the team', () => {
  const withOwned = (timeout?: Duration, recursiveLoop?: RecursiveLoop) => {
    const { stack, eventStore, eventBus } = stackWith(() => ({}));
    const owned = new LambdaFunction(stack, 'Mine', {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromInline('export const handler = () => undefined;'),
      timeout: Duration.seconds(20),
      recursiveLoop,
    });
    new EventConsumer(stack, 'Mailer', { eventStore, eventBus, consumer: PLAIN_CONSUMER, function: owned, timeout });
    return templateOf(stack);
  };

  it('gets environment and permissions, and the queue counts with its timeout', () => {
    const template = withOwned(Duration.seconds(20));
    expect(resourcesOf(template, 'AWS::Lambda::Function').filter(([id]) => id.startsWith('Mailer'))).toEqual([]);
    expect(resource(template, 'AWS::SQS::Queue', 'MailerQueue').Properties.VisibilityTimeout).toBe(120);
    const { Environment } = resource(template, 'AWS::Lambda::Function', 'Mine').Properties;
    expect((Environment as { Variables: object }).Variables).toMatchObject({ CONSUMER_NAME: 'mailer' });
    expect(JSON.stringify(statements(template, 'MineServiceRole'))).toContain('mailer#*');
  });

  it('may send wake-ups to its own queue, as often as a long stream needs', () => {
    expect(resource(withOwned(Duration.seconds(20)), 'AWS::Lambda::Function', 'Mine').Properties).toMatchObject({
      RecursiveLoop: 'Allow',
    });
    expect(() => withOwned(Duration.seconds(20), RecursiveLoop.TERMINATE)).toThrow(
      /recursiveLoop of the function of consumer "mailer": got "Terminate"; allowed: "Allow"/,
    );
  });

  it('is refused when its timeout is not the one that the queue counts on', () => {
    expect(() => withOwned()).toThrow(/got 20; allowed: the consumer's own timeout, 10/);
  });
});

describe('a build of the team', () => {
  it('keeps its settings and gets the conventions under them', () => {
    const { template } = consumerStack({
      nodejsFunctionProps: { entry, memorySize: 2048, environment: { MINE: 'yes' } },
    });
    const fn = resource(template(), 'AWS::Lambda::Function', 'Mailer').Properties;
    expect(fn).toMatchObject({ MemorySize: 2048, Runtime: 'nodejs24.x', Timeout: 10, RecursiveLoop: 'Allow' });
    expect((fn.Environment as { Variables: object }).Variables).toMatchObject({ MINE: 'yes', CONSUMER_NAME: 'mailer' });
  });

  it('is refused when it forbids the wake-ups to its own queue', () => {
    const nodejsFunctionProps = { entry, recursiveLoop: RecursiveLoop.TERMINATE };
    expect(() => consumerStack({ nodejsFunctionProps })).toThrow(/recursiveLoop of .* got "Terminate"/);
  });
});

describe('grants and metrics', () => {
  it('let a producer append: one put and the reads before it, nothing else', () => {
    const { stack, eventStore } = consumerStack();
    const producer = new LambdaFunction(stack, 'Shop', {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromInline('export const handler = () => undefined;'),
    });
    eventStore.grantAppend(producer);
    const granted = statements(templateOf(stack), 'ShopServiceRole').map(({ Action }) => Action);
    expect(granted).toEqual([
      ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
      ['dynamodb:BatchGetItem', 'dynamodb:GetItem'],
    ]);
  });

  it('name what an operator looks at', () => {
    const { consumer, eventBus, eventStore } = consumerStack();
    const names = [
      consumer.metricQueueAge(),
      consumer.metricDeadLetterQueueDepth(),
      consumer.metricUndelivered(),
      consumer.metricErrors(),
      consumer.metricThrottles(),
      eventBus.metricRelayAge(),
      eventBus.repair.metricGaveUp(),
      eventStore.metricAppendWriteUnits(),
    ].map(({ metricName, statistic }) => `${metricName} ${statistic}`);
    expect(names).toEqual([
      'ApproximateAgeOfOldestMessage Maximum',
      'ApproximateNumberOfMessagesVisible Maximum',
      'ApproximateNumberOfMessagesVisible Maximum',
      'Errors Sum',
      'Throttles Sum',
      'IteratorAge Maximum',
      'TriggeredRules Sum',
      'ConsumedWriteCapacityUnits Sum',
    ]);
  });
});
