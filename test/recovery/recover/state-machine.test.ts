import { beforeEach, describe, expect, it } from '@jest/globals';
import { beginRecovery } from '../../../lib/recovery/recover/recover.ts';
import { allStates, synthesizedDefinition } from '../../support/recovery-definition.ts';
import { createRecovery, type Recovery } from './support.ts';

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
    const tasks = allStates({ States }).filter(({ Type }) => Type === 'Task');
    expect(tasks).toHaveLength(17);
    expect(tasks.filter(({ Retry }) => Retry?.[0]?.JitterStrategy !== 'FULL')).toEqual([]);
    expect(allStates({ States }).filter(({ Comment }) => (Comment ?? '').length < 10)).toEqual([]);
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
    expect(recovery.states).toEqual([
      'Validate',
      'LookForGaps',
      'SplitVerificationBefore',
      'CollectEvidence',
      'ReportStatus',
    ]);
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
    expect(recovery.states).toContain('SplitVerification');
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

  it('counts only the selected dead letters as left', async () => {
    await recovery.bench.fill({ 'order-1': 1, 'order-2': 1 }, 'order-1@1', 'order-2@1');
    const [first] = await recovery.bench.letters('parked');
    recovery.bench.poison.delete(`${first?.streamId}@1`);
    await recovery.run({ actions: ['redrive'], selection: { eventId: first?.eventId }, ...WHO });
    expect(recovery.bench.effectsDone).toEqual([`${first?.streamId}@1`]);
    expect(recovery.report()).toMatchObject({ result: 'recovered', after: { ok: true } });
  });

  it('repairs what it finds, in a safe order, when it is only asked to repair', async () => {
    await recovery.bench.fill({ 'order-2': 2 }, 'order-2@1');
    await loseTwo();
    recovery.bench.poison.clear();
    await recovery.run({ actions: ['repair'], ...WHO });
    expect(recovery.bench.effectsDone).toEqual(['order-1@1', 'order-1@2', 'order-1@3', 'order-2@1', 'order-2@2']);
    const { result, steps, before, after } = recovery.report();
    expect(steps.map(({ name }) => name)).toEqual(['Diagnose', 'FillGaps', 'RedriveDeadLetters', 'VerifyConsistency']);
    expect(result).toBe('recovered');
    expect(before?.consumers[0]?.conservation).toMatchObject({ resolved: 1, lagging: 2, parked: 1, waiting: 1 });
    expect(after?.consumers[0]?.conservation).toMatchObject({ resolved: 5, lagging: 0, parked: 0, waiting: 0 });
  });

  it('leaves dead letters to people when no person asked', async () => {
    await recovery.bench.fill({ 'order-2': 2 }, 'order-2@1');
    await loseTwo();
    recovery.bench.poison.clear();
    await recovery.run({ actions: ['repair'], trigger: 'scan', ...WHO });
    expect(recovery.bench.effectsDone).toEqual(['order-1@1', 'order-1@2', 'order-1@3']);
    expect(recovery.report()).toMatchObject({ result: 'recovered' });
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
    expect(recovery.states.filter((state) => state === 'CollectEvidence').length).toBeLessThanOrEqual(25);
    expect(recovery.report()).toMatchObject({ result: 'incomplete', before: { ok: true }, after: { ok: true } });
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
    recovery.handlers.FillBatch = async () => {
      throw new Error('the scan function is gone');
    };
    expect(await failure({ actions: ['fill-gaps'] })).toBe('RepairFailed');
    expect(recovery.report()).toMatchObject({ result: 'failed' });
    expect(recovery.report().steps.at(-1)).toMatchObject({ name: 'FillGaps', outcome: 'failed' });
  });

  it('waits for a scan that says whether consumers lag, and takes none for no answer', async () => {
    await recovery.system.append('order-1', ['Placed']);
    recovery.system.clock.advance(2 * MINUTE);
    const { LookForGaps } = recovery.handlers;
    let scans = 0;
    recovery.handlers.LookForGaps = async (input: unknown) => {
      scans += 1;
      return scans < 4 ? { kind: 'another-scan-runs', until: 0 } : LookForGaps(input);
    };
    await recovery.run({ actions: ['fill-gaps'] });
    expect(scans).toBeGreaterThan(3);
    expect(recovery.bench.effectsDone).toEqual(['order-1@1']);
    expect(recovery.report()).toMatchObject({ result: 'recovered', after: { ok: true } });
  });

  it('says unknown, and is not complete, while no scan ends', async () => {
    recovery.handlers.LookForGaps = async () => ({ kind: 'another-scan-runs', until: 0 });
    await recovery.run({}, 'recovery-0');
    expect(recovery.report('recovery-0').findings).toMatchObject([{ cause: 'unknown', consumer: 'billing' }]);
    expect(await failure({ actions: ['fill-gaps'] })).toBe('NotComplete');
    expect(recovery.report()).toMatchObject({ result: 'incomplete', after: { ok: true } });
  });

  it('tells of a verification before the repair that could not be carried out', async () => {
    await loseTwo();
    recovery.handlers.SplitVerificationBefore = async () => {
      throw new Error('out of memory');
    };
    await recovery.run({ actions: ['fill-gaps'] });
    expect(recovery.report().steps[1]).toMatchObject({
      name: 'VerifyBefore',
      outcome: 'failed',
      summary: 'Error: out of memory',
    });
    expect(recovery.report()).toMatchObject({ result: 'recovered', after: { ok: true } });
  });

  it('reports a verification that answers with an error, and ends as VerificationFailed', async () => {
    await loseTwo();
    const error = { code: 'TABLE_GONE', message: 'no such table', retryable: false, facts: {} };
    recovery.handlers.SplitVerification = async () => ({ error });
    recovery.handlers.SplitVerificationBefore = async () => ({ error });
    expect(await failure({ actions: ['fill-gaps'] })).toBe('VerificationFailed');
    const { result, steps, before, after } = recovery.report();
    expect({ result, before, after }).toEqual({ result: 'failed', before: undefined, after: undefined });
    expect(steps.at(-1)).toMatchObject({ name: 'VerifyConsistency', summary: 'TABLE_GONE: no such table' });
  });

  const ENDS = Object.entries(synthesizedDefinition().States).flatMap(([name, { Type }]) =>
    Type === 'Fail' ? [name] : [],
  );
  const ANSWERS: readonly unknown[] = [null, {}, [], 'done', { ok: 'yes' }, { next: 7 }, { error: 'no code' }];

  it.each(['Validate', 'CollectEvidence', 'SplitVerification', 'ReportStatus', 'RedriveDeadLetters'] as const)(
    'ends in a Fail state of its own, whatever %s answers instead of what it should',
    async (state) => {
      await recovery.bench.fill({ 'order-1': 1 }, 'order-1@1');
      recovery.handlers[state] = async () => answer;
      let answer: unknown;
      // The interpreter has no path into an answer that is null.
      const answers = state === 'Validate' ? ANSWERS.slice(1) : ANSWERS;
      for (const [index, each] of answers.entries()) {
        answer = each;
        const input = { actions: ['redrive'], selection: { consumer: 'billing' } };
        const end = await failure(input, `recovery-${index}`);
        expect({ answer, end, isNamed: ENDS.includes(String(end)) }).toEqual({ answer, end, isNamed: true });
        recovery.system.clock.advance(91 * MINUTE);
      }
    },
  );

  it('ends as ReportFailed when the bucket of the reports is missing, and keeps no lease', async () => {
    await loseTwo();
    const { store } = recovery.outlets;
    recovery.outlets.store = async () => {
      throw Object.assign(new Error('The specified bucket does not exist'), { name: 'NoSuchBucket' });
    };
    expect(await failure({ actions: ['fill-gaps'] })).toBe('ReportFailed');
    expect(recovery.bench.effectsDone).toEqual(['order-1@1', 'order-1@2', 'order-1@3']);
    recovery.outlets.store = store;
    await recovery.run({ actions: ['fill-gaps'] }, 'recovery-2');
    expect(recovery.report('recovery-2')).toMatchObject({ result: 'nothing-to-do' });
  });

  it('holds no lease when it could not take all of them', async () => {
    await recovery.system.addConsumer({ name: 'shipping', eventTypes: ['Placed'], effects: 'idempotent' });
    const { leases } = recovery.deps;
    const outage = async (...args: Parameters<typeof leases.acquire>) => {
      if (args[0] === 'recovery#shipping') throw new Error('no answer');
      return leases.acquire(...args);
    };
    const begin = beginRecovery(
      { ...recovery.deps, leases: { ...leases, acquire: outage } },
      { id: 'recovery-1', input: { actions: ['fill-gaps'] } },
    );
    await expect(begin).rejects.toThrow('no answer');
    await recovery.run({ actions: ['fill-gaps'] }, 'recovery-2');
  });

  it('resumes once, though the answer to the beginning was lost', async () => {
    await loseTwo();
    const { ResumeFromCheckpoint } = recovery.handlers;
    const answers: unknown[] = [];
    recovery.handlers.ResumeFromCheckpoint = async (input: unknown) => {
      // Out of time before the first stream was given: it is under way, and nobody was told.
      const isFirst = answers.length === 0;
      const answer = await ResumeFromCheckpoint(input);
      answers.push(answer);
      if (isFirst) throw new Error('out of time');
      return answer;
    };
    await recovery.run({ actions: ['resume'], consumers: ['billing'], ...WHO });
    expect(recovery.bench.effectsDone).toEqual(['order-1@1', 'order-1@2', 'order-1@3']);
    expect(recovery.report()).toMatchObject({ result: 'recovered' });
    expect(answers.length).toBeGreaterThan(1);
  });
});
