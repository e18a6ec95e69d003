// Who may do what. Wildcards stand only where AWS offers nothing narrower; nobody may delete events; a consumer reaches its
// own items and no others.

import { describe, expect, it } from '@jest/globals';
import { actionsOf, resourcesIn, statements, synthApp, type TemplateJson } from './synth.ts';

const { templates } = synthApp();
const everyStatement = Object.values(templates).flatMap((template) => statements(template));

/** An ARN of a policy as text, with the SSM key or logical id where a reference stands. */
function arn(value: unknown, template: TemplateJson): string {
  if (typeof value === 'string') return value;
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Record<string, unknown>;
  if (typeof Ref === 'string') return `<${template.Parameters?.[Ref]?.Default?.split('/').at(-1) ?? Ref}>`;
  if (Array.isArray(attribute)) return `<${attribute[0]}>`;
  return (join as [string, unknown[]])[1].map((part) => arn(part, template)).join('');
}

/** One line per statement and resource of the functions whose policy begins with `prefix`: actions, resource, keys. */
function allowed(template: TemplateJson, prefix: string): string[] {
  const lines = statements(template, prefix).flatMap((statement) => {
    const keys = Object.values(statement.Condition ?? {}).flatMap((condition) => Object.values(condition).flat());
    const actions = actionsOf(statement).map((action) => action.replace(/^dynamodb:/, ''));
    return resourcesIn(statement).map((each) => {
      // Without account, region and the hash of a logical id.
      const resource = arn(each, template)
        .replace(/^arn:.*:(table|event-bus)\//, '')
        .replace(/[0-9A-F]{8}>$/, '>');
      return [actions.sort().join(' '), 'on', resource, ...keys].join(' ');
    });
  });
  return lines.sort();
}

describe('permissions', () => {
  it('name every action: no action holds a wildcard', () => {
    expect(everyStatement.flatMap(actionsOf).filter((action) => action.includes('*'))).toEqual([]);
    expect(everyStatement.length).toBeGreaterThan(20);
  });

  it('name every resource: wildcards stand only where AWS offers nothing narrower', () => {
    const wild = Object.values(templates).flatMap((template) =>
      statements(template).flatMap((statement) =>
        resourcesIn(statement)
          .map((each) => arn(each, template))
          .filter((each) => each.includes('*'))
          .map((each) => `${actionsOf(statement).sort().join(' ')} on ${each.replace(/^.*:/, '')}`),
      ),
    );
    expect([...new Set(wild)].sort()).toEqual([
      'cloudwatch:GetMetricData events:ListRuleNamesByTarget lambda:ListEventSourceMappings xray:PutTelemetryRecords xray:PutTraceSegments on *',
      'cloudwatch:GetMetricData xray:PutTelemetryRecords xray:PutTraceSegments on *',
      'dynamodb:BatchWriteItem dynamodb:DeleteItem dynamodb:DeleteTable dynamodb:DescribeTable dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:Scan dynamodb:UpdateItem on table/<events-table-name>-restore-*',
      'dynamodb:DescribeExport on table/<events-table-name>/export/*',
      'dynamodb:ListStreams on table/<events-table-name>/stream/*',
      'events:DescribeRule events:EnableRule on rule/<event-bus-name>/*',
      'events:DescribeRule events:ListTargetsByRule on rule/<event-bus-name>/*',
      'logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery xray:GetSamplingRules xray:GetSamplingTargets xray:PutTelemetryRecords xray:PutTraceSegments on *',
      's3:AbortMultipartUpload s3:PutObject s3:PutObjectAcl on <archive-bucket-name>/archive/*',
      's3:GetObject on <archive-bucket-name>/archive/*',
      's3:GetObject on <archive-bucket-name>/quarantine/*',
      's3:GetObject on <archive-bucket-name>/restore/*',
      's3:GetObject on <relay-failures-bucket-name>/*',
      's3:GetObject s3:PutObject on <archive-bucket-name>/verifications/*',
      's3:PutObject on <archive-bucket-name>/quarantine/*',
      's3:PutObject on <archive-bucket-name>/recoveries/*',
      's3:PutObject on <archive-bucket-name>/restore/*',
      's3:PutObject on <relay-failures-bucket-name>/*',
      'sqs:GetQueueAttributes sqs:SendMessage on *',
      // Of one state machine: its name stands before the last colon.
      'states:DescribeExecution on *',
      'states:DescribeExecution states:RedriveExecution states:StopExecution on <RecoveryStateMachine29EAE564>*',
      'xray:PutTelemetryRecords xray:PutTraceSegments on *',
    ]);
  });

  it('let nobody but the restore change or delete what is in the Events table, and only producers could write', () => {
    const onEvents = (template: TemplateJson, prefix?: string) =>
      statements(template, prefix)
        .filter((statement) => resourcesIn(statement).some((each) => /events-table-name>$/.test(arn(each, template))))
        .flatMap(actionsOf);
    const changing = Object.values(templates).flatMap((template) =>
      onEvents(template).filter((action) => /Put|Update|Delete|Write|PartiQL/.test(action)),
    );
    expect(changing.sort()).toEqual(['dynamodb:DeleteItem', 'dynamodb:PutItem']);
    expect(onEvents(templates.recovery, 'RestoreRestoreCommits')).toEqual(expect.arrayContaining(changing));
  });

  it('give the restore side tables of its own prefix, its rows, and its places in the archive bucket', () => {
    expect(allowed(templates.recovery, 'RestoreRestoreCommits')).toEqual([
      'BatchGetItem GetItem Query on <log-table-name>',
      'BatchWriteItem DeleteItem DeleteTable DescribeTable GetItem PutItem Query Scan UpdateItem on <events-table-name>-restore-*',
      'DeleteItem GetItem PutItem Query on <events-table-name>',
      'DeleteItem GetItem PutItem on <recovery-table-name> restore-forks',
      'DeleteItem PutItem Query on <recovery-table-name> restore-open',
      'DescribeContinuousBackups RestoreTableToPointInTime on <events-table-name>',
      'GetItem PutItem on <recovery-table-name> restore',
      'GetItem UpdateItem on <recovery-table-name> lease',
      'GetItem on <checkpoints-table-name>',
      'PutItem Query UpdateItem on <recovery-table-name> restore#*',
      'PutItem UpdateItem on <log-table-name> incident',
      'PutItem on <log-table-name> stream#*',
      'PutItem on <recovery-table-name> audit#*',
      'Query on <checkpoints-table-name> registry',
      'Query on <recovery-table-name> archive#exports',
      'Query on <recovery-table-name> finding',
      'events:PutEvents on <event-bus-name>',
      'logs:CreateLogStream logs:PutLogEvents on <RestoreRestoreCommitsLogGroup>',
      's3:GetObject on arn:<AWS::Partition>:s3:::<archive-bucket-name>/archive/*',
      's3:GetObject on arn:<AWS::Partition>:s3:::<archive-bucket-name>/quarantine/*',
      's3:GetObject on arn:<AWS::Partition>:s3:::<archive-bucket-name>/restore/*',
      's3:ListBucket on arn:<AWS::Partition>:s3:::<archive-bucket-name>',
      's3:PutObject on arn:<AWS::Partition>:s3:::<archive-bucket-name>/quarantine/*',
      's3:PutObject on arn:<AWS::Partition>:s3:::<archive-bucket-name>/restore/*',
      'sqs:GetQueueAttributes sqs:GetQueueUrl sqs:SendMessage on <RestoreDeadLetterQueue>',
      'xray:PutTelemetryRecords xray:PutTraceSegments on *',
    ]);
  });

  it('give the archive the exports of one table, and nothing of what is in it', () => {
    expect(allowed(templates.recovery, 'ArchiveArchiveEvents')).toEqual([
      'DescribeContinuousBackups ExportTableToPointInTime on <events-table-name>',
      'DescribeExport on <events-table-name>/export/*',
      'GetItem PutItem on <recovery-table-name> archive',
      'PutItem on <recovery-table-name> archive#exports',
      'PutItem on <recovery-table-name> audit#*',
      'logs:CreateLogStream logs:PutLogEvents on <ArchiveArchiveEventsLogGroup>',
      's3:AbortMultipartUpload s3:PutObject s3:PutObjectAcl on arn:<AWS::Partition>:s3:::<archive-bucket-name>/archive/*',
      'sqs:GetQueueAttributes sqs:GetQueueUrl sqs:SendMessage on <ArchiveDeadLetterQueue>',
      'xray:PutTelemetryRecords xray:PutTraceSegments on *',
    ]);
  });

  it('give a consumer the store for reading and only its own items for writing', () => {
    expect(allowed(templates.example, 'InventoryConsumer')).toEqual([
      'BatchGetItem GetItem Query on <log-table-name>',
      'DeleteItem UpdateItem on <idempotency-table-name> inventory#*',
      'GetItem Query Scan on <InventoryTable>',
      'GetItem Query on <events-table-name>',
      'GetItem UpdateItem on <checkpoints-table-name> inventory#*',
      'GetItem UpdateItem on <dead-letters-table-name> inventory#*',
      'GetItem on <checkpoints-table-name> registry',
      'PutItem UpdateItem on <InventoryTable>',
      'PutItem UpdateItem on <log-table-name> incident',
      'logs:CreateLogStream logs:PutLogEvents on <InventoryConsumerLogGroup>',
      'sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage on <InventoryQueue>',
      'xray:PutTelemetryRecords xray:PutTraceSegments on *',
    ]);
  });

  it('give the relay the log, the bus and its failures, and the store for reading', () => {
    expect(allowed(templates.flow, 'EventBusRelayRelayCommits')).toEqual([
      'BatchGetItem GetItem PutItem Query UpdateItem on <log-table-name>',
      'DeleteItem on <log-table-name> stream#*',
      'DescribeStream GetRecords GetShardIterator on <events-table-stream-arn>',
      'GetItem Query on <events-table-name>',
      'ListStreams on <events-table-name>/stream/*',
      'events:PutEvents on <EventBus>',
      'logs:CreateLogStream logs:PutLogEvents on <EventBusRelayRelayCommitsLogGroup>',
      's3:ListBucket on arn:<AWS::Partition>:s3:::<relay-failures-bucket-name>',
      's3:PutObject on arn:<AWS::Partition>:s3:::<relay-failures-bucket-name>/*',
      'sqs:GetQueueAttributes sqs:GetQueueUrl sqs:SendMessage on <EventBusRelayBackfillDeadLetterQueue>',
      'xray:PutTelemetryRecords xray:PutTraceSegments on *',
    ]);
  });

  it('give the gap scan its own rows, checkpoints for reading, and the queues of its own deployment', () => {
    expect(allowed(templates.recovery, 'GapScan')).toEqual([
      'BatchGetItem Query on <log-table-name>',
      'BatchGetItem on <checkpoints-table-name>',
      'DeleteItem Query UpdateItem on <recovery-table-name> gap#*',
      'GetItem Query on <checkpoints-table-name> registry',
      'GetItem UpdateItem on <recovery-table-name> lease',
      'GetItem UpdateItem on <recovery-table-name> scan#*',
      'PutItem Query on <recovery-table-name> scan',
      'PutItem UpdateItem on <recovery-table-name> plan',
      'PutItem on <recovery-table-name> plan#*',
      'Query on <events-table-name>',
      'cloudwatch:GetMetricData xray:PutTelemetryRecords xray:PutTraceSegments on *',
      'events:PutEvents on <event-bus-name>',
      'lambda:GetEventSourceMapping on <relay-mapping-arn>',
      'logs:CreateLogStream logs:PutLogEvents on <GapScanScanGapsLogGroup>',
      'sqs:GetQueueAttributes sqs:GetQueueUrl sqs:SendMessage on <GapScanDeadLetterQueue>',
      // The value is the tag that the queue must carry.
      'sqs:GetQueueAttributes sqs:SendMessage on arn:<AWS::Partition>:sqs:<AWS::Region>:<AWS::AccountId>:* /event-recovery',
    ]);
  });

  it('give the redrive what un-parks, records, audits and wakes up', () => {
    expect(allowed(templates.recovery, 'RedriveRedriveDeadLetters')).toEqual([
      'BatchGetItem Query on <log-table-name>',
      'DeleteItem PutItem Query on <recovery-table-name> redrive-open',
      'GetItem PutItem UpdateItem on <recovery-table-name> plan',
      'GetItem PutItem UpdateItem on <recovery-table-name> redrive',
      'GetItem PutItem on <recovery-table-name> plan#*',
      'GetItem UpdateItem on <checkpoints-table-name>',
      'GetItem UpdateItem on <dead-letters-table-name>',
      'GetItem UpdateItem on <recovery-table-name> gap#*',
      'GetItem UpdateItem on <recovery-table-name> lease',
      'GetItem on <checkpoints-table-name> registry',
      'PutItem on <recovery-table-name> audit#*',
      'Query on <dead-letters-table-name>/index/byConsumer',
      'Query on <dead-letters-table-name>/index/byEvent',
      'Query on <dead-letters-table-name>/index/byFingerprint',
      'Query on <dead-letters-table-name>/index/byStatus',
      'Query on <dead-letters-table-name>/index/byType',
      'Query on <dead-letters-table-name>/index/byUntold',
      'Query on <events-table-name>',
      'logs:CreateLogStream logs:PutLogEvents on <RedriveRedriveDeadLettersLogGroup>',
      'sqs:GetQueueAttributes sqs:GetQueueUrl sqs:SendMessage on <RedriveDeadLetterQueue>',
      'sqs:GetQueueAttributes sqs:SendMessage on arn:<AWS::Partition>:sqs:<AWS::Region>:<AWS::AccountId>:* /event-recovery',
      'xray:PutTelemetryRecords xray:PutTraceSegments on *',
    ]);
  });

  it('give the scrub everything to read, and its own rows and incidents to write', () => {
    expect(allowed(templates.recovery, 'Scrub')).toEqual([
      'BatchGetItem Query Scan on <events-table-name>',
      'BatchGetItem Query Scan on <log-table-name>',
      'GetItem PutItem on <recovery-table-name> scrub',
      'GetItem UpdateItem on <recovery-table-name> lease',
      'PutItem Query UpdateItem on <recovery-table-name> finding',
      'PutItem on <recovery-table-name> audit#*',
      'UpdateItem on <log-table-name> incident',
      'cloudwatch:GetMetricData xray:PutTelemetryRecords xray:PutTraceSegments on *',
      'events:PutEvents on <event-bus-name>',
      'lambda:GetEventSourceMapping on <relay-mapping-arn>',
      'logs:CreateLogStream logs:PutLogEvents on <ScrubScrubEventsLogGroup>',
      'sqs:GetQueueAttributes sqs:GetQueueUrl sqs:SendMessage on <ScrubDeadLetterQueue>',
    ]);
  });

  it('give the registration its registry and the head of the log', () => {
    expect(allowed(templates.flow, 'EventBusConsumerRegistry')).toEqual([
      'GetItem PutItem on <checkpoints-table-name> registry',
      'Query on <log-table-name>',
      'logs:CreateLogStream logs:PutLogEvents on <EventBusConsumerRegistryRegisterConsumerLogGroup>',
      'xray:PutTelemetryRecords xray:PutTraceSegments on *',
    ]);
  });

  it('come from no managed policy, which would grant more than is listed here', () => {
    const managed = Object.values(templates).flatMap((template) =>
      Object.values(template.Resources).filter(
        ({ Type, Properties }) => Type === 'AWS::IAM::Role' && Properties.ManagedPolicyArns !== undefined,
      ),
    );
    expect(managed).toEqual([]);
  });
});
