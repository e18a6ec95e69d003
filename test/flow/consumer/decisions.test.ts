// The engine's pure decisions, one by one: what a batch is, where events come from, what happens to the next event, what
// follows a failure, what a save writes by itself.

import { describe, expect, it } from '@jest/globals';
import { foldDigest, GENESIS_DIGEST } from '../../../lib/flow/checkpoint/digest.ts';
import { damageKind, endsEarly } from '../../../lib/flow/consumer/damage-kind.ts';
import { decideCatchUp } from '../../../lib/flow/consumer/decide-catch-up.ts';
import { decideEvent, isSuspect } from '../../../lib/flow/consumer/decide-event.ts';
import { decideFailure, retryDelaySeconds } from '../../../lib/flow/consumer/decide-failure.ts';
import { nearRuns } from '../../../lib/flow/consumer/events-at.ts';
import type { DeliveredEvent, ParsedMessage, WakeUp } from '../../../lib/flow/consumer/messages.ts';
import { afterChange, changeFor } from '../../../lib/flow/consumer/progress.ts';
import { groupByStream, trustedPayloads } from '../../../lib/flow/consumer/stream-work.ts';
import type { Checkpoint } from '../../../lib/model/checkpoint.ts';
import { consumerName, streamId, type Version } from '../../../lib/model/ids.ts';

const v = (version: number) => version as Version;
const HASH = 'a'.repeat(64);

const payload = (version: number, commitVersion = version, change: Partial<DeliveredEvent> = {}): DeliveredEvent => ({
  commitHash: HASH.replace('a', String(commitVersion % 10)),
  commitVersion: v(commitVersion),
  event: { id: `e${version}`, metadata: { version } } as unknown as DeliveredEvent['event'],
  ...change,
});

const wakeUp = (stream: string, version: number, change: Partial<WakeUp> = {}): ParsedMessage => ({
  messageId: `${stream}-${version}-${change.reason ?? 'event'}`,
  receiveCount: 1,
  body: { kind: 'wake-up', streamId: streamId(stream), version: v(version), reason: 'event', hops: 0, ...change },
});

describe('a batch', () => {
  it('is work per stream, whatever the order and number of its messages', () => {
    const redelivery: ParsedMessage = {
      messageId: 'r',
      receiveCount: 2,
      body: { kind: 'redeliver', streamId: streamId('a'), versions: [v(1)], replayId: 'x', hops: 0 },
    };
    const works = groupByStream([
      wakeUp('a', 3, { correlationId: 'c3' }),
      wakeUp('b', 1),
      wakeUp('a', 9, { correlationId: 'c9' }),
      redelivery,
      wakeUp('a', 5, { reason: 'retry', hops: 4, correlationId: 'c5', replayId: 'p' }),
    ]);
    expect(works).toMatchObject([
      {
        streamId: 'a',
        messageIds: ['a-3-event', 'a-9-event', 'a-5-retry'],
        wanted: 9,
        forced: true,
        hops: 4,
        correlationId: 'c9',
        replayId: 'p',
        redeliveries: [{ messageId: 'r', receiveCount: 2 }],
      },
      { streamId: 'b', messageIds: ['b-1-event'], wanted: 1, forced: false, hops: 0, correlationId: '' },
    ]);
  });

  it('with redeliveries only wants nothing', () => {
    const body = { kind: 'redeliver' as const, streamId: streamId('a'), versions: [v(1)], replayId: 'x', hops: 0 };
    expect(groupByStream([{ messageId: 'r', receiveCount: 1, body }])).toMatchObject([{ messageIds: [], wanted: 0 }]);
  });

  it('of nothing is no work', () => {
    expect(groupByStream([])).toEqual([]);
  });
});

describe('delivered bodies', () => {
  it('are kept by version; a duplicate changes nothing', () => {
    const trusted = trustedPayloads([payload(2), payload(1), payload(2)]);
    expect([...trusted.keys()].sort()).toEqual([1, 2]);
  });

  it.each<[string, DeliveredEvent[]]>([
    [
      'two events of one version',
      [payload(2), payload(2, 2, { event: { id: 'x', metadata: { version: 2 } } as never })],
    ],
    ['two commits of one version', [payload(2, 2), payload(2, 1)]],
    ['two hashes of one commit', [payload(1, 1), payload(2, 1, { commitHash: 'f'.repeat(64) })]],
    ['an event before its commit', [payload(2, 3)]],
    ['a commit before the beginning', [payload(1, 0)]],
  ])('are not trusted at all when there are %s', (_, payloads) => {
    expect(trustedPayloads([payload(7), ...payloads]).size).toBe(0);
  });
});

