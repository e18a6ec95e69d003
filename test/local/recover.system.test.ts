// The recovery as it is deployed: the state machine of the template with its real functions, over an order that two
// consumers were never told of.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  ListRuleNamesByTargetCommand,
  PutEventsCommand,
} from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { DeleteCommand, DynamoDBDocumentClient, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { placeOrder } from '../../examples/order-fulfilment/place-order.ts';
import { type LocalSystem, startLocalSystem } from '../../lib/local/index.ts';
import { approving } from '../../lib/recovery/drill/approve.ts';
import { waitUntil } from '../../lib/recovery/drill/wait-until.ts';

const WHO = { requestedBy: 'anna', reason: 'test' };
let system: LocalSystem;
let s3: S3Client;

/** Names of the recoveries that a sign has started. */
async function executions(): Promise<string[]> {
  const sfn = new SFNClient(system.clientConfig);
  const { executions: all = [] } = await sfn.send(
    new ListExecutionsCommand({ stateMachineArn: system.outputs.RecoveryStateMachineArn }),
  );
  return all.map(({ name = '' }) => name).filter((name) => !name.startsWith('manual-'));
}
const queueArn = (url = ''): string => `arn:aws:sqs:us-east-1:000000000000:${url.split('/').pop()}`;

beforeAll(async () => {
  // No schedule finds or repairs anything: what happens here, the recovery did.
  system = await startLocalSystem({ schedules: false });
  s3 = new S3Client({ ...system.clientConfig, forcePathStyle: true });
}, 180_000);
afterAll(() => system?.stop());

describe('recover()', () => {
  it('says that there is nothing to do, changes nothing, and stores the report', async () => {
    const { result, report } = await system.recover({ requestedBy: 'anna', reason: 'first look' });
    expect({ result, findings: report.findings }).toEqual({ result: 'nothing-to-do', findings: [] });
    expect(report.requestedBy).toBe('anna');
  }, 120_000);

  it('finds a lost order, has it delivered, proves it and stores its report in three forms', async () => {
    const lost = system.faults.bus({ kind: 'drop' });
    await placeOrder(system.eventStore, { orderId: 'lost', customerId: 'ada', sku: 'tea', quantity: 2 });
    await lost.whenFired({ count: 2 });
    lost.remove();
    // Nothing else happens here, so that what is five seconds old is not on its way any more.
    const graceSeconds = 5;
    const proposed = await waitUntil(
      'the finding',
      async () => {
        const run = await system.recover({ graceSeconds });
        return run.report.findings.length >= 2 ? run : undefined;
      },
      { timeoutMs: 60_000, pollMs: 2_000 },
    );
    expect(proposed.report.findings.map(({ cause, consumer }) => [cause, consumer])).toEqual([
      ['delivery-lost', 'inventory'],
      ['delivery-lost', 'notification'],
    ]);
    expect(proposed.result).toBe('proposed');

    const { id, key, report } = await system.recover({ actions: ['repair'], graceSeconds, ...WHO });
    expect(report.result).toBe('recovered');
    const books = report.after?.consumers.map(({ consumer, conservation }) => [consumer, conservation.resolved]);
    expect(books).toEqual([
      ['inventory', 1],
      ['notification', 1],
    ]);
    expect(report.after).toMatchObject({ ok: true, events: 1, violationCount: 0 });
    expect(report.after?.consumers.map(({ consumer, effects }) => [consumer, effects.status, effects.events])).toEqual([
      ['inventory', 'verified', 1],
      ['notification', 'not-verified', 0],
    ]);
    expect(report.steps.map(({ name }) => name)).toEqual(['Diagnose', 'FillGaps', 'VerifyConsistency']);
    const bucket = { Bucket: system.outputs.ArchiveBucketName };
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ ...bucket, Prefix: `recoveries/${id}/` }));
    expect(Contents.map(({ Key = '' }) => Key.replace(/.*\./, '')).sort()).toEqual(['html', 'json', 'md']);
    const page = await s3.send(new GetObjectCommand({ ...bucket, Key: key }));
    expect(await page.Body?.transformToString()).toContain('Recovered and proved complete');
  }, 300_000);

  it('asks the inventory about its stock, and is not complete when a movement is gone', async () => {
    const stock = DynamoDBDocumentClient.from(new DynamoDBClient(system.clientConfig));
    const table = { TableName: system.outputs.InventoryTableName };
    const { Items = [] } = await stock.send(new ScanCommand({ ...table, ConsistentRead: true }));
    const movement = Items.find(({ pk }) => pk === 'movement#order-lost');
    await stock.send(new DeleteCommand({ ...table, Key: { pk: movement?.pk, sk: movement?.sk } }));
    const { result, report } = await system.recover({ actions: ['verify'], ...WHO });
    await stock.send(new PutCommand({ ...table, Item: movement }));
    expect(result).toBe('incomplete');
    expect(report.after?.violations).toEqual([
      expect.objectContaining({ kind: 'effect', consumer: 'inventory', streamId: 'order-lost', version: 1 }),
      { kind: 'effect', consumer: 'inventory', detail: '-2 pieces of tea in stock, 0 by its movements' },
    ]);
    expect((await system.recover({ actions: ['verify'], ...WHO })).report.after?.ok).toBe(true);
  }, 120_000);

  it('is started by what a gap scan announces, once, and by an alarm', async () => {
    const lost = system.faults.bus({ kind: 'drop' });
    await placeOrder(system.eventStore, { orderId: 'unseen', customerId: 'ada', sku: 'tea', quantity: 1 });
    await lost.whenFired({ count: 2 });
    lost.remove();
    const started = await waitUntil(
      'two recoveries',
      async () => {
        await system.invoke('ScanGaps', { graceSeconds: 5 });
        const found = (await executions()).filter((name) => /^(inventory|notification)-/.test(name));
        return found.length >= 2 ? found : undefined;
      },
      { timeoutMs: 60_000, pollMs: 3_000 },
    );
    expect(started.map((name) => name.split('-')[0]).sort()).toEqual(['inventory', 'notification']);
    /** Of every execution. */
    const reports = (what: string) =>
      waitUntil(
        what,
        async () => {
          const listed = await s3.send(
            new ListObjectsV2Command({ Bucket: system.outputs.ArchiveBucketName, Prefix: 'recoveries/' }),
          );
          const keys = (listed.Contents ?? []).map(({ Key = '' }) => Key);
          const names = await executions();
          return names.every((name) => keys.includes(`recoveries/${name}/report.json`)) ? names : undefined;
        },
        { timeoutMs: 90_000 },
      );
    // A consumer that is being recovered is not recovered once more: the alarm comes afterwards.
    expect(await reports('two reports')).toHaveLength(2);
    const events = new EventBridgeClient(system.clientConfig);
    const detail = {
      alarmName: 'Queue',
      state: { value: 'ALARM', timestamp: new Date().toISOString() },
      configuration: {
        description: 'Consumer inventory: too old. Runbook: docs/runbooks/README.md#consumer-queue-age',
      },
    };
    const entry = {
      Source: 'aws.cloudwatch',
      DetailType: 'CloudWatch Alarm State Change',
      Detail: JSON.stringify(detail),
    };
    await events.send(new PutEventsCommand({ Entries: [entry] }));
    await waitUntil('the recovery of the alarm', async () => (await executions()).length > started.length || undefined);
    expect(await reports('three reports')).toHaveLength(3);
  }, 180_000);

  it('sees throttled tables and a rule that is switched off, and says so', async () => {
    const throttled = system.faults.failOn({
      functionName: 'inventory',
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      code: 'ThrottlingException',
      times: 12,
    });
    for (let number = 0; number < 4; number++) {
      await placeOrder(system.eventStore, { orderId: `storm-${number}`, customerId: 'ada', sku: 'tea', quantity: 1 });
    }
    await throttled.whenFired({ count: 12, timeoutMs: 60_000 });
    const events = new EventBridgeClient(system.clientConfig);
    const EventBusName = system.outputs.EventBusName;
    const { RuleNames: [Name] = [] } = await events.send(
      new ListRuleNamesByTargetCommand({ EventBusName, TargetArn: queueArn(system.outputs.NotificationQueueUrl) }),
    );
    await events.send(new DisableRuleCommand({ Name, EventBusName }));
    const { report } = await system.recover({});
    await events.send(new EnableRuleCommand({ Name, EventBusName }));
    expect(report.findings).toContainEqual(expect.objectContaining({ cause: 'throttled' }));
    expect(report.findings).toContainEqual(
      expect.objectContaining({ cause: 'broker-down', consumer: 'notification', action: 'enable-rule' }),
    );
  }, 180_000);

  it('asks before a rewind, with the exact commands, and repeats the effects only when somebody has approved', async () => {
    const published: string[] = [];
    const publishes = { functionName: 'notification', service: 'sns', operation: 'Publish' };
    system.faults.observe(publishes, ({ bodyText }) => published.push(bodyText));
    const asked: string[] = [];
    const watch = { functionName: 'AskApproval', service: 'sns', operation: 'Publish' };
    system.faults.observe(watch, ({ bodyText }) => {
      asked.push(new URLSearchParams(bodyText).get('Message') ?? '');
    });
    const rewind = { mode: 'rewind', consumer: 'notification', selection: { streamId: 'order-lost' } };
    let effectsBefore = 0;
    const { onState } = approving(system, () => {
      effectsBefore = published.length;
    });
    const { report } = await system.recover(
      { actions: ['replay'], replay: rewind, graceSeconds: 5, ...WHO },
      { onState },
    );
    expect(report.result).toBe('recovered');
    expect(asked.map((message) => JSON.parse(message).approve)).toEqual([
      expect.stringMatching(new RegExp(`^npx event-recovery approve ${report.id} --question \\S+$`)),
    ]);
    expect(report.steps.map(({ name }) => name)).toEqual(expect.arrayContaining(['Replay', 'AskApproval']));
    expect(effectsBefore).toBe(0);
    expect(published).toHaveLength(1);
  }, 240_000);

  it('tells by name why there is no report', async () => {
    const refused = system.recover({ actions: ['explode'] });
    await expect(refused).rejects.toMatchObject({ code: 'RECOVERY_FAILED', facts: { error: 'InputRefused' } });
  }, 60_000);
});
