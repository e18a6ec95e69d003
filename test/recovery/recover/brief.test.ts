// What the workflow hears of an operation is small, whatever the operation lists, and means the same as the whole answer.

import { describe, expect, it } from '@jest/globals';
import { briefly } from '../../../lib/recovery/recover/brief.ts';
import type { Job, Repair } from '../../../lib/recovery/recover/jobs.ts';
import { answered, callOf } from '../../../lib/recovery/recover/operations.ts';
import { restoreAnswer } from '../../../lib/recovery/restore/answer.ts';
import type { RestoreRow, StreamRow } from '../../../lib/recovery/restore/rows.ts';

const STATE_BYTES_MAX = 256 * 1_024;
const LONG = 'x'.repeat(256);

const change = (version: number) => ({ version, action: 'overwrite', hash: 'f'.repeat(64), seenHash: 'e'.repeat(64) });
const damagedStream = (index: number) =>
  ({
    streamId: `${LONG.slice(0, 250)}${index}`,
    status: 'planned',
    inserts: 0,
    changes: Array.from({ length: 60 }, (_, at) => change(at + 1)),
    forks: [],
    unsequenced: 0,
    written: 0,
  }) as unknown as StreamRow;
const row = { id: 'plan-1', status: 'planned', source: 'archive' } as unknown as RestoreRow;

const redriveSaid = {
  result: 'would',
  count: 5_000,
  streams: 1_000,
  listed: Array.from({ length: 1_000 }, (_, version) => ({ id: LONG, consumer: 'a', streamId: LONG, version })),
  exhausted: 2,
  undeployed: 0,
  truncated: true,
  runs: [],
};
const totals = { streams: 9, events: 90, expectedRepeats: 3 };
const replaySaid = {
  result: 'planned',
  plan: { id: 'plan-1', mode: 'rewind', totals, blastRadius: Array(2_000).fill(LONG) },
  streams: Array(20).fill({ streamId: LONG }),
};
const followed = {
  result: 'stopped',
  replay: {
    id: 'plan-1',
    status: 'stopped',
    percent: 10,
    events: { all: 90, done: 9 },
    rows: { all: 9, failed: 8 },
    failures: Array(2_000).fill({ streamId: LONG, message: LONG }),
    note: LONG.repeat(9),
  },
};

const ANSWERS: [what: string, repair: Repair, phase: Job['phase'], answer: object][] = [
  ['a redrive that lists a thousand dead letters', 'redrive', 'plan', redriveSaid],
  ['a plan of a replay with a long list of what it touches', 'replay', 'plan', replaySaid],
  ['a replay with many failures', 'replay', 'follow', followed],
  ['a restore of 200 streams with 60 changes each', 'restore', 'plan', restoreAnswer(row, manyStreams())],
];

function manyStreams(): StreamRow[] {
  return Array.from({ length: 200 }, (_, index) => damagedStream(index));
}

describe('what the workflow is told by', () => {
  it.each(ANSWERS)('%s: small, and it means the same', async (_what, repair, phase, answer) => {
    expect(JSON.stringify(answer).length).toBeGreaterThan(STATE_BYTES_MAX);
    const brief = await briefly(repair, async () => answer)({ brief: true }, {});
    expect(JSON.stringify(brief).length).toBeLessThan(2_000);
    const job: Job = { repair, phase, request: {}, operationId: 'plan-1' };
    expect(answered(job, JSON.parse(JSON.stringify(brief)), false, 1)).toEqual(answered(job, answer, false, 1));
  });

  it('an operation that fails: its code, a sentence, and the replay that stands in its way', async () => {
    const error = { code: 'REPLAY_RUNNING', message: LONG.repeat(20), facts: { replayId: 'r1', rows: Array(9_999) } };
    const brief = await briefly('replay', async () => ({ error }))({ brief: true }, {});
    expect(brief).toEqual({
      error: { code: 'REPLAY_RUNNING', message: LONG.repeat(20).slice(0, 1_000), facts: { replayId: 'r1' } },
    });
  });
});

it('asks briefly, and the operation sees its own request only; an operator gets the whole answer', async () => {
  const seen: unknown[] = [];
  const run = briefly('redrive', async (event: unknown) => {
    seen.push(event);
    return redriveSaid;
  });
  const call = callOf({ repair: 'redrive', phase: 'start', request: {} }, { requestedBy: 'anna', reason: 'fixed' });
  expect(call.brief).toBe(true);
  await run(call, {});
  const { brief: _brief, ...request } = call;
  expect(await run(request, {})).toBe(redriveSaid);
  expect(seen).toEqual([request, request]);
});