describe('catching up', () => {
  const decide = (version: number, wanted: number, ...payloads: DeliveredEvent[]) =>
    decideCatchUp({ version: v(version), wanted: v(wanted), delivered: trustedPayloads(payloads) });

  it.each([
    [3, 3],
    [5, 2],
    [0, 0],
  ])('from %d to %d is nothing to do', (version, wanted) => {
    expect(decide(version, wanted)).toEqual({ kind: 'up-to-date' });
  });

  it('takes the bodies that follow without a hole, and the store for the rest', () => {
    const [three, four, six] = [payload(3), payload(4), payload(6)];
    expect(decide(2, 7, three, four, six)).toEqual({ kind: 'behind', fromMessages: [three, four], storeFrom: 5 });
  });

  it('needs no store when the bodies suffice', () => {
    expect(decide(2, 3, payload(3))).toEqual({ kind: 'behind', fromMessages: [payload(3)] });
  });

  it('begins with the store when the next body is missing', () => {
    expect(decide(2, 4, payload(4))).toEqual({ kind: 'behind', fromMessages: [], storeFrom: 3 });
  });

  it('stops using bodies where one neither goes on with a commit nor begins one', () => {
    const [first, second] = [payload(3, 3), payload(4, 2, { commitHash: HASH })];
    expect(decide(2, 4, first, second)).toMatchObject({ fromMessages: [first], storeFrom: 4 });
  });

  it('may begin in the middle of a commit', () => {
    expect(decide(2, 4, payload(3, 1), payload(4, 1))).toMatchObject({ fromMessages: [{}, {}] });
  });
});

describe('the next event', () => {
  const attempting = { version: v(3), count: 2, firstFailedAt: 0 };
  const replay = { id: 'r', until: v(3) };
  const redriving = { version: v(3), deadLetterId: 'd', decision: 'discard' as const };
  const decide = (
    checkpoint: Parameters<typeof decideEvent>[0],
    question: { version?: number; isWanted?: boolean } = {},
  ) =>
    decideEvent(checkpoint, { version: v(question.version ?? 3), isWanted: question.isWanted ?? true, maxAttempts: 3 });

  it.each<[string, ReturnType<typeof decideEvent>, ReturnType<typeof decideEvent>]>([
    ['is reacted to', decide({}), { kind: 'react', attempt: 1 }],
    ['is passed when it is not wanted', decide({}, { isWanted: false }), { kind: 'unwanted' }],
    ['counts its tries', decide({ attempting }), { kind: 'react', attempt: 3 }],
    [
      'does not inherit the tries of another one',
      decide({ attempting }, { version: 4 }),
      { kind: 'react', attempt: 1 },
    ],
    [
      'is given up when its tries are used up',
      decide({ attempting: { ...attempting, count: 3 } }),
      { kind: 'give-up' },
    ],
    ['of a replay says so', decide({ replay }), { kind: 'react', attempt: 1, replay: { mode: 'rewind', id: 'r' } }],
    ['after a replay does not', decide({ replay }, { version: 4 }), { kind: 'react', attempt: 1 }],
    ['can be suppressed', decide({ replay: { ...replay, suppressEffects: true } }), { kind: 'suppressed' }],
    ['can be discarded', decide({ redriving }), { kind: 'discard' }],
    ['is discarded alone', decide({ redriving }, { version: 4 }), { kind: 'react', attempt: 1 }],
    [
      'is discarded even when it is not wanted any more',
      decide({ redriving }, { isWanted: false }),
      { kind: 'discard' },
    ],
  ])('%s', (_, decision, expected) => {
    expect(decision).toEqual(expected);
  });

  it('is under suspicion after an unclean end, and while a try has no end', () => {
    const lastError = { name: 'Error', message: '' };
    expect(isSuspect(undefined, false)).toBe(false);
    expect(isSuspect({ ...attempting, lastError }, false)).toBe(false);
    expect(isSuspect(attempting, false)).toBe(true);
    expect(isSuspect({ ...attempting, lastError }, true)).toBe(true);
  });
});

