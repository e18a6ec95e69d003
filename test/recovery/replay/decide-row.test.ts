import { describe, expect, it } from '@jest/globals';
import type { PlannedStream } from '../../../lib/recovery/plan/port.ts';
import { decideRow, PATIENCE_MS, RESEND_MS, type SeenCheckpoint } from '../../../lib/recovery/replay/decide-row.ts';

const NOW = 10_000_000;
const row = {
  streamId: 's',
  from: 3,
  to: 5,
  events: 3,
  repeats: 0,
  checkpoint: 2,
  generation: 1,
} as unknown as PlannedStream;
type Mode = Parameters<typeof decideRow>[0]['mode'];

const decide = (mode: Mode, checkpoint: Record<string, unknown> | undefined, more: Record<string, unknown> = {}) =>
  decideRow({
    mode,
    scope: 'r1',
    row,
    checkpoint:
      checkpoint && ({ version: 2, generation: 1, updatedAt: NOW, ...checkpoint } as unknown as SeenCheckpoint),
    now: NOW,
    sentAt: NOW,
    progressAt: NOW,
    quietMs: 0,
    ...more,
  }).kind;

describe('a row of a replay', () => {
  it.each<[Mode, string, Record<string, unknown> | undefined, string]>([
    ['resume', 'is done at its last version', { version: 5 }, 'done'],
    ['resume', 'waits before it', { version: 4 }, 'waiting'],
    ['resume', 'waits for a checkpoint that does not exist yet', undefined, 'waiting'],
    ['resume', 'waits while a rewind waits', { version: 5, rewind: { to: 0 } }, 'waiting'],
    ['resume', 'has failed when the stream parks', { version: 4, parked: { version: 5 } }, 'failed'],
    [
      'resume',
      'has failed when an event of it was skipped',
      { version: 5, lastDeadLetter: { generation: 1, version: 4 } },
      'failed',
    ],
    [
      'resume',
      'is not blamed for an older dead letter',
      { version: 5, lastDeadLetter: { generation: 1, version: 2 } },
      'done',
    ],
    ['rewind', 'waits until its request is applied', { version: 5, rewind: { requestId: 'r1' } }, 'waiting'],
    ['rewind', 'is not done because the checkpoint has not gone back yet', { version: 9, generation: 1 }, 'waiting'],
    ['rewind', 'is done when the checkpoint is back', { version: 5, generation: 2, lastRewindId: 'r1' }, 'done'],
    ['rewind', 'waits on the way back', { version: 4, generation: 2, lastRewindId: 'r1' }, 'waiting'],
    [
      'rewind',
      'is not done by the rewind of another replay',
      { version: 5, generation: 2, lastRewindId: 'r0' },
      'waiting',
    ],
    [
      'redeliver',
      'is done when its last version was passed',
      { version: 9, redelivered: { id: 'r1', through: 5, failed: 0 } },
      'done',
    ],
    ['redeliver', 'waits before that', { version: 9, redelivered: { id: 'r1', through: 4, failed: 0 } }, 'waiting'],
    [
      'redeliver',
      'is not done by another redelivery',
      { version: 9, redelivered: { id: 'r0', through: 5, failed: 0 } },
      'waiting',
    ],
    [
      'redeliver',
      'has failed when events of it failed',
      { version: 9, redelivered: { id: 'r1', through: 5, failed: 1 } },
      'failed',
    ],
    [
      'redeliver',
      'has failed when one of its own events failed',
      { version: 9, redelivered: { id: 'r1', through: 5, failed: 3, lastFailed: 5 } },
      'failed',
    ],
    [
      'redeliver',
      'is not blamed for an event of an earlier part of its stream',
      { version: 9, redelivered: { id: 'r1', through: 5, failed: 2, lastFailed: 2 } },
      'done',
    ],
    ['redeliver', 'has failed when the checkpoint went back below it', { version: 4 }, 'failed'],
    ['backfill', 'waits for the checkpoint to pass', { version: 4 }, 'waiting'],
    ['backfill', 'has failed behind a dead letter', { version: 4, parked: { version: 5 } }, 'failed'],
  ])('of a %s %s', (mode, _what, checkpoint, kind) => {
    expect(decide(mode, checkpoint)).toBe(kind);
  });

  const quiet = (ms: number) => ({ sentAt: NOW - ms, progressAt: NOW - ms, quietMs: ms });
  const old = { updatedAt: NOW - PATIENCE_MS };

  it('gets its message again when nothing was heard for a while, and not before', () => {
    expect(decide('resume', old, quiet(RESEND_MS - 1))).toBe('waiting');
    expect(decide('resume', old, quiet(RESEND_MS))).toBe('send');
    expect(decide('resume', { updatedAt: NOW - 1 }, quiet(RESEND_MS))).toBe('waiting');
    expect(decide('resume', undefined, quiet(RESEND_MS))).toBe('send');
  });

  it('is left alone while its stream is at work or an event waits for its next try', () => {
    const lease = { until: NOW + 1, owner: 'x', mode: 'shared' };
    expect(decide('resume', { ...old, lease }, quiet(PATIENCE_MS))).toBe('waiting');
    expect(decide('resume', { ...old, attempting: { retryAt: NOW + 1 } }, quiet(PATIENCE_MS))).toBe('waiting');
    expect(decide('resume', { ...old, lease: { ...lease, until: NOW - 60_000 } }, quiet(RESEND_MS))).toBe('send');
  });

  it('of a redelivery is heard of by its own trace alone: whoever takes the lease and dies says nothing', () => {
    const taken = { version: 9, updatedAt: NOW - 1 };
    expect(decide('redeliver', taken, quiet(RESEND_MS))).toBe('send');
    expect(decide('redeliver', taken, quiet(PATIENCE_MS))).toBe('failed');
    const gotOn = (ms: number) => ({ ...taken, redelivered: { id: 'r1', through: 4, failed: 0, at: NOW - ms } });
    expect(decide('redeliver', gotOn(RESEND_MS - 1), quiet(PATIENCE_MS))).toBe('waiting');
    expect(decide('redeliver', gotOn(PATIENCE_MS - 1), quiet(PATIENCE_MS))).toBe('send');
    expect(decide('redeliver', gotOn(PATIENCE_MS), quiet(PATIENCE_MS))).toBe('failed');
  });

  it('has failed when nothing was heard for very long', () => {
    expect(decide('resume', old, quiet(PATIENCE_MS - 1))).toBe('send');
    expect(decide('resume', old, quiet(PATIENCE_MS))).toBe('failed');
    expect(decide('rewind', undefined, quiet(PATIENCE_MS))).toBe('failed');
    // Nobody looked: that is not the consumer's silence.
    expect(decide('resume', old, { ...quiet(PATIENCE_MS), quietMs: 0 })).toBe('send');
  });
});
