// EventConsumer: what it makes of its props, and what it refuses at synth, with words that say what must hold.

import { describe, expect, it } from '@jest/globals';
import { Duration, Stack, Stage } from 'aws-cdk-lib';
import { EventBus, EventConsumer, EventStore } from '../../lib/index.ts';
import { STREAM_MOVED } from '../../lib/model/wake-up.ts';
import { consumerStack, PLAIN_CONSUMER, resource, resourcesOf, testApp } from './synth.ts';

const mailer = (props: Parameters<typeof consumerStack>[0] = {}) => consumerStack(props).template();
const refusal = (props: Parameters<typeof consumerStack>[0]): { code: string; message: string } => {
  try {
    consumerStack(props);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('nothing was refused');
};

describe('EventConsumer with effects to verify', () => {
  it('lets the verification invoke this one function, and nobody else', () => {
    const roleArn = 'arn:aws:iam::111122223333:role/verify';
    const template = mailer({ consumer: { ...PLAIN_CONSUMER, verifiesEffects: true }, verification: { roleArn } });
    const permissions = resourcesOf(template, 'AWS::Lambda::Permission').filter(([id]) => id.startsWith('Mailer'));
    const [[functionId]] = resourcesOf(template, 'AWS::Lambda::Function').filter(([id]) =>
      id.startsWith('MailerConsumer'),
    ) as [[string, unknown]];
    expect(permissions.map(([, { Properties }]) => Properties)).toEqual([
      { Action: 'lambda:InvokeFunction', FunctionName: { 'Fn::GetAtt': [functionId, 'Arn'] }, Principal: roleArn },
    ]);
    expect(resourcesOf(mailer(), 'AWS::Lambda::Permission').filter(([id]) => id.startsWith('Mailer'))).toEqual([]);
  });
});

describe('EventConsumer by default', () => {
  const template = mailer();
  const queue = resource(template, 'AWS::SQS::Queue', 'MailerQueue').Properties;
  const fn = resource(template, 'AWS::Lambda::Function', 'MailerConsumer').Properties;

  it('gives the function 10 seconds and hides a received message for six times as long', () => {
    expect(fn.Timeout).toBe(10);
    expect(queue.VisibilityTimeout).toBe(60);
  });

  it('moves a message to the dead-letter queue after 1 shared and maxAttempts lone unclean ends and some slack', () => {
    const withAttempts = mailer({ consumer: { ...PLAIN_CONSUMER, maxAttempts: 10 } });
    expect(queue.RedrivePolicy).toMatchObject({ maxReceiveCount: 1 + 3 + 6 });
    expect(resource(withAttempts, 'AWS::SQS::Queue', 'MailerQueue').Properties.RedrivePolicy).toMatchObject({
      maxReceiveCount: 1 + 10 + 6,
    });
  });

  it('keeps messages for 14 days in every queue, encrypted, over TLS only', () => {
    const queues = resourcesOf(template, 'AWS::SQS::Queue').filter(([id]) => id.startsWith('Mailer'));
    expect(queues.map(([id]) => id.replace(/[0-9A-F]{8}$/, '')).sort()).toEqual([
      'MailerDeadLetterQueue',
      'MailerQueue',
      'MailerUndeliveredQueue',
    ]);
    for (const [id, { Properties }] of queues) {
      expect(Properties).toMatchObject({ MessageRetentionPeriod: 14 * 86_400, SqsManagedSseEnabled: true });
      const policies = resourcesOf(template, 'AWS::SQS::QueuePolicy').filter(
        ([, policy]) => JSON.stringify(policy.Properties.Queues) === JSON.stringify([{ Ref: id }]),
      );
      expect(JSON.stringify(policies)).toContain('"aws:SecureTransport":"false"');
    }
  });

  it('polls ten messages at a time with at most ten functions and reports failures one by one', () => {
    expect(resource(template, 'AWS::Lambda::EventSourceMapping', 'MailerMapping').Properties).toMatchObject({
      BatchSize: 10,
      MaximumBatchingWindowInSeconds: 0,
      ScalingConfig: { MaximumConcurrency: 10 },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
  });

  it('runs on Node.js 24, writes JSON logs with a retention, traces, and may send wake-ups to its own queue', () => {
    expect(fn).toMatchObject({
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'INFO' },
      TracingConfig: { Mode: 'Active' },
      RecursiveLoop: 'Allow',
    });
    expect(fn.ReservedConcurrentExecutions).toBeUndefined();
    expect(resource(template, 'AWS::Logs::LogGroup', 'MailerConsumer').Properties.RetentionInDays).toBe(30);
  });

  it('remembers completed effects for a day longer than a message can come back', () => {
    expect((fn.Environment as { Variables: object }).Variables).toMatchObject({
      CONSUMER_NAME: 'mailer',
      QUEUE_URL: { Ref: expect.stringMatching(/^MailerQueue/) },
      MARKER_TTL_SECONDS: String(15 * 86_400),
    });
  });

  it('hears its own types and every wake-up without a type, but no rehearsal', () => {
    const rule = resource(template, 'AWS::Events::Rule', 'MailerRule').Properties;
    expect(rule.EventPattern).toEqual({
      source: ['event-recovery'],
      'detail-type': ['OrderPlaced', STREAM_MOVED],
      detail: { streamId: [{ 'anything-but': { prefix: 'drill-' } }] },
    });
    expect(rule.Targets).toMatchObject([
      { DeadLetterConfig: { Arn: { 'Fn::GetAtt': [expect.stringMatching(/^MailerUndeliveredQueue/), 'Arn'] } } },
    ]);
  });

  it('hears rehearsals only, when it is a drill consumer', () => {
    const drill = mailer({ consumer: { ...PLAIN_CONSUMER, drill: true } });
    const rule = resource(drill, 'AWS::Events::Rule', 'MailerRule').Properties;
    expect(rule.EventPattern).toMatchObject({ detail: { streamId: [{ prefix: 'drill-' }] } });
  });

  it('is registered after its rule exists and before it receives anything', () => {
    const [id, registration] = resourcesOf(template, 'Custom::EventConsumer')[0] ?? [];
    expect(JSON.parse(registration?.Properties.Declaration as string)).toMatchObject({
      name: 'mailer',
      eventTypes: ['OrderPlaced'],
      onPoison: 'park',
      startFrom: 'beginning',
      maxAttempts: 3,
    });
    expect(registration?.Properties.Owner).toMatch(/^Test\/MailerQueue/);
    expect(registration?.DependsOn).toEqual([expect.stringMatching(/^MailerRule/)]);
    expect(resource(template, 'AWS::Lambda::EventSourceMapping', 'MailerMapping').DependsOn).toContain(id);
  });

  it('names its outputs by the consumer', () => {
    expect(Object.keys(template.Outputs ?? {})).toEqual(
      expect.arrayContaining(['MailerQueueUrl', 'MailerDeadLetterQueueUrl', 'MailerFunctionName']),
    );
    const dashes = mailer({ consumer: { ...PLAIN_CONSUMER, name: 'order-mailer-2' } });
    expect(Object.keys(dashes.Outputs ?? {})).toContain('OrderMailer2QueueUrl');
  });
});

describe('EventConsumer refuses at synth', () => {
  const cases: [what: string, props: Parameters<typeof consumerStack>[0], code: string, words: RegExp][] = [
    [
      'a visibility timeout under six times the timeout',
      { timeout: Duration.seconds(10), visibilityTimeout: Duration.seconds(59) },
      'INVALID_CONSUMER_NUMBER',
      /visibilityTimeout in seconds of consumer "mailer": got 59; allowed: at least 60 = 6 x timeout \(10\)/,
    ],
    [
      'a visibility timeout that forgets the batching window',
      { visibilityTimeout: Duration.seconds(60), maxBatchingWindow: Duration.seconds(5) },
      'INVALID_CONSUMER_NUMBER',
      /got 60; allowed: at least 65 /,
    ],
    [
      'a marker that is forgotten before a message can come back',
      { markerTtl: Duration.days(13) },
      'INVALID_CONSUMER_NUMBER',
      /markerTtl in seconds .* got 1123200; allowed: at least 1209600 \(14 days\)/,
    ],
    [
      'no concurrency',
      { maxConcurrency: 1 },
      'INVALID_CONSUMER_NUMBER',
      /got 1; allowed: a whole number from 2 to 1000/,
    ],
    ['half a message', { batchSize: 2.5 }, 'INVALID_CONSUMER_NUMBER', /got 2.5; allowed: a whole number from 1/],
    ['a big batch that nobody waits for', { batchSize: 11 }, 'INVALID_CONSUMER_NUMBER', /without a maxBatchingWindow/],
    ['64 MB', { memorySize: 64 }, 'INVALID_CONSUMER_NUMBER', /memorySize in MB .* got 64; .* from 128 to 10240/],
    ['an alarm at once', { queueAgeAlarm: Duration.seconds(5) }, 'INVALID_CONSUMER_NUMBER', /got 5; .* from 60 to/],
    ['16 minutes', { timeout: Duration.minutes(16) }, 'INVALID_CONSUMER_NUMBER', /got 960; .* from 1 to 900/],
    [
      'fewer receives than unclean ends need',
      { maxReceiveCount: 4 },
      'INVALID_CONSUMER_NUMBER',
      /got 4; allowed: more than 4/,
    ],
    [
      'effects that nobody may ask about',
      { consumer: { ...PLAIN_CONSUMER, verifiesEffects: true } },
      'INVALID_VERIFICATION',
      /pass verification: VerifyConsistency/,
    ],
    [
      'questions to a consumer that has no answer',
      { verification: { roleArn: 'arn:aws:iam::1:role/verify' } },
      'INVALID_VERIFICATION',
      /declares verifiesEffects: false: got "one"/,
    ],
    ['no code', { entry: undefined }, 'INVALID_CONSUMER_CODE', /got "none of them"; allowed: exactly one of entry/],
    [
      'two kinds of code',
      { entry: '/x.ts', nodejsFunctionProps: {} },
      'INVALID_CONSUMER_CODE',
      /got "entry and nodejsFunctionProps"/,
    ],
    [
      'an entry that is not there',
      { entry: '/no/handler.ts' },
      'INVALID_ENTRY',
      /got "\/no\/handler.ts"; allowed: the absolute/,
    ],
    ['a relative entry', { entry: 'handler.ts' }, 'INVALID_ENTRY', /absolute path/],
    ['a bad name', { consumer: { ...PLAIN_CONSUMER, name: 'Mailer' } }, 'INVALID_CONSUMER_NAME', /got "Mailer"/],
    [
      'no event types',
      { consumer: { ...PLAIN_CONSUMER, eventTypes: [] } },
      'NO_EVENT_TYPES',
      /at least one event type/,
    ],
    [
      'more types than an event pattern holds',
      {
        consumer: {
          ...PLAIN_CONSUMER,
          eventTypes: Array.from({ length: 90 }, (_, n) => `SomethingQuiteLongHappened${n}`),
        },
      },
      'EVENT_PATTERN_TOO_LONG',
      /allowed: at most 2048 characters \(EventBridge quota\) with 90 event types/,
    ],
    [
      'a build with another timeout than the queue counts on',
      { nodejsFunctionProps: { timeout: Duration.seconds(30) } },
      'TIMEOUTS_DIFFER',
      /got 30; allowed: the consumer's own timeout, 10; remedy: pass timeout: Duration.seconds\(30\)/,
    ],
  ];
  it.each(cases)('%s', (_what, props, code, words) => {
    const error = refusal(props);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
  });

  it('two consumers of one name in one deployment, naming the first one', () => {
    const { stack, eventStore, eventBus } = consumerStack();
    const second = () =>
      new EventConsumer(stack, 'Second', {
        eventStore,
        eventBus,
        consumer: PLAIN_CONSUMER,
        entry: import.meta.filename,
      });
    expect(second).toThrow(/name of the consumer at Test\/Second: got "mailer"; .* Test\/Mailer has this one/);
  });

  it('but not one name in two stages, which are two deployments', () => {
    const app = testApp();
    const inStage = (name: string) => {
      const stack = new Stack(new Stage(app, name), 'Shop');
      new EventConsumer(stack, 'Mailer', {
        eventStore: EventStore.fromDeployment(stack, 'EventStore'),
        eventBus: EventBus.fromDeployment(stack, 'EventBus'),
        consumer: PLAIN_CONSUMER,
        entry: import.meta.filename,
      });
    };
    inStage('Staging');
    expect(() => inStage('Production')).not.toThrow();
  });
});
