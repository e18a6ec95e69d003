// What a verification's violations say about the store, in the words of the diagnosis. Pure. One stream counts once, with the
// kind that decides about its repair: bytes before links, links before ends.

import type { DamagedStream } from '../diagnose/types.ts';
import type { Violation, ViolationKind } from '../verify/types.ts';

/** Which damage a violation is a sign of; the order decides when a stream shows several. */
const SIGNS: readonly [ViolationKind, DamagedStream['kind']][] = [
  ['store-hash', 'hash-mismatch'],
  ['store-unreadable', 'hash-mismatch'],
  ['log-other-commit', 'rewritten-history'],
  ['store-hole', 'missing-commit'],
  ['store-chain', 'fork'],
  ['store-time', 'rewritten-history'],
  ['log-unknown-commit', 'truncated-stream'],
  ['directory', 'directory-mismatch'],
  ['checkpoint-beyond-head', 'checkpoint-beyond-head'],
  ['log-missing-commit', 'unsequenced-commit'],
];

export function damagedStreams(violations: readonly Violation[]): DamagedStream[] {
  const found = new Map<string, DamagedStream>();
  for (const [violation, kind] of SIGNS) {
    for (const { kind: of, streamId, version = 0 } of violations) {
      if (of !== violation || streamId === undefined || found.has(streamId)) continue;
      found.set(streamId, { streamId, kind, version });
    }
  }
  return [...found.values()];
}
