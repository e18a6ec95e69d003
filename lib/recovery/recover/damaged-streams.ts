// What a verification's violations and the scrub's findings say about the store, in the words of the diagnosis. Pure. One stream counts once, with the
// kind that decides about its repair: bytes before links, links before ends.

import type { DamagedStream, Integrity } from '../diagnose/types.ts';
import type { Finding as ScrubFinding } from '../scrub/types.ts';
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

const KINDS: ReadonlySet<ViolationKind> = new Set(SIGNS.map(([kind]) => kind));

/** It says that a stream is damaged. */
export const isDamage = ({ kind }: Pick<Violation, 'kind'>): boolean => KINDS.has(kind);

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

/** Kinds of the scrub whose commits a restore can put back, in the words of the diagnosis. */
const STORE_KINDS: Readonly<Record<string, DamagedStream['kind']>> = {
  'hash-mismatch': 'hash-mismatch',
  'foreign-item': 'fork',
  'rewritten-history': 'rewritten-history',
  'time-order': 'rewritten-history',
  'missing-commit': 'missing-commit',
  fork: 'fork',
  'truncated-stream': 'truncated-stream',
  'unsequenced-commit': 'unsequenced-commit',
  'directory-missing': 'directory-mismatch',
  'directory-mismatch': 'directory-mismatch',
};
const LOG_DAMAGE: readonly ViolationKind[] = ['log-order', 'log-unreadable'];

export interface IntegritySigns {
  /** Of the verification before the repair; undefined when there was none. */
  violations?: readonly Violation[];
  /** All of them are among `violations`. */
  isWhole: boolean;
  /** Open findings of the scrub. */
  findings: readonly Pick<ScrubFinding, 'kind' | 'streamId' | 'from'>[];
}

/**
 * What is known about the store. A verification that has read everything outweighs what a scrub saw before it: what it does not
 * confirm is a finding that nobody has closed. Without one, or where it found more than it listed, the scrub is believed.
 */
export function integrityOf({ violations, isWhole, findings }: IntegritySigns): Integrity | undefined {
  const damaged = new Map(damagedStreams(violations ?? []).map((stream) => [stream.streamId, stream]));
  const isVerified = violations !== undefined && isWhole;
  const unconfirmed: NonNullable<Integrity['unconfirmed']> = [];
  const logFindings: NonNullable<Integrity['logFindings']> = [];
  for (const { kind, streamId, from } of findings) {
    const damage = STORE_KINDS[kind];
    if (damaged.has(streamId)) continue;
    if (damage === undefined && !isVerified) logFindings.push({ kind, streamId });
    else if (damage === undefined || isVerified) unconfirmed.push({ kind, streamId });
    else damaged.set(streamId, { streamId, kind: damage, version: from });
  }
  const logDamage = (violations ?? []).filter(
    ({ kind, streamId }) => LOG_DAMAGE.includes(kind) && !damaged.has(streamId ?? ''),
  ).length;
  const effects = effectsOf(violations ?? []);
  if (damaged.size + logDamage + unconfirmed.length + logFindings.length + effects.length === 0) return undefined;
  return { damagedStreams: [...damaged.values()], logDamage, unconfirmed, logFindings, effects };
}

function effectsOf(violations: readonly Violation[]): NonNullable<Integrity['effects']> {
  const found = new Map<string, NonNullable<Integrity['effects']>[number]>();
  for (const { kind, consumer, streamId } of violations) {
    if ((kind !== 'effect' && kind !== 'effect-not-verified') || consumer === undefined) continue;
    const of = found.get(consumer) ?? { consumer, wrong: 0, failed: 0, streamIds: [] };
    found.set(consumer, of);
    if (kind === 'effect') of.wrong += 1;
    else of.failed += 1;
    if (streamId !== undefined && !of.streamIds.includes(streamId)) of.streamIds.push(streamId);
  }
  return [...found.values()];
}
