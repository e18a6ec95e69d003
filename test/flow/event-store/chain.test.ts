import { describe, expect, it } from '@jest/globals';
import { createChainCheck } from '../../../lib/flow/event-store/chain.ts';
import { type Commit, GENESIS_HASH } from '../../../lib/model/commit.ts';
import { StreamDamagedError } from '../../../lib/model/errors.ts';
import { streamId, type Version } from '../../../lib/model/ids.ts';

const commit = (version: number, count: number, change: Partial<Commit> = {}): Commit => ({
  streamId: streamId('s'),
  version: version as Version,
  count,
  format: 1,
  recordedAt: 1_000 + version,
  previousHash: version === 1 ? GENESIS_HASH : `before ${version}`,
  hash: `before ${version + count}`,
  events: [],
  ...change,
});

const whole = [commit(1, 2), commit(3, 1), commit(4, 5), commit(9, 1)];

function damageOf(commits: readonly Commit[], direction: 'forwards' | 'backwards'): number | undefined {
  const check = createChainCheck(direction);
  try {
    for (const each of direction === 'forwards' ? commits : commits.toReversed()) check(each);
    return undefined;
  } catch (error) {
    if (error instanceof StreamDamagedError) return error.version;
    throw error;
  }
}

describe.each(['forwards', 'backwards'] as const)('commits that are read %s', (direction) => {
  it('pass when they are neighbours, whole or in part', () => {
    expect(damageOf(whole, direction)).toBeUndefined();
    expect(damageOf(whole.slice(1, 3), direction)).toBeUndefined();
    expect(damageOf([], direction)).toBeUndefined();
  });

  it('may have the same time', () => {
    expect(damageOf([commit(1, 2), commit(3, 1, { recordedAt: 1_001 })], direction)).toBeUndefined();
  });

  it.each<[string, Commit[], number]>([
    ['a hole', [commit(1, 2), commit(4, 5)], 3],
    ['a version that two commits hold', [commit(1, 3), commit(3, 1)], 3],
    ['a link to another commit', [commit(1, 2), commit(3, 1, { previousHash: 'other' })], 3],
    ['a time before the one of the commit before', [commit(1, 2), commit(3, 1, { recordedAt: 1_000 })], 3],
    ['a first commit that follows another one', [commit(1, 2, { previousHash: 'x' })], 1],
  ])('fail at %s', (_, commits, version) => {
    expect(damageOf(commits, direction)).toBe(version);
  });
});
