// The books of one consumer over one stream, filled commit by commit in version order: every event into exactly one box, and
// the digest of the current generation folded again from what is stored. Pure.

import { createHash } from 'node:crypto';
import type { ExpectedEffects } from '../../model/effect-check.ts';
import { type Conservation, emptyConservation, type Violation } from './types.ts';

/** The consumer as the registry has it; only what decides whose an event is. */
export interface ConsumerFacts {
  name: string;
  /** Type -> position after which it applies. */
  eventTypes: Readonly<Record<string, number>>;
  startPosition: number;
  effects: 'transactional' | 'idempotent';
}

export interface CheckpointFacts {
  version: number;
  generation: number;
  generationStart: number;
  resolvedCount: number;
  resolvedDigest: string;
  parkedVersion?: number;
  /** Milliseconds since 1970, server clock; absent when nobody holds the lease. */
  leaseUntil?: number;
  /** Some of its events were given to the consumer again, with effects. */
  isRedelivered?: boolean;
  /** Up to here somebody had events passed without their effects. */
  passedTo?: number;
}

/**
 * Versions that were passed other than by a react, from the dead letters: `as` was folded into the digest, `box` is where the
 * event stands now (a skipped event that was redelivered since is resolved).
 */
export type Passed = ReadonlyMap<number, { as: 'skipped' | 'discarded'; box: 'skipped' | 'discarded' | 'resolved' }>;

export interface AccountInput {
  streamId: string;
  consumer: ConsumerFacts;
  checkpoint: CheckpointFacts | undefined;
  /** Of dead letters that no rewind superseded. */
  passed: Passed;
  /** Versions whose effects nobody can demand: they were given up on. */
  doubtful: ReadonlySet<number>;
  /** Last version of the open-gap row, when there is one. */
  openGapTo?: number;
  now: number;
  /** Unresolved events younger than this are lagging, older ones are a gap. */
  lagBoundMs: number;
}

export interface CommittedEvent {
  version: number;
  type: string;
  /** Infinity while the log does not know it. */
  position: number;
  recordedAt: number;
  commitHash: string;
}

const DIGEST_GENESIS = '0'.repeat(64);

export interface Account {
  add(event: CommittedEvent): void;
  /** After the last event. `head` = version of the stream's last stored event. */
  close(head: number): StreamAccount;
}

export interface StreamAccount {
  conservation: Conservation;
  violations: Violation[];
  digestChecked: boolean;
  /** Up to the checkpoint, ascending. */
  expected: ExpectedEffects[];
}

export function openAccount(input: AccountInput): Account {
  const { consumer, checkpoint, passed } = input;
  const reached = checkpoint?.version ?? 0;
  const books = emptyConservation();
  let digest = DIGEST_GENESIS;
  let count = 0;
  // Events that nobody wants and that stand behind the last wanted one are resolved: nothing will ever wake for them.
  let unwantedTail = 0;
  let open = 0;
  let oldestWanted = Number.POSITIVE_INFINITY;
  const expected: ExpectedEffects[] = [];
  const atMost = effectsAtMost(consumer, checkpoint);

  const wants = (event: CommittedEvent): boolean => {
    const appliesAfter = Object.hasOwn(consumer.eventTypes, event.type) ? consumer.eventTypes[event.type] : undefined;
    return appliesAfter !== undefined && event.position > appliesAfter;
  };

  const isDoubtful = (version: number): boolean =>
    input.doubtful.has(version) || version <= (checkpoint?.passedTo ?? 0);

  const inGeneration = (version: number): boolean => version > (checkpoint?.generationStart ?? 0) && version <= reached;

  return {
    add(event) {
      if (inGeneration(event.version)) {
        const outcome = passed.get(event.version)?.as ?? 'resolved';
        digest = createHash('sha256').update(`${digest}|${event.version}|${event.commitHash}|${outcome}`).digest('hex');
        count++;
      }
      if (event.position <= consumer.startPosition) return;
      books.appended++;
      if (event.version <= reached) {
        books[passed.get(event.version)?.box ?? 'resolved']++;
        if (wants(event)) expect(expected, event.version, isDoubtful(event.version) ? 0 : 1, atMost);
      } else if (checkpoint?.parkedVersion === event.version) books.parked++;
      else if (checkpoint?.parkedVersion !== undefined) books.waiting++;
      else {
        open++;
        unwantedTail++;
        if (!wants(event)) return;
        unwantedTail = 0;
        oldestWanted = Math.min(oldestWanted, event.recordedAt);
      }
    },

    close(head) {
      books.resolved += unwantedTail;
      const leased = (checkpoint?.leaseUntil ?? 0) >= input.now;
      const young = input.now - oldestWanted < input.lagBoundMs;
      books[leased || young ? 'lagging' : 'gap'] += open - unwantedTail;

      const violations: Violation[] = [];
      const report = (kind: Violation['kind'], detail: string, version = reached): void => {
        violations.push({ kind, consumer: consumer.name, streamId: input.streamId, version, detail });
      };
      if (books.gap > 0 && (input.openGapTo ?? 0) < head - unwantedTail) {
        report(
          'open-gap-unrecorded',
          `${books.gap} events from version ${reached + 1} on are a gap that no open-gap row records`,
        );
      }
      if (checkpoint === undefined) return { conservation: books, violations, digestChecked: false, expected };
      if (reached > head) report('checkpoint-beyond-head', `checkpoint ${reached}, but the stream ends at ${head}`);
      const expectedCount = reached - checkpoint.generationStart;
      if (checkpoint.resolvedCount !== expectedCount) {
        report(
          'checkpoint-count',
          `resolvedCount ${checkpoint.resolvedCount}, but ${expectedCount} versions since the generation began`,
        );
      }
      const complete = count === expectedCount;
      if (!complete) report('checkpoint-count', `only ${count} of ${expectedCount} resolved versions are stored`);
      else if (checkpoint.resolvedDigest !== digest) {
        report(
          'checkpoint-digest',
          `resolvedDigest ${checkpoint.resolvedDigest.slice(0, 16)}…, recomputed ${digest.slice(0, 16)}…`,
        );
      }
      return { conservation: books, violations, digestChecked: complete, expected };
    },
  };
}

/**
 * Exactly once is promised within one generation, to a transactional consumer. A later generation may have repeated effects:
 * the checkpoint does not keep whether its replay suppressed them.
 */
function effectsAtMost({ effects }: ConsumerFacts, checkpoint: CheckpointFacts | undefined): 1 | undefined {
  if (effects !== 'transactional' || checkpoint === undefined || checkpoint.isRedelivered) return undefined;
  return checkpoint.generation > 1 ? undefined : 1;
}

/** Ranges, because a stream's events are mostly expected in the same way. */
function expect(ranges: ExpectedEffects[], version: number, min: 0 | 1, max: 1 | undefined): void {
  const last = ranges.at(-1);
  if (last !== undefined && last.to === version - 1 && last.min === min) last.to = version;
  else ranges.push({ from: version, to: version, min, ...(max && { max }) });
}
