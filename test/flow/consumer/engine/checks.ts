// What must hold when a system is quiet: every announced event resolved in order, the digest that of the store's history,
// nothing left behind, and every message accounted for.

import { expect } from '@jest/globals';
import { foldDigest, GENESIS_DIGEST } from '../../../../lib/flow/checkpoint/digest.ts';
import { deadLetterId } from '../../../../lib/flow/dead-letter/id.ts';
import type { Outcome } from '../../../../lib/model/checkpoint.ts';
import type { Version } from '../../../../lib/model/ids.ts';
import type { System } from './system.ts';

/** Recomputed from the store and the rows alone. */
export async function digestOf(system: System, stream: string): Promise<string> {
  const checkpoint = await system.checkpoint(stream);
  if (checkpoint === undefined) throw new Error(`no checkpoint of ${stream}`);
  let digest = GENESIS_DIGEST;
  for await (const commit of system.store.readCommits(stream, checkpoint.generationStart + 1)) {
    for (const { metadata } of commit.events) {
      const { version } = metadata;
      if (version <= checkpoint.generationStart || version > checkpoint.version) continue;
      const row = await system.deadLetters.get(deadLetterId({ ...checkpoint, version: version as Version }));
      const outcome: Outcome = row?.passedAs ?? 'resolved';
      digest = foldDigest(digest, version, commit.hash, outcome);
    }
  }
  return digest;
}

export async function expectSound(system: System, stream: string): Promise<void> {
  const checkpoint = await system.checkpoint(stream);
  expect(system.violations).toEqual([]);
  expect(checkpoint?.resolvedDigest).toBe(await digestOf(system, stream));
}

/** All `count` events resolved, nothing in flight, nothing in the dead-letter queue. */
export async function expectAllResolved(system: System, stream: string, count: number): Promise<void> {
  await expectSound(system, stream);
  const checkpoint = await system.checkpoint(stream);
  expect({ stream, version: checkpoint?.version, dead: system.queue.dead }).toEqual({
    stream,
    version: count,
    dead: [],
  });
  for (const leftover of ['lease', 'parked', 'attempting', 'rewind'] as const) {
    expect([leftover, checkpoint?.[leftover]]).toEqual([leftover, undefined]);
  }
}
