// The Flow stack: how the relay reads the DynamoDB stream, where its failures go, and who is told.

import { describe, expect, it } from '@jest/globals';
import { resource, resourcesOf, synthApp } from './synth.ts';

const { templates } = synthApp();
const { flow } = templates;
const mapping = resource(flow, 'AWS::Lambda::EventSourceMapping').Properties;
const relay = resource(flow, 'AWS::Lambda::Function', 'EventBusRelayRelayCommits').Properties;

describe('the relay', () => {
  it('reads one log page per batch, from the oldest record, one relay per shard', () => {
    expect(mapping).toMatchObject({
      BatchSize: 99,
      MaximumBatchingWindowInSeconds: 0,
      ParallelizationFactor: 1,
      StartingPosition: 'TRIM_HORIZON',
    });
  });

  it('bisects, reports single failures, and gives up by tries and by age long before the stream forgets', () => {
    expect(mapping).toMatchObject({
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumRetryAttempts: 20,
      MaximumRecordAgeInSeconds: 6 * 3_600,
    });
  });

  it('sends what it gave up on to S3, the only destination that carries the records', () => {
    expect(JSON.stringify(mapping.DestinationConfig)).toContain(':s3:::');
    expect(JSON.stringify(mapping.DestinationConfig)).toContain('relayfailuresbucketname');
  });

  it('goes on with a long backfill in a bus entry that only its own rule hears', () => {
    const rule = resource(flow, 'AWS::Events::Rule', 'EventBusRelayBackfill').Properties;
    expect(rule.EventPattern).toEqual({ source: ['event-recovery'], 'detail-type': ['$RelayBackfill'] });
    expect(rule.EventBusName).toEqual({ Ref: expect.stringMatching(/^EventBus/) });
    expect(rule.Targets).toMatchObject([
      { Arn: { 'Fn::GetAtt': [expect.stringMatching(/^EventBusRelayRelayCommits/), 'Arn'] }, DeadLetterConfig: {} },
    ]);
    expect(resource(flow, 'AWS::Lambda::EventInvokeConfig', 'EventBusRelayRelayCommits').Properties).toMatchObject({
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: {} },
    });
  });

  it('does not reserve concurrency', () => {
    for (const [, { Properties }] of resourcesOf(flow, 'AWS::Lambda::Function')) {
      expect(Properties.ReservedConcurrentExecutions).toBeUndefined();
    }
  });

  it('is told by its environment what it works on', () => {
    expect(Object.keys((relay.Environment as { Variables: object }).Variables)).toEqual(
      expect.arrayContaining([
        'EVENTS_TABLE',
        'LOG_TABLE',
        'EVENT_BUS_NAME',
        'RELAY_FAILURES_BUCKET',
        'LOG_LEVEL',
        'POWERTOOLS_SERVICE_NAME',
        'POWERTOOLS_METRICS_NAMESPACE',
      ]),
    );
  });
});

describe('the repair behind the relay', () => {
  const rule = resource(flow, 'AWS::Events::Rule', 'EventBusRelayRepairGaveUp').Properties;

  it('starts for objects of the relay-failures bucket, on the default bus', () => {
    expect(rule.EventBusName).toBeUndefined();
    expect(rule.EventPattern).toMatchObject({
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: { bucket: { name: [{ Ref: expect.stringContaining('relayfailuresbucketname') }] } },
    });
  });

  it('loses nothing: what EventBridge or Lambda give up on lies in a queue for 14 days', () => {
    const queueArn = { 'Fn::GetAtt': [expect.stringMatching(/^EventBusRelayRepairDeadLetterQueue/), 'Arn'] };
    expect(rule.Targets).toMatchObject([{ DeadLetterConfig: { Arn: queueArn } }]);
    expect(resource(flow, 'AWS::Lambda::EventInvokeConfig', 'EventBusRelayRepair').Properties).toMatchObject({
      DestinationConfig: { OnFailure: { Destination: queueArn } },
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 6 * 3_600,
    });
    const queue = resource(flow, 'AWS::SQS::Queue', 'EventBusRelayRepairDeadLetterQueue').Properties;
    expect(queue.MessageRetentionPeriod).toBe(14 * 86_400);
  });
});

describe('the alerts topic', () => {
  it('lets the alarms of this account publish although it has a policy of its own', () => {
    const statements = resource(flow, 'AWS::SNS::TopicPolicy', 'EventBusAlertsTopic').Properties.PolicyDocument;
    expect(statements).toMatchObject({
      Statement: expect.arrayContaining([
        expect.objectContaining({
          Action: 'sns:Publish',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        }),
      ]),
    });
  });

  it('is told by an alarm on iterator age long before 24 hours', () => {
    const alarm = resource(flow, 'AWS::CloudWatch::Alarm', 'EventBusRelayIteratorAge').Properties;
    expect(alarm).toMatchObject({ MetricName: 'IteratorAge', Namespace: 'AWS/Lambda', Threshold: 15 * 60_000 });
    expect(alarm.AlarmActions).toHaveLength(1);
  });

  it('is told at 70 % of the ceiling: relays are at work for that share of three periods in a row', () => {
    const alarm = resource(flow, 'AWS::CloudWatch::Alarm', 'EventBusRelayCeiling').Properties;
    expect(alarm).toMatchObject({
      Threshold: 0.7,
      EvaluationPeriods: 3,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    });
    const FunctionName = { Ref: expect.stringMatching(/^EventBusRelayRelayCommits/) };
    const ofRelay = (MetricName: string) => ({
      Namespace: 'AWS/Lambda',
      MetricName,
      Dimensions: [{ Name: 'FunctionName', Value: FunctionName }],
    });
    const stat = (name: string, Stat: string) => ({ Metric: ofRelay(name), Stat, Period: 300 });
    expect(alarm.Metrics).toEqual([
      expect.objectContaining({ Expression: 'worked / (relays * 300000)' }),
      { Id: 'worked', MetricStat: stat('Duration', 'Sum'), ReturnData: false },
      { Id: 'relays', MetricStat: stat('ConcurrentExecutions', 'Maximum'), ReturnData: false },
    ]);
  });
});
