import { beforeEach, describe, expect, it } from '@jest/globals';
import { createRecovery, type Recovery, synthesizedDefinition } from './support.ts';

const MINUTE = 60_000;
const WHO = { requestedBy: 'anna', reason: 'test' };
let recovery: Recovery;

beforeEach(async () => {
  recovery = await createRecovery();
});

/** Three events of which the last two were never delivered. */
async function loseTwo(streamId = 'order-1'): Promise<void> {
  const { system } = recovery;
  await system.append(streamId, ['Placed', 'Placed', 'Placed']);
  await system.settle((entry) => entry.detail.streamId === streamId && entry.detail.version >= 2);
  system.clock.advance(2 * MINUTE);
}

const failure = (input: unknown, name?: string): Promise<unknown> =>
  recovery.run(input, name).then(
    () => 'succeeded',
    (error: { name?: string; cause?: { name?: string } }) => error.cause?.name ?? error.name,
  );

describe('the definition of the recovery', () => {
  const { States, QueryLanguage } = synthesizedDefinition();

  it('is JSONPath with at most 12 states besides ends, each with a comment, tasks retried with jitter', () => {
    expect(QueryLanguage).toBe('JSONPath');
    const working = Object.values(States).filter(({ Type }) => Type !== 'Succeed' && Type !== 'Fail');
    expect(working.length).toBeLessThanOrEqual(12);
    expect(Object.values(States).filter(({ Comment }) => (Comment ?? '').length < 10)).toEqual([]);
    const tasks = working.filter(({ Type }) => Type === 'Task');
    expect(tasks).toHaveLength(7);
    expect(tasks.filter(({ Retry }) => Retry?.[0]?.JitterStrategy !== 'FULL')).toEqual([]);
  });
});

describe('a recovery', () => {
  it('says nothing to do on a system that is well', async () => {
    await recovery.system.append('order-1', ['Placed']);
    await recovery.system.settle();
    recovery.system.clock.advance(2 * MINUTE);
    await recovery.run({});
    expect(recovery.report()).toMatchObject({ result: 'nothing-to-do', findings: [] });
  });

  it('finds a gap and a dead letter without being told, and changes nothing when it only proposes', async () => {
    await recovery.bench.fill({ 'order-2': 2 }, 'order-2@1');
    await loseTwo();
    await recovery.run({});
    expect(recovery.states).toEqual(['LookForGaps', 'Diagnose', 'ReportStatus']);
    const report = recovery.report();
    expect(report.result).toBe('proposed');
    expect(report.findings.map(({ cause }) => cause)).toEqual(['delivery-lost', 'poison-message']);
    expect(report.nextCommands).toHaveLength(2);
    expect(recovery.bench.effectsDone).toEqual(['order-1@1']);
    expect(recovery.system.queued('billing')).toEqual([]);
  });

  it('fills a gap, verifies and reports', async () => {
    await loseTwo();
    await recovery.run({ actions: ['fill-gaps'], ...WHO });
    expect(recovery.bench.effectsDone).toEqual(['order-1@1', 'order-1@2', 'order-1@3']);
    expect(recovery.states).toContain('VerifyConsistency');
    expect(recovery.report()).toMatchObject({
      result: 'recovered',
      requestedBy: 'anna',
      after: { ok: true, violationCount: 0, consumers: [{ conservation: { resolved: 3, gap: 0 } }] },
    });
    expect([...recovery.files.keys()].map((key) => key.replace(/.*\./, ''))).toEqual(['json', 'md', 'html']);
    expect(recovery.announced).toHaveLength(1);
    await recovery.bench.expectProved({ resolved: 3 });
  });

  it('redrives dead letters whose cause was fixed, verifies and reports', async () => {
    await recovery.bench.fill({ 'order-1': 3, 'order-2': 1 }, 'order-1@2', 'order-2@1');
    recovery.bench.poison.clear();
    await recovery.run({ actions: ['redrive'], selection: { consumer: 'billing' }, ...WHO });
    expect([...recovery.bench.effectsDone].sort()).toEqual(['order-1@1', 'order-1@2', 'order-1@3', 'order-2@1']);
    expect(recovery.report()).toMatchObject({ result: 'recovered', after: { ok: true } });
    await recovery.bench.expectProved({ resolved: 4, parked: 0 });
  });

  it('repairs both at once', async () => {
    await recovery.bench.fill({ 'order-2': 2 }, 'order-2@1');
    await loseTwo();
    recovery.bench.poison.clear();
    await recovery.run({ actions: ['fill-gaps', 'redrive'], selection: { consumer: 'billing' }, ...WHO });
    expect(recovery.bench.effectsDone).toHaveLength(5);
    expect(recovery.report()).toMatchObject({ result: 'recovered' });
    await recovery.bench.expectProved({ resolved: 5, parked: 0 });
  });

  it('ends as not complete, in a bounded number of rounds, when the cause was not fixed', async () => {
    await recovery.bench.fill({ 'order-1': 1 }, 'order-1@1');
    expect(await failure({ actions: ['redrive'], selection: { consumer: 'billing' }, ...WHO })).toBe('NotComplete');
    expect(recovery.states.filter((state) => state === 'CheckProgress')).toHaveLength(24);
    expect(recovery.states.filter((state) => state === 'RedriveDeadLetters')).toHaveLength(1);
    expect(recovery.report()).toMatchObject({ result: 'incomplete' });
  });

  it('repairs nothing in a dry run', async () => {
    await loseTwo();
    await recovery.run({ actions: ['fill-gaps'], dryRun: true });
    expect(recovery.bench.effectsDone).toEqual(['order-1@1']);
    expect(recovery.report()).toMatchObject({ result: 'proposed' });
  });

  it.each([{ actions: ['explode'] }, { actions: ['redrive'] }, { consumers: ['nobody'] }])(
    'refuses %j',
    async (input) => {
      expect(await failure(input)).toBe('InputRefused');
      expect(recovery.files.size).toBe(0);
    },
  );

  it('lets one recovery work on a consumer, and gives the lease back at its end', async () => {
    await loseTwo();
    const { leases } = recovery.deps;
    const other = await leases.acquire('recovery#billing', 'other', recovery.system.clock.now(), 60 * MINUTE);
    expect(await failure({ actions: ['fill-gaps'] })).toBe('AlreadyRecovering');
    expect(recovery.bench.effectsDone).toEqual(['order-1@1']);
    if (other.kind === 'acquired') await leases.release(other);
    await recovery.run({ actions: ['fill-gaps'] }, 'recovery-2');
    await recovery.run({ actions: ['fill-gaps'] }, 'recovery-3');
    expect(recovery.report('recovery-2')).toMatchObject({ result: 'recovered' });
    expect(recovery.report('recovery-3')).toMatchObject({ result: 'nothing-to-do' });
  });

  it('reports a repair that cannot be carried out, and ends as RepairFailed', async () => {
    await loseTwo();
    recovery.handlers.FillGaps = async () => {
      throw new Error('the scan function is gone');
    };
    expect(await failure({ actions: ['fill-gaps'] })).toBe('RepairFailed');
    expect(recovery.report()).toMatchObject({ result: 'failed' });
    expect(recovery.report().steps.at(-1)).toMatchObject({ name: 'Repair', outcome: 'failed' });
  });
});
