// The recovery as it is deployed: the state machine of the template with its real functions, over an order that two
// consumers were never told of.

import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { placeOrder } from '../../examples/order-fulfilment/place-order.ts';
import { type LocalSystem, startLocalSystem } from '../../lib/local/index.ts';
import { waitUntil } from '../../lib/recovery/drill/wait-until.ts';

const WHO = { requestedBy: 'anna', reason: 'test' };
let system: LocalSystem;
let s3: S3Client;

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
    expect(report.steps.map(({ name }) => name)).toEqual(['Diagnose', 'FillGaps', 'VerifyConsistency']);
    const bucket = { Bucket: system.outputs.ArchiveBucketName };
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ ...bucket, Prefix: `recoveries/${id}/` }));
    expect(Contents.map(({ Key = '' }) => Key.replace(/.*\./, '')).sort()).toEqual(['html', 'json', 'md']);
    const page = await s3.send(new GetObjectCommand({ ...bucket, Key: key }));
    expect(await page.Body?.transformToString()).toContain('Recovered and proved complete');
  }, 300_000);

  it('tells by name why there is no report', async () => {
    const refused = system.recover({ actions: ['explode'] });
    await expect(refused).rejects.toMatchObject({ code: 'RECOVERY_FAILED', facts: { error: 'InputRefused' } });
  }, 60_000);
});
