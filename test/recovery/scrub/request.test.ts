// What the function is asked, and how it answers.

import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidInputError } from '../../../lib/model/errors.ts';
import { createDamageAnnouncements } from '../../../lib/recovery/scrub/announcements.ts';
import { answerScrub, scrubRequest } from '../../../lib/recovery/scrub/request.ts';
import { DAMAGE_KINDS } from '../../../lib/recovery/scrub/types.ts';
import { createScrubBench, type ScrubBench } from './support.ts';

const page = readFileSync(new URL('../../../docs/operations/scrub.md', import.meta.url), 'utf8');
let bench: ScrubBench;
beforeEach(async () => {
  bench = await createScrubBench();
  await bench.fill();
});
const ask = (event: unknown, remainingMs = 120_000) =>
  answerScrub(bench.deps, event, {
    settings: { rotationDays: 7, readUnitsPerSecond: 100_000 },
    remainingMs: () => remainingMs,
    requestId: 'request-1',
  });

describe('the scrub function', () => {
  it('goes on with the patrol for the schedule, and for an empty input', async () => {
    expect(await ask({ source: 'aws.events', 'detail-type': 'Scheduled Event' })).toMatchObject({ kind: 'scrubbed' });
    expect(await ask({})).toMatchObject({ kind: 'scrubbed', result: { steps: 0 } });
    expect(await ask(null)).toMatchObject({ kind: 'scrubbed', result: { steps: 0 } });
  });

  it('answers the documented inputs', async () => {
    const inputs = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json as string) as unknown);
    expect(inputs).toHaveLength(1);
    for (const input of inputs) expect(await ask(input)).toMatchObject({ kind: 'examined', notLookedAt: [] });
    for (const kind of DAMAGE_KINDS) expect(page).toContain(`\`${kind}\``);
  });

  it('looks at no further stream when its time is over, and says which are left', async () => {
    expect(await ask({ streamIds: ['order-1', 'order-2', 'order-1'] }, 30_000)).toMatchObject({
      streams: [{ streamId: 'order-1' }],
      notLookedAt: ['order-2'],
    });
  });

  it('says of a stream that nobody knows that it is empty', async () => {
    expect(await ask({ streamIds: ['nobody'] })).toMatchObject({
      streams: [{ streamId: 'nobody', version: 0, commits: 0, entries: 0, damages: [] }],
    });
  });

  it.each([
    [{ stream: 'order-1' }],
    [{ streamIds: [] }],
    [{ streamIds: 'order-1' }],
    [{ streamIds: [7] }],
    [{ streamIds: ['$all'] }],
    [{ streamIds: Array(101).fill('order-1') }],
    [{ rotate: 'yes' }],
    [{ reason: '' }],
    ['text'],
    [[]],
  ])('refuses %j and does nothing', async (event) => {
    expect(() => scrubRequest(event)).toThrow(InvalidInputError);
    await expect(ask(event)).rejects.toMatchObject({ retryable: false });
    expect(await bench.system.items('Recovery')).toEqual([]);
  });

  it('answers state and open findings', async () => {
    await bench.drop('order-3', 5);
    await ask({ rotate: true });
    expect(await ask({ last: true })).toMatchObject({
      kind: 'last',
      open: 1,
      state: { rotation: 1, pass: 'idle', last: { counts: { streams: 4 } } },
      findings: [{ kind: 'truncated-stream', streamId: 'order-3', from: 5, to: 5 }],
    });
  });
});

describe('incidents that relay and consumers met', () => {
  const incident = (kind: string, streamId: string, version = 1) =>
    bench.incidents.record({
      kind: kind as never,
      streamId,
      version,
      detail: 'met',
      foundBy: 'relay',
      foundAt: bench.system.clock.now(),
    });
  const openIncidents = async () => {
    const found: string[] = [];
    for await (const { kind, streamId } of bench.incidents.open()) found.push(`${kind} ${streamId}`);
    return found;
  };
  const scheduled = { source: 'aws.events' };

  beforeEach(async () => {
    await ask(scheduled);
    bench.system.clock.advance(60_000);
  });

  it('make the next scrub look at their streams, between two rotations', async () => {
    await bench.drop('order-3', 5);
    await incident('truncated-stream', 'order-3', 5);
    await incident('hash-mismatch', 'order-1');
    expect(await ask(scheduled)).toMatchObject({ result: { met: 1, open: 1, steps: 0 } });
    expect(await bench.found()).toEqual(['truncated-stream order-3 5-5']);
    // The one that is whole is closed; the other one stays open until it is repaired.
    expect(await openIncidents()).toEqual(['truncated-stream order-3']);
  });

  it('are closed together with the finding, an hour after it at the latest', async () => {
    const last = await bench.item('order-3', 5);
    await bench.drop('order-3', 5);
    await incident('truncated-stream', 'order-3', 5);
    await ask(scheduled);
    await bench.putItem(last);
    bench.system.clock.advance(50 * 60_000);
    await ask(scheduled);
    expect(await openIncidents()).toHaveLength(1);
    bench.system.clock.advance(11 * 60_000);
    await ask(scheduled);
    expect([await openIncidents(), await bench.found()]).toEqual([[], []]);
  });

  it('of other kinds are left to others', async () => {
    await incident('checkpoint-beyond-head', 'order-1');
    await ask(scheduled);
    expect(await openIncidents()).toEqual(['checkpoint-beyond-head order-1']);
  });

  it('of a trimmed DynamoDB stream begin a rotation at once, which closes them when it has ended', async () => {
    await incident('stream-trimmed', '$all', 0);
    bench.system.clock.advance(1_000);
    expect(await ask(scheduled, 30_000)).toMatchObject({ result: { state: { rotation: 2, pass: 'log' } } });
    expect(await openIncidents()).toEqual(['stream-trimmed $all']);
    bench.system.clock.advance(1_000);
    expect(await ask(scheduled)).toMatchObject({ result: { state: { rotation: 2, pass: 'idle' } } });
    expect(await openIncidents()).toEqual([]);
    expect(await ask(scheduled)).toMatchObject({ result: { state: { rotation: 2 }, steps: 0 } });
  });
});

describe('the announcement', () => {
  const announce = (answer: object) => {
    const sent: unknown[] = [];
    const client = {
      async send(command: { input: unknown }) {
        sent.push(command.input);
        return answer;
      },
    };
    const announcements = createDamageAnnouncements({ client: client as never, busName: 'bus' });
    const detail = { format: 1, scrubbedAt: 5, findings: 0, kinds: {}, listed: [] };
    return { sent, done: announcements.damageFound(detail) };
  };

  it('goes to the bus under the source of the recovery', async () => {
    const { sent, done } = announce({ Entries: [{ EventId: 'e' }] });
    await done;
    expect(sent).toMatchObject([
      { Entries: [{ EventBusName: 'bus', Source: 'event-recovery.recovery', DetailType: 'DamageFound' }] },
    ]);
  });

  it.each([{ Entries: [{ ErrorCode: 'InternalFailure' }] }, {}])(
    'that the bus refuses with %j is an error',
    async (answer) => {
      await expect(announce(answer).done).rejects.toMatchObject({ code: 'ANNOUNCEMENT_REFUSED', retryable: true });
    },
  );
});