describe('a failure', () => {
  const failure = { attempts: 1, maxAttempts: 3, permanent: false, onPoison: 'park' as const };

  it('is followed by another try after 1, 4, 16 ... seconds, 900 at most', () => {
    expect([1, 2, 3, 4, 5, 6, 10].map(retryDelaySeconds)).toEqual([1, 4, 16, 64, 256, 900, 900]);
    expect(decideFailure({ ...failure, attempts: 2 })).toEqual({ kind: 'retry', delaySeconds: 4 });
  });

  it('after the last try ends as the consumer wants it', () => {
    expect(decideFailure({ ...failure, attempts: 3 })).toEqual({ kind: 'park' });
    expect(decideFailure({ ...failure, attempts: 4, onPoison: 'skip' })).toEqual({ kind: 'skip' });
  });

  it('that no later try can change is given up at once', () => {
    expect(decideFailure({ ...failure, permanent: true })).toEqual({ kind: 'park' });
  });
});

describe('what a save writes by itself', () => {
  const stored: Checkpoint = {
    consumer: consumerName('c'),
    streamId: streamId('s'),
    version: v(3),
    generation: 2,
    generationStart: v(1),
    resolvedCount: 2,
    resolvedDigest: GENESIS_DIGEST,
    wanted: v(9),
    token: 4,
    lease: { owner: 'me', until: 10, mode: 'shared' },
    attempting: { version: v(4), count: 1, firstFailedAt: 0 },
    redriving: { version: v(5), deadLetterId: 'd', decision: 'retry' },
    replay: { id: 'r', until: v(5) },
    updatedAt: 0,
    format: 1,
  };
  const resolved = (...versions: number[]) =>
    versions.map((one) => ({ version: v(one), commitHash: `h${one}`, outcome: 'resolved' as const, writes: [] }));

  it('is nothing when nothing was resolved', () => {
    expect(changeFor(stored, [], { mode: 'alone' })).toEqual({ mode: 'alone' });
  });

  it('moves version, count and digest together, and clears what was about resolved versions', () => {
    const digest = foldDigest(GENESIS_DIGEST, 4, 'h4', 'resolved');
    expect(changeFor(stored, resolved(4), {})).toEqual({
      version: 4,
      resolvedCount: 3,
      resolvedDigest: digest,
      attempting: null,
    });
    expect(changeFor(stored, resolved(4, 5), {})).toEqual({
      version: 5,
      resolvedCount: 4,
      resolvedDigest: foldDigest(digest, 5, 'h5', 'resolved'),
      attempting: null,
      redriving: null,
      replay: null,
    });
  });

  it('gives way to what is asked for', () => {
    const attempting = { version: v(5), count: 1, firstFailedAt: 7 };
    expect(changeFor(stored, resolved(4), { attempting })).toMatchObject({ version: 4, attempting });
  });

  it('is what the holder knows afterwards', () => {
    const next = afterChange(stored, { version: v(4), attempting: null, mode: 'alone' }, 77);
    expect(next).toEqual({
      ...stored,
      version: 4,
      attempting: undefined,
      lease: { owner: 'me', until: 10, mode: 'alone' },
      updatedAt: 77,
    });
    expect(afterChange(stored, { release: {} }, 77)).not.toHaveProperty('lease');
  });

  it('folds outcomes apart', () => {
    const outcomes = ['resolved', 'skipped', 'discarded'] as const;
    expect(new Set(outcomes.map((outcome) => foldDigest(GENESIS_DIGEST, 1, HASH, outcome))).size).toBe(3);
  });
});

describe('damage', () => {
  it.each([
    [endsEarly(3, 9), 'truncated-stream'],
    ['no commit holds version 4, the next one begins at version 5', 'missing-commit'],
    ['version 5 follows version 3', 'missing-commit'],
    ['two commits hold version 4', 'fork'],
    ['its hash is 12, what is stored has 34', 'hash-mismatch'],
  ])('"%s" is an incident of kind %s', (damage, kind) => {
    expect(damageKind(damage)).toBe(kind);
  });
});

describe('selected versions', () => {
  it('are read together when they are near, apart when they are far', () => {
    expect(nearRuns([1, 2, 51, 52, 200, 201].map(v))).toEqual([
      [1, 2, 51, 52],
      [200, 201],
    ]);
    expect(nearRuns([])).toEqual([]);
  });
});
