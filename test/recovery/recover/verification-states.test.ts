// The verifications of a recovery whose store is too large for one function: batches in a map, added up, and reported as one
// verdict; what cannot be carried out ends as a verification that failed, never as a pass.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { synthesizedDefinition } from '../../support/recovery-definition.ts';
import { createRecovery, type Recovery } from './support.ts';

const VERIFY = { actions: ['verify'], requestedBy: 'anna', reason: 'test' };
let recovery: Recovery;

beforeEach(async () => {
  recovery = await createRecovery({ batchStreams: 2 });
  for (const streamId of ['order-1', 'order-2', 'order-3'])
    await recovery.system.append(streamId, ['Placed', 'Placed']);
  await recovery.system.settle();
  recovery.system.clock.advance(120_000);
});

const end = (): Promise<unknown> =>
  recovery.run(VERIFY).then(
    () => 'Finished',
    (error: { cause?: { name?: string } }) => error.cause?.name,
  );

describe('the verifications of a recovery', () => {
  it('are Distributed Maps of Standard workflows whose results are not collected', () => {
    const text = JSON.stringify(synthesizedDefinition());
    expect(text.match(/"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"/g)).toHaveLength(3);
    const { VerifyConsistency } = synthesizedDefinition().States;
    expect(VerifyConsistency?.Branches?.[0]?.States).toMatchObject({
      VerifyBatches: { Type: 'Map', ItemsPath: '$.verdict.batches', ResultPath: null, MaxConcurrency: 2 },
    });
  });

  it('go through all batches, before and after, and end as one verdict', async () => {
    expect(await end()).toBe('Finished');
    expect(recovery.states).toEqual([
      'Validate',
      'LookForGaps',
      'SplitVerificationBefore',
      'VerifyBatchBefore',
      'VerifyBatchBefore',
      'AddUpVerificationBefore',
      'CollectEvidence',
      'SplitVerification',
      'VerifyBatch',
      'VerifyBatch',
      'AddUpVerification',
      'ReportStatus',
    ]);
    const { before, after } = recovery.report();
    for (const verdict of [before, after]) {
      expect(verdict).toMatchObject({
        ok: true,
        streams: 3,
        events: 6,
        consumers: [{ conservation: { resolved: 6 } }],
      });
    }
  });

  it('find in any batch what is wrong', async () => {
    const Key = { streamId: 'order-3', version: 1 };
    await recovery.system.dynamo.delete({ TableName: 'Events', Key });
    expect(await end()).toBe('NotComplete');
    const { before, after } = recovery.report();
    expect([before?.ok, after?.ok]).toEqual([false, false]);
    expect(after?.violations[0]).toMatchObject({ kind: 'store-hole', streamId: 'order-3' });
  });

  it('have failed when a batch could not be verified', async () => {
    recovery.handlers.VerifyBatch = async () => {
      throw new Error('out of memory');
    };
    expect(await end()).toBe('VerificationFailed');
    expect(recovery.report()).toMatchObject({ result: 'failed', before: { ok: true } });
    expect(recovery.report().after).toBeUndefined();
  });

  it('have failed when a batch answered and left no sums', async () => {
    recovery.handlers.VerifyBatch = async () => ({ error: { code: 'X', message: 'x', retryable: false, facts: {} } });
    expect(await end()).toBe('VerificationFailed');
    const { steps, after } = recovery.report();
    expect(after).toBeUndefined();
    expect(steps.at(-1)).toMatchObject({
      name: 'VerifyConsistency',
      outcome: 'failed',
      summary: expect.stringMatching(/^VERIFICATION_INCOMPLETE: batch 0 of verification/),
    });
  });

  it('that fail before the repair are told of, and the other evidence has to do', async () => {
    recovery.handlers.VerifyBatchBefore = async () => {
      throw new Error('out of memory');
    };
    expect(await end()).toBe('Finished');
    const { steps, before, after } = recovery.report();
    expect(steps[1]).toMatchObject({ name: 'VerifyBefore', outcome: 'failed' });
    expect([before, after?.ok]).toEqual([undefined, true]);
  });
});
