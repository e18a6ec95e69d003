// The drill as it is deployed in AWS, with its consumer, its table and its roles, run once in the local system.

import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type LocalSystem, startLocalSystem } from '../../lib/local/index.ts';

let system: LocalSystem;
beforeAll(async () => {
  system = await startLocalSystem({ context: { drill: 'true', verifyBatchStreams: '2' } });
}, 180_000);
afterAll(() => system?.stop());

describe('the deployed drill', () => {
  it('rehearses a failing event, a dying function and lost deliveries, and the recovery proves itself', async () => {
    // Beside it lives a real stream: neither touches the other.
    const data = { orderId: 'o-1', customerId: 'ada', sku: 'tea', quantity: 1 };
    await system.eventStore.append('counter-1', [{ id: 'placed-o-1', type: 'OrderPlaced', data }], 'no-stream');
    const answer = await system.invoke('RunDrill', {});
    expect(answer).toMatchObject({
      kind: 'done',
      outcome: { ok: true, problems: [], appended: 32, lost: 0, doubled: 0, reordered: 0 },
    });
    // Its recovery verified a store of several batches.
    const verified = system.logs('VerifyConsistency').map(({ text }) => text);
    const [split] = verified.filter((text) => text.includes('split into batches')).map((text) => JSON.parse(text));
    expect(split?.batches).toBeGreaterThan(1);
    const ofRun = verified.filter((text) => text.includes(split?.run) && text.includes('verified a batch'));
    expect(ofRun).toHaveLength(split?.batches);
    expect(await system.invoke('RunDrill', { action: 'check' })).toEqual({ kind: 'checked', onTime: true });
    const dynamodb = new DynamoDBClient(system.clientConfig);
    const { Items = [] } = await dynamodb.send(
      new QueryCommand({
        TableName: system.outputs.RecoveryTableName,
        KeyConditionExpression: 'pk = :drill AND begins_with(sk, :run)',
        ExpressionAttributeValues: { ':drill': { S: 'drill' }, ':run': { S: 'run#' } },
      }),
    );
    dynamodb.destroy();
    expect(Items.map((item) => unmarshall(item))).toMatchObject([
      { ok: true, report: expect.stringContaining('.html') },
    ]);
  }, 600_000);

  it('answers an unknown action by its code', async () => {
    expect(await system.invoke('RunDrill', { action: 'destroy' })).toMatchObject({ error: { code: 'INVALID_INPUT' } });
  });
});
