// The app as it is deployed: which stacks, how they share, what they name, and that cdk-nag has nothing to say.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { createApp } from '../../lib/infra/create-app.ts';
import { createCheckedApp } from '../../lib/infra/create-checked-app.ts';
import { creationOrder } from '../../lib/local/template/order.ts';
import { NOT_BUNDLED, outdir, resourcesOf, synthApp } from './synth.ts';

const root = join(import.meta.dirname, '../..');
const { templates, app } = synthApp();
const all = Object.values(templates);

describe('the app', () => {
  it('shares SSM parameters between stacks and no CloudFormation export', () => {
    expect(all.flatMap(({ Outputs = {} }) => Object.values(Outputs)).filter(({ Export }) => Export)).toEqual([]);
    expect(JSON.stringify(all)).not.toContain('Fn::ImportValue');
    expect(JSON.stringify(all)).not.toContain('Fn::GetStackOutput');
  });

  it('reads only parameters that another of its stacks writes', () => {
    const written = all.flatMap((template) =>
      resourcesOf(template, 'AWS::SSM::Parameter').map(([, { Properties }]) => Properties.Name as string),
    );
    const read = all.flatMap(({ Parameters = {} }) =>
      Object.values(Parameters).map(({ Default }) => Default as string),
    );
    const missing = read.filter((name) => !written.includes(name) && !name.startsWith('/cdk-bootstrap/'));
    expect(missing).toEqual([]);
    expect(written.every((name) => name.startsWith('/event-recovery/'))).toBe(true);
  });

  it('gives nothing but parameters a physical name, except the bus, which has no other', () => {
    const nameProperties = /^(TableName|BucketName|QueueName|TopicName|FunctionName|RoleName|AlarmName|LogGroupName)$/;
    const named = all.flatMap(({ Resources }) =>
      Object.entries(Resources)
        .filter(
          ([, { Type }]) =>
            ![
              'AWS::Lambda::EventSourceMapping',
              'AWS::Lambda::Permission',
              'Custom::EventConsumer',
              'AWS::Lambda::EventInvokeConfig',
            ].includes(Type),
        )
        .flatMap(([id, { Properties }]) =>
          Object.keys(Properties ?? {})
            .filter((key) => nameProperties.test(key))
            .map((key) => `${id}.${key}`),
        ),
    );
    expect(named).toEqual([]);
  });

  it('has the outputs that tools outside the project rely on', () => {
    expect(Object.keys(templates.data.Outputs ?? {}).sort()).toEqual([
      'ArchiveBucketName',
      'CheckpointsTableName',
      'DeadLettersTableName',
      'EventsTableName',
      'IdempotencyTableName',
      'LogTableName',
      'RecoveryTableName',
      'RelayFailuresBucketName',
      'SnapshotsTableName',
    ]);
    expect(Object.keys(templates.flow.Outputs ?? {})).toEqual(
      expect.arrayContaining(['EventBusName', 'AlertsTopicArn', 'RelayCommitsFunctionName', 'RepairRelayFunctionName']),
    );
    expect(Object.keys(templates.example.Outputs ?? {}).sort()).toEqual([
      'ConfirmationsTopicArn',
      'InventoryDeadLetterQueueUrl',
      'InventoryFunctionName',
      'InventoryQueueUrl',
      'InventoryTableName',
      'NotificationDeadLetterQueueUrl',
      'NotificationFunctionName',
      'NotificationQueueUrl',
    ]);
  });

  it('uses the resource types that lib/infra/README.md promises to interpreters, and lists no other', () => {
    const used = new Set(all.flatMap(({ Resources }) => Object.values(Resources).map(({ Type }) => Type)));
    const section = readFileSync(join(root, 'lib/infra/README.md'), 'utf8').split('## Resource types')[1] ?? '';
    const listed = new Set(
      [...(section.split('\nIntrinsics:')[0] ?? '').matchAll(/`((?:AWS|Custom)::[A-Za-z0-9:]+)`/g)].map(
        ([, type]) => type as string,
      ),
    );
    listed.delete('AWS::SSM::Parameter::Value');
    expect([...used].sort()).toEqual([...listed].sort());
    const intrinsics = new Set(
      JSON.stringify(all.map(({ Resources, Outputs }) => [Resources, Outputs])).match(/"(Ref|Fn::\w+)":/g),
    );
    expect([...intrinsics].sort()).toEqual(['"Fn::GetAtt":', '"Fn::Join":', '"Ref":']);
  });

  it('can be removed without losing data: every table and bucket of every stack stays', () => {
    const kept = all.flatMap((template) => [
      ...resourcesOf(template, 'AWS::DynamoDB::Table'),
      ...resourcesOf(template, 'AWS::S3::Bucket'),
    ]);
    expect(kept).toHaveLength(10);
    expect(kept.filter(([, { DeletionPolicy }]) => DeletionPolicy !== 'Retain')).toEqual([]);
  });

  it('has no circle of resources, which only a real synth or CloudFormation would refuse', () => {
    for (const { Resources } of all) {
      const order = creationOrder(Resources);
      expect(order.toSorted()).toEqual(Object.keys(Resources).sort());
    }
  });

  it('deploys the Data stack first, then Flow, then what repairs and what consumes', () => {
    const order = app.node.children
      .filter((child) => child instanceof Stack)
      .map((stack) => stack.dependencies.map(({ stackName }) => stackName));
    expect(order).toEqual([
      [],
      ['EventRecoveryData'],
      ['EventRecoveryFlow'],
      ['EventRecoveryFlow', 'EventRecoveryRecovery'],
    ]);
  });

  it('can be deployed twice into one account under another name', () => {
    const staging = synthApp({ context: { deployment: 'staging-2' } });
    expect(staging.stackName('Data')).toBe('Staging2Data');
    const names = resourcesOf(staging.templates.data, 'AWS::SSM::Parameter').map(
      ([, { Properties }]) => Properties.Name,
    );
    expect(names).toContain('/staging-2/events-table-name');
    expect(() => createApp({ deployment: 'Staging!' })).toThrow(/deployment: got "Staging!"; allowed:/);
  });

  it('is checked by cdk-nag: a finding without an acknowledgement stops the synth', () => {
    const { app: checked, flow } = createCheckedApp({
      builtinCloudFormationValidation: false,
      context: NOT_BUNDLED,
      outdir: outdir(),
    });
    new Bucket(flow, 'Careless');
    expect(() => checked.synth()).toThrow(/AwsSolutions-S10|Validation failed/);
  });
});
