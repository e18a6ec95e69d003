// The Events table's promises, checked at every commit: append only, no holes, a hash chain, time that never goes back,
// no event that nobody sent, none twice; and at the end: every acknowledged append is where it was promised to be.

import { isDeepStrictEqual } from 'node:util';
import type { Change, Item } from './change.ts';
import type { Ledger } from './ledger.ts';
import type { Violations } from './violations.ts';

export interface DecodedCommit {
  streamId: string;
  version: number;
  count: number;
  recordedAt: number;
  previousHash: string;
  hash: string;
  /** Computed by the simulation, not by the code under test. */
  expectedHash: string;
  events: { id: string; type: string }[];
}

/** Who damages the store behind everybody's back. */
export const ADVERSARY = 'adversary';

export interface StoreChecks {
  onChange(change: Change): void;
  /** Something that the adversary has done is not repaired. */
  isDamaged(): boolean;
  /** The adversary has damaged this stream at some time. */
  wasDamaged(streamId: string): boolean;
  /** Call when the system is quiet. */
  finish(): void;
}

const GENESIS = '0'.repeat(64);

export function createStoreChecks(options: {
  ledger: Ledger;
  violations: Violations;
  decode: (item: Record<string, unknown>) => DecodedCommit;
  now: () => number;
}): StoreChecks {
  const { ledger, violations, decode, now } = options;
  const heads = new Map<string, { hash: string; recordedAt: number }>();

  /** What stood there before the damage, by place. */
  const damaged = new Map<string, Item>();
  const everDamaged = new Set<string>();

  /** True: it was damage or its repair, which may do what nobody else may. */
  const isAboutDamage = ({ before, after, by }: Change): boolean => {
    const { streamId, version } = (after ?? before) as Item;
    const place = `${String(streamId)}@${String(version)}`;
    if (by === ADVERSARY) {
      damaged.set(place, damaged.get(place) ?? (before as Item));
      everDamaged.add(String(streamId));
      return true;
    }
    const original = damaged.get(place);
    if (original === undefined || after === undefined) return false;
    if (!isDeepStrictEqual(after, original)) violations.report('history-rewritten', `${place} by ${by}: other bytes`);
    damaged.delete(place);
    return true;
  };

  const onChange = (change: Change): void => {
    const { before, after, by } = change;
    if (isAboutDamage(change)) return;
    if (before !== undefined || after === undefined) {
      violations.report('history-rewritten', `${before?.streamId}@${before?.version} by ${by}`);
      return;
    }
    const commit = decode(after);
    const { streamId, version } = commit;
    const where = `${streamId}@${version} by ${by}`;
    const head = heads.get(streamId) ?? { hash: GENESIS, recordedAt: 0 };
    if (version !== ledger.head(streamId) + 1) {
      violations.report('stream-hole', `${where}: the stream ended at ${ledger.head(streamId)}`);
    }
    if (commit.previousHash !== head.hash) {
      violations.report('broken-hash-chain', `${where}: previousHash ${commit.previousHash}, expected ${head.hash}`);
    }
    if (commit.hash !== commit.expectedHash) {
      violations.report('broken-hash-chain', `${where}: hash ${commit.hash}, expected ${commit.expectedHash}`);
    }
    if (commit.recordedAt < head.recordedAt) {
      violations.report('recorded-at-decreases', `${where}: ${head.recordedAt} -> ${commit.recordedAt}`);
    }
    if (commit.events.length !== commit.count) {
      violations.report('stream-hole', `${where}: count ${commit.count}, ${commit.events.length} events`);
    }
    heads.set(streamId, { hash: commit.hash, recordedAt: commit.recordedAt });
    remember(commit, where);
  };

  const remember = (commit: DecodedCommit, where: string): void => {
    const stored = ledger.stored.get(commit.streamId) ?? [];
    ledger.stored.set(commit.streamId, stored);
    for (const { id, type } of commit.events) {
      if (!ledger.attempted.get(commit.streamId)?.has(id)) {
        violations.report('invented-event', `${where}: nobody appended "${id}"`);
      }
      if (stored.some((event) => event.id === id)) violations.report('event-stored-twice', `${where}: "${id}"`);
      stored.push({
        streamId: commit.streamId,
        version: stored.length + 1,
        id,
        type,
        commitVersion: commit.version,
        commitHash: commit.hash,
        storedAt: now(),
      });
    }
  };

  return {
    onChange,
    isDamaged: () => damaged.size > 0,
    wasDamaged: (streamId) => everDamaged.has(streamId),
    finish: () => {
      for (const place of damaged.keys()) violations.report('damage-left-open', `${place} was not put back`);
      for (const { streamId, firstVersion, ids } of ledger.acknowledged) {
        ids.forEach((id, index) => {
          const stored = ledger.event(streamId, firstVersion + index);
          if (stored?.id !== id) {
            const found = stored === undefined ? 'nothing' : `"${stored.id}"`;
            violations.report(
              'lost-append',
              `"${id}" was acknowledged as ${streamId}@${firstVersion + index}, found ${found}`,
            );
          }
        });
      }
    },
  };
}
