// The order of what comes next, and its bounds: a recovery ends, whatever its functions answer.

import { describe, expect, it } from '@jest/globals';
import type { Job } from '../../../lib/recovery/recover/jobs.ts';
import {
  advance,
  decideNext,
  ELAPSED_MAX_MS,
  type Progress,
  ROUNDS_MAX,
  ROUNDS_OVERALL_MAX,
} from '../../../lib/recovery/recover/progress.ts';

const LEFT = { gapStreams: 0, lagStreams: 0, openLetters: 0, redriving: 0, failedAgain: 0, unscanned: 0 };
const resumeOf = (consumer: string): Job => ({ repair: 'resume', phase: 'start', request: { consumer } });

const progressWith = (more: Partial<Progress>): Progress =>
  ({
    request: { actions: ['repair'], dryRun: false },
    startedAt: 0,
    at: 0,
    next: 'look',
    round: 1,
    sinceChange: 1,
    quietRounds: 1,
    gapRounds: 1,
    findings: [],
    standing: [],
    steps: [],
    batches: [],
    jobs: [],
    ...more,
  }) as unknown as Progress;

/** Rounds until it verifies or reports. `answerOf` is what the function of the current state says. */
function roundsOf(
  begun: Progress,
  gapsAt: (round: number) => number,
  answerOf: (progress: Progress) => unknown,
): number {
  let progress = begun;
  for (let round = 1; ; round++) {
    if (progress.next === 'verify' || progress.next === 'report') return round;
    if (round > 10_000) throw new Error('it does not end');
    const left = { ...LEFT, gapStreams: gapsAt(round) };
    progress = advance(progress, { left, batches: [], standing: [], operation: answerOf(progress) }, round * 1_000);
  }
}

describe('a recovery ends', () => {
  it('after a bounded number of rounds when its jobs change from round to round for ever', () => {
    // The place of the replay is taken, then it is done, then taken again ...
    const answerOf = ({ jobs: [job] }: Progress) =>
      job?.phase === 'start'
        ? { error: { code: 'REPLAY_RUNNING', message: 'it runs', facts: { replayId: 'r9' } } }
        : { replay: { id: 'r9', status: 'done', percent: 100, events: { all: 1, done: 1 }, rows: { failed: 0 } } };
    const begun = progressWith({ jobs: [resumeOf('a')], next: 'resume' });
    const rounds = roundsOf(begun, () => 0, answerOf);
    expect(rounds).toBeGreaterThan(ROUNDS_MAX);
    expect(rounds).toBeLessThanOrEqual(ROUNDS_OVERALL_MAX + 1);
  });

  it('when its time is over, though a repair is at work', () => {
    const jobs: Job[] = [{ ...resumeOf('a'), phase: 'follow', operationId: 'r1' }];
    expect(decideNext(progressWith({ jobs, at: ELAPSED_MAX_MS }), LEFT)).toBe('resume');
    expect(decideNext(progressWith({ jobs, at: ELAPSED_MAX_MS + 1 }), LEFT)).toBe('verify');
  });

  it('ten minutes after gaps stopped getting fewer, and not while they do', () => {
    const begun = progressWith({ next: 'fill-gaps', lowestGaps: 101 });
    expect(
      roundsOf(
        begun,
        (round) => Math.max(50, 100 - round),
        () => undefined,
      ),
    ).toBe(50 + ROUNDS_MAX + 1);
    // Up and down is no progress.
    expect(
      roundsOf(
        begun,
        (round) => 100 + (round % 2),
        () => undefined,
      ),
    ).toBeLessThanOrEqual(ROUNDS_MAX + 3);
  });
});

describe('gaps', () => {
  const left = { ...LEFT, gapStreams: 7 };

  it('come before the jobs, until they do not get fewer any more', () => {
    const jobs = [resumeOf('a')];
    expect(decideNext(progressWith({ jobs }), left)).toBe('fill-gaps');
    expect(decideNext(progressWith({ jobs, gapRounds: 6 }), left)).toBe('resume');
    expect(decideNext(progressWith({ gapRounds: 6 }), left)).toBe('fill-gaps');
  });

  it('of a consumer that is down keep no other consumer from its resume', () => {
    const done = { result: 'done', replay: { id: 'r', status: 'done', percent: 100, events: {}, rows: { failed: 0 } } };
    const asked: string[] = [];
    roundsOf(
      progressWith({ next: 'fill-gaps', jobs: [resumeOf('b'), resumeOf('c')], lowestGaps: 7 }),
      () => 7,
      ({ next, call }) => {
        if (next === 'resume') asked.push(String(call?.consumer));
        return next === 'resume' ? done : undefined;
      },
    );
    expect(asked).toEqual(['b', 'c']);
  });
});
