// A recovery that failed because a function could not do its work is redriven from the step that failed: it goes on with what was
// done before. The interpreter knows no redrive; the same state machine is begun at the state that failed, with its input.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { synthesizedDefinition } from '../../support/recovery-definition.ts';
import { createRecovery, type Recovery } from './support.ts';

const MINUTE = 60_000;
const FILL = { actions: ['fill-gaps'], requestedBy: 'anna', reason: 'test' };
let recovery: Recovery;

beforeEach(async () => {
  recovery = await createRecovery();
  const { system } = recovery;
  await system.append('order-1', ['Placed', 'Placed', 'Placed']);
  await system.settle((entry) => entry.detail.streamId === 'order-1' && entry.detail.version >= 2);
  system.clock.advance(2 * MINUTE);
});

const endOf = (execution: Promise<unknown>): Promise<unknown> =>
  execution.then(
    () => 'succeeded',
    (error: { name?: string; cause?: { name?: string } }) => error.cause?.name ?? error.name,
  );
const broken = async () => {
  throw new Error('the function is gone');
};
const lease = (owner: string) =>
  recovery.deps.leases.acquire('recovery#billing', owner, recovery.system.clock.now(), 60 * MINUTE);

describe('a failed execution', () => {
  it('fails at ReportStatus, the state that a redrive begins at, and nobody catches it', () => {
    const { States } = synthesizedDefinition();
    expect(States.ReportStatus).toMatchObject({
      Catch: [{ ErrorEquals: ['InvalidInputError'], Next: 'UnexpectedAnswer' }],
    });
    expect(States.ReportStatus?.Retry?.[0]).toMatchObject({
      ErrorEquals: ['RepairFailed', 'VerificationFailed', 'AlreadyRecovering', 'InvalidInputError'],
      MaxAttempts: 0,
    });
  });

  it('reports the repair that could not be carried out; redriven, it repairs, proves and reports both', async () => {
    const { FillBatch } = recovery.handlers;
    recovery.handlers.FillBatch = broken;
    expect(await endOf(recovery.run(FILL))).toBe('RepairFailed');
    expect(recovery.report()).toMatchObject({ result: 'failed' });
    // Its leases are free meanwhile.
    const other = await lease('another');
    if (other.kind === 'acquired') await recovery.deps.leases.release(other);
    recovery.handlers.FillBatch = FillBatch;
    recovery.system.clock.advance(24 * 60 * MINUTE);
    expect(await endOf(recovery.redrive())).toBe('succeeded');
    expect(recovery.bench.effectsDone).toEqual(['order-1@1', 'order-1@2', 'order-1@3']);
    const { result, steps, after } = recovery.report();
    expect({ result, ok: after?.ok }).toEqual({ result: 'recovered', ok: true });
    expect(steps.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
      'Diagnose done',
      'FillGaps failed',
      'WaitForProgress waiting',
      'FillGaps done',
      'VerifyConsistency done',
    ]);
    expect(await lease('the next one')).toMatchObject({ kind: 'acquired' });
  });

  it('whose verification could not be carried out proves it when it is redriven', async () => {
    const { SplitVerification } = recovery.handlers;
    recovery.handlers.SplitVerification = broken;
    expect(await endOf(recovery.run(FILL))).toBe('VerificationFailed');
    recovery.handlers.SplitVerification = SplitVerification;
    expect(await endOf(recovery.redrive())).toBe('succeeded');
    expect(recovery.report()).toMatchObject({ result: 'recovered', after: { ok: true } });
  });

  it('whose diagnosis could not be carried out diagnoses when it is redriven', async () => {
    const { CollectEvidence } = recovery.handlers;
    recovery.handlers.CollectEvidence = broken;
    expect(await endOf(recovery.run(FILL))).toBe('RepairFailed');
    recovery.handlers.CollectEvidence = CollectEvidence;
    expect(await endOf(recovery.redrive())).toBe('succeeded');
    expect(recovery.report()).toMatchObject({ result: 'recovered', findings: [{ cause: 'delivery-lost' }] });
  });

  it('that could not store its report stores it when it is redriven, and repairs nothing again', async () => {
    const { store } = recovery.outlets;
    recovery.outlets.store = broken;
    expect(await endOf(recovery.run(FILL))).toBe('ReportFailed');
    recovery.outlets.store = store;
    expect(await endOf(recovery.redrive())).toBe('succeeded');
    expect(recovery.states).toEqual(['ReportStatus']);
    expect(recovery.report()).toMatchObject({ result: 'recovered' });
  });

  it('fails again when the cause is still there, and can be redriven again', async () => {
    const { FillBatch } = recovery.handlers;
    recovery.handlers.FillBatch = broken;
    expect(await endOf(recovery.run(FILL))).toBe('RepairFailed');
    expect(await endOf(recovery.redrive())).toBe('RepairFailed');
    recovery.handlers.FillBatch = FillBatch;
    expect(await endOf(recovery.redrive('recovery-1', 2))).toBe('succeeded');
    expect(recovery.report()).toMatchObject({ result: 'recovered' });
  });

  it('is not redriven into another recovery of its consumer', async () => {
    recovery.handlers.FillBatch = broken;
    expect(await endOf(recovery.run(FILL))).toBe('RepairFailed');
    await lease('another');
    expect(await endOf(recovery.redrive())).toBe('AlreadyRecovering');
    expect(recovery.bench.effectsDone).toEqual(['order-1@1']);
  });
});
