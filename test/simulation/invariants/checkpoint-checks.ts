// The checkpoint's promises, checked at every write of a checkpoint item: leases are never stolen, tokens never reused,
// progress never goes back within a generation, never passes an unresolved event, and carries the right digest.

import type { PlannedConsumer } from '../scenario/plan.ts';
import type { Change, Item } from './change.ts';
import type { Ledger } from './ledger.ts';
import { createResolution, type Resolution } from './resolution.ts';
import type { Violations } from './violations.ts';

export interface CheckpointChecks {
  onChange(change: Change): void;
  /** The checkpoint item as it stands. */
  item(consumer: string, streamId: string): Item | undefined;
  /** Streams of which this consumer has a checkpoint. */
  keys(consumer: string): string[];
  /** A dead letter says that the checkpoint passed this event without an effect. */
  passed(
    consumer: string,
    streamId: string,
    version: number,
    generation: number,
    outcome: 'skipped' | 'discarded',
  ): void;
  /** What the ledger knows about one generation (`g1`, `g2`, ...). */
  resolution(consumer: string, scope: string, streamId: string): Resolution;
}

interface Followed {
  item: Item | undefined;
}

const scopeOf = (generation: number): string => `g${generation}`;
const number = (item: Item | undefined, name: string): number => Number(item?.[name] ?? 0);

export function createCheckpointChecks(options: {
  consumers: readonly PlannedConsumer[];
  ledger: Ledger;
  violations: Violations;
  now: () => number;
  onTakeOver: () => void;
}): CheckpointChecks {
  const { consumers, ledger, violations, now, onTakeOver } = options;
  const followed = new Map<string, Followed>();
  const resolutions = new Map<string, Resolution>();
  const wanted = new Map(consumers.map(({ name, eventTypes }) => [name, new Set(eventTypes)]));

  const resolution = (consumer: string, scope: string, streamId: string, start = 0): Resolution => {
    const key = `${consumer}|${scope}|${streamId}`;
    const known = resolutions.get(key);
    if (known !== undefined) return known;
    const types = wanted.get(consumer) ?? new Set();
    const made = createResolution(ledger, streamId, start, (type) => types.has(type));
    resolutions.set(key, made);
    return made;
  };

  const stateOf = (key: string): Followed => {
    const known = followed.get(key);
    if (known !== undefined) return known;
    const made: Followed = { item: undefined };
    followed.set(key, made);
    return made;
  };

  const onChange = ({ before, after, by }: Change): void => {
    const key = String((after ?? before)?.pk);
    if (key === 'registry' || (after ?? before)?.sk !== 'checkpoint') return;
    const hash = key.indexOf('#');
    const consumer = key.slice(0, hash);
    const streamId = key.slice(hash + 1);
    const where = `${consumer} on ${streamId} by ${by}`;
    if (after === undefined) {
      violations.report('checkpoint-backwards', `${where}: the checkpoint was deleted`);
      return;
    }
    const state = stateOf(key);
    state.item = after;
    const redriving = after.redriving as { version: number; decision?: string } | undefined;
    // The operator has decided: whoever works on the stream goes past this event, and stores that with what follows.
    if (redriving?.decision === 'discard') {
      resolution(consumer, scopeOf(number(after, 'generation') || 1), streamId).passed.set(
        redriving.version,
        'discarded',
      );
    }
    checkLease(before, after, where);
    checkProgress(before, after, { consumer, streamId, where });
  };

  const checkLease = (before: Item | undefined, after: Item, where: string): void => {
    const [tokenBefore, tokenAfter] = [number(before, 'token'), number(after, 'token')];
    if (tokenAfter < tokenBefore) violations.report('token-reused', `${where}: ${tokenBefore} -> ${tokenAfter}`);
    const takenOver = tokenAfter !== tokenBefore;
    const held = before?.leaseOwner !== undefined;
    if (takenOver && held) onTakeOver();
    if (takenOver && held && number(before, 'leaseUntil') > now()) {
      const leftMs = number(before, 'leaseUntil') - now();
      violations.report('lease-stolen', `${where}: ${leftMs} ms before the lease of ${before?.leaseOwner} ended`);
    }
    if (after.leaseOwner !== undefined && after.leaseOwner !== before?.leaseOwner && !takenOver) {
      violations.report('token-reused', `${where}: a new owner under the old token ${tokenAfter}`);
    }
    const advanced = number(after, 'version') !== number(before, 'version');
    if (advanced && !held && !takenOver) violations.report('write-without-lease', `${where}: nobody held the lease`);
    if (number(after, 'wanted') < number(before, 'wanted')) {
      violations.report('wanted-left-behind', `${where}: wanted ${before?.wanted} -> ${after.wanted}`);
    }
  };

  const checkProgress = (
    before: Item | undefined,
    after: Item,
    { consumer, streamId, where }: { consumer: string; streamId: string; where: string },
  ): void => {
    const [generationBefore, generation] = [number(before, 'generation') || 1, number(after, 'generation') || 1];
    const [from, to] = [number(before, 'version'), number(after, 'version')];
    const start = number(after, 'generationStart');
    if (generation < generationBefore) {
      violations.report('checkpoint-backwards', `${where}: generation ${generationBefore} -> ${generation}`);
    }
    if (generation === generationBefore && to < from)
      violations.report('checkpoint-backwards', `${where}: version ${from} -> ${to}`);
    if (to > ledger.head(streamId)) {
      violations.report('checkpoint-past-head', `${where}: ${to}, the stream ends at ${ledger.head(streamId)}`);
      return;
    }
    const truth = resolution(consumer, scopeOf(generation), streamId, start);
    const moved = before === undefined || to !== from || generation !== generationBefore;
    if (!moved) return;
    if (truth.nextUnresolved() <= to) {
      const version = truth.nextUnresolved();
      violations.report('checkpoint-past-unresolved', `${where}: at ${to}, but version ${version} was never resolved`);
    }
    if (number(after, 'resolvedCount') !== to - start) {
      violations.report('wrong-count', `${where}: ${after.resolvedCount} resolved, expected ${to - start}`);
    }
    if (after.resolvedDigest !== truth.digestAt(to)) {
      violations.report('wrong-digest', `${where}: at ${to}: ${after.resolvedDigest}, expected ${truth.digestAt(to)}`);
    }
  };

  return {
    onChange,
    passed: (consumer, streamId, version, generation, outcome) => {
      resolution(consumer, scopeOf(generation), streamId).passed.set(version, outcome);
    },
    item: (consumer, streamId) => followed.get(`${consumer}#${streamId}`)?.item,
    keys: (consumer) =>
      [...followed.keys()].filter((key) => key.startsWith(`${consumer}#`)).map((key) => key.slice(consumer.length + 1)),
    resolution,
  };
}
