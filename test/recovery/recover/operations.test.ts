import { describe, expect, it } from '@jest/globals';
import type { Job } from '../../../lib/recovery/recover/jobs.ts';
import { answered } from '../../../lib/recovery/recover/operations.ts';

const following: Job = { repair: 'replay', phase: 'follow', request: {}, operationId: 'r1' };
const said = (failed: number) => ({
  result: 'done',
  replay: { id: 'r1', status: 'done', percent: 100, events: { all: 3, done: 3 - failed }, rows: { all: 3, failed } },
});

describe('what a replay says to its recovery', () => {
  it('is a failure when a part of the replay failed, though all of it was tried', () => {
    const job = answered(following, said(2), false, 1_000);
    expect(job).toMatchObject({ phase: 'ended', failure: { code: 'REPLAY_ROWS_FAILED' } });
  });

  it('is no failure when every part was delivered', () => {
    const job = answered(following, said(0), false, 1_000);
    expect(job.phase).toBe('ended');
    expect(job.failure).toBeUndefined();
  });
});
