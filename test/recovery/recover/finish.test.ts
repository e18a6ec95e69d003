import { describe, expect, it } from '@jest/globals';
import { type Accumulated, resultOf } from '../../../lib/recovery/recover/finish.ts';
import type { Job } from '../../../lib/recovery/recover/jobs.ts';
import type { Progress } from '../../../lib/recovery/recover/progress.ts';
import type { Verdict } from '../../../lib/recovery/verify/types.ts';

const verdict = (ok: boolean) =>
  ({ ok, violationCount: ok ? 0 : 1, violations: [] as unknown, consumers: [] as unknown }) as Verdict;

function accumulated({ jobs = [], ...rest }: Partial<Accumulated> & { jobs?: Job[] }): Accumulated {
  const progress = {
    request: { actions: ['propose'], dryRun: false },
    findings: [],
    standing: [],
    jobs,
    steps: [{}, {}],
    left: { gapStreams: 0, openLetters: 0 },
  } as unknown as Progress;
  return { progress, ...rest };
}

describe('the result of a recovery', () => {
  it('is nothing to do when nothing was found and the look did not fail', () => {
    expect(resultOf(accumulated({ before: verdict(true) }))).toBe('nothing-to-do');
  });

  it('is incomplete when the verification refused something that no finding explains', () => {
    expect(resultOf(accumulated({ before: verdict(false) }))).toBe('incomplete');
  });

  it('is incomplete when the verification could not be carried out and nothing was found', () => {
    expect(resultOf(accumulated({ beforeFailure: { Error: 'States.Timeout' } }))).toBe('incomplete');
  });

  it('is incomplete while a repair is still at work, whatever the verification says', () => {
    const job: Job = { repair: 'replay', phase: 'follow', request: {} };
    expect(resultOf(accumulated({ verdict: verdict(true), jobs: [job] }))).toBe('incomplete');
    expect(resultOf(accumulated({ verdict: verdict(true), jobs: [{ ...job, phase: 'ended' }] }))).toBe('recovered');
  });

  it('is incomplete while a late relay with errors may still be late, and is not when nothing is on its way', () => {
    const late = { action: 'escalate', cause: 'relay-behind', facts: {} } as unknown as Progress['standing'][number];
    const seen = (lagging: number) =>
      ({ ...verdict(true), consumers: [{ consumer: 'a', conservation: { lagging } }] }) as unknown as Verdict;
    const of = (lagging: number) => {
      const { progress, ...rest } = accumulated({ verdict: seen(lagging) });
      return resultOf({ ...rest, progress: { ...progress, standing: [late] } });
    };
    expect(of(3)).toBe('incomplete');
    expect(of(0)).toBe('recovered');
  });
});
