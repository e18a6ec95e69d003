// The recovery's state machine as a construct, with cdk-nag as in the real app.

import { describe, expect, it } from '@jest/globals';
import { Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { EventBus } from '../../lib/infra/constructs/event-bus.ts';
import { EventStore } from '../../lib/infra/constructs/event-store.ts';
import { GapScan } from '../../lib/infra/constructs/recovery/gap-scan.ts';
import { RecoveryMachine } from '../../lib/infra/constructs/recovery/recovery-machine.ts';
import { RedriveDeadLetters } from '../../lib/infra/constructs/recovery/redrive-dead-letters.ts';
import { ReplayEvents } from '../../lib/infra/constructs/recovery/replay-events.ts';
import { Restore } from '../../lib/infra/constructs/recovery/restore.ts';
import { VerifyConsistency } from '../../lib/infra/constructs/recovery/verify-consistency.ts';
import { actionsOf, resource, statements, type TemplateJson, testApp } from './synth.ts';

function synth(): TemplateJson {
  const app = testApp();
  const stack = new Stack(app, 'Test');
  const eventStore = EventStore.fromDeployment(stack, 'EventStore', { parameterPrefix: '/test' });
  const eventBus = EventBus.fromDeployment(stack, 'EventBus', { parameterPrefix: '/test' });
  const { alertsTopic } = eventBus;
  new RecoveryMachine(stack, 'Recovery', {
    eventStore,
    eventBus,
    scanGaps: new GapScan(stack, 'GapScan', { eventStore, eventBus }).function,
    redriveDeadLetters: new RedriveDeadLetters(stack, 'Redrive', { eventStore, alertsTopic }).function,
    replayEvents: new ReplayEvents(stack, 'Replay', { eventStore, alertsTopic }).function,
    restoreCommits: new Restore(stack, 'Restore', { eventStore, eventBus }).function,
    verifyConsistency: new VerifyConsistency(stack, 'Verification', { eventStore }).function,
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app.synth().getStackByName('Test').template as TemplateJson;
}

describe('the recovery machine', () => {
  const template = synth();

  it('is a Standard workflow, logged without data, traced, and ends before its leases do', () => {
    const { Properties } = resource(template, 'AWS::StepFunctions::StateMachine');
    expect(Properties).toMatchObject({
      StateMachineType: 'STANDARD',
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false },
      TracingConfiguration: { Enabled: true },
    });
    expect(JSON.stringify(Properties.DefinitionString)).toContain('\\"TimeoutSeconds\\":50400');
  });

  it('may enable rules of its own bus, and nothing else about them', () => {
    const granted = statements(template, 'RecoveryEnableRule').filter((one) =>
      actionsOf(one).includes('events:EnableRule'),
    );
    expect(granted.map(actionsOf)).toEqual([['events:DescribeRule', 'events:EnableRule']]);
    expect(JSON.stringify(granted)).toMatch(/:rule\/.*\/\*/);
  });

  it('lets the verification read tables and open gaps, write none, and keep files below one prefix', () => {
    const granted = statements(template, 'VerificationVerifyConsistency');
    const actions = granted.flatMap(actionsOf);
    expect(actions.filter((action) => /^dynamodb:(Put|Update|Delete|BatchWrite|Transact)/.test(action))).toEqual([]);
    const objects = granted.filter((one) => actionsOf(one).some((action) => /^s3:.*Object/.test(action)));
    expect(objects.map(actionsOf)).toEqual([['s3:GetObject', 's3:PutObject']]);
    expect(JSON.stringify(objects)).toContain('/verifications/*');
    const gaps = granted.filter(({ Condition }) => Condition !== undefined);
    expect(gaps.map((one) => [actionsOf(one), JSON.stringify(one.Condition)])).toEqual([
      [['dynamodb:Query'], expect.stringContaining('gap#*')],
    ]);
  });

  it.each([0, 2.5, 10_001, Number.NaN])('refuses batches of %s streams', (batchStreams) => {
    const stack = new Stack(testApp(), 'Test');
    const eventStore = EventStore.fromDeployment(stack, 'EventStore', { parameterPrefix: '/test' });
    expect(() => new VerifyConsistency(stack, 'Verification', { eventStore, batchStreams })).toThrow(
      expect.objectContaining({ code: 'INVALID_BATCH_STREAMS' }),
    );
  });

  it('lets its own functions write leases, reports and announcements, and no events or checkpoints', () => {
    const written = ['RecoveryDiagnose', 'RecoveryReportStatus'].flatMap((prefix) =>
      statements(template, prefix).flatMap(actionsOf),
    );
    expect(written).toContain('s3:PutObject');
    expect(written.filter((action) => /dynamodb:(Put|Delete|Batch|Transact)/.test(action))).toEqual([]);
  });
});
