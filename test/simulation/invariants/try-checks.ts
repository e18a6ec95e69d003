// What tries of events must obey: an event that goes on failing is given up after a bounded number of tries, and a consumer
// with effects outside DynamoDB completes an event's marker before it begins the next event.

import type { SimulatedProcess } from '../kernel/process.ts';
import type { PlannedConsumer } from '../scenario/plan.ts';
import type { DeadLetterChecks } from './dead-letter-checks.ts';
import type { Effect } from './ledger.ts';
import type { MarkerWatch } from './marker-watch.ts';
import type { Violations } from './violations.ts';

export interface TryChecks {
  /** A react begins. `scope`: that of the markers. */
  onReact(consumer: string, streamId: string, version: number, scope: string, process: SimulatedProcess): void;
  onEffect(effect: Effect): void;
  /** Every generation and every redelivery has tries of its own. */
  onScope(consumer: string, streamId: string, version: number, scope: string): void;
  /** The try of this number does not end well. */
  onFailedTry(consumer: string, streamId: string, version: number, tryNumber: number): void;
}

/** Every try of `maxAttempts` may be preceded by one that counts for nobody: among others, or without its time. */
const TRIES_PER_ATTEMPT = 2;
/** A redelivery that ends its function comes back until its queue gives it up (at most 8 receives) and is taken back. */
const TRIES_PER_REDRIVE = 10;

export function createTryChecks(options: {
  consumers: readonly PlannedConsumer[];
  violations: Violations;
  markers: MarkerWatch;
  deadLetters: Pick<DeadLetterChecks, 'rows'>;
  /** Faults that may have cut a try of this consumer off. */
  disturbances: (consumer: string) => number;
}): TryChecks {
  const { consumers, violations, markers, deadLetters, disturbances } = options;
  const failedTries = new Map<string, Set<number>>();
  const scopes = new Map<string, Set<string>>();
  /** The last react of each process on each stream. */
  const lastReact = new Map<string, { version: number; scope: string; effect?: Effect }>();
  const placeOf = (process: SimulatedProcess, consumer: string, streamId: string): string =>
    `${process.name}|${consumer}|${streamId}`;

  const roundsOf = (consumer: string, streamId: string, version: number): number => {
    let rounds = 0;
    for (const row of deadLetters.rows.values()) {
      const isThis = row.consumer === consumer && row.streamId === streamId && row.version === version;
      if (isThis) rounds = Math.max(rounds, Number(row.rounds ?? 0));
    }
    return rounds;
  };

  return {
    onReact: (consumer, streamId, version, scope, process) => {
      const place = placeOf(process, consumer, streamId);
      const previous = lastReact.get(place);
      lastReact.set(place, { version, scope });
      if (previous?.effect?.reactEndedWell !== true || previous.scope !== scope || version <= previous.version) return;
      if (!markers.wasCompleted(consumer, scope, streamId, previous.version)) {
        const where = `${consumer} on ${streamId} by ${process.name}`;
        violations.report(
          'marker-not-completed',
          `${where}: begins ${version}, the marker of ${previous.version} is open`,
        );
      }
    },
    onScope: (consumer, streamId, version, scope) => {
      const key = `${consumer}|${streamId}|${version}`;
      const known = scopes.get(key) ?? new Set();
      known.add(scope);
      scopes.set(key, known);
    },
    onEffect: (effect) => {
      const begun = lastReact.get(placeOf(effect.process, effect.consumer, effect.streamId));
      if (begun?.version === effect.version) begun.effect = effect;
    },
    onFailedTry: (consumer, streamId, version, tryNumber) => {
      const key = `${consumer}|${streamId}|${version}`;
      const tries = failedTries.get(key) ?? new Set();
      tries.add(tryNumber);
      failedTries.set(key, tries);
      const maxAttempts = consumers.find(({ name }) => name === consumer)?.maxAttempts ?? 0;
      const replays = (scopes.get(key)?.size ?? 1) - 1;
      const rounds = roundsOf(consumer, streamId, version);
      const allowed = TRIES_PER_ATTEMPT * (maxAttempts + 1) * (rounds + 1) + TRIES_PER_REDRIVE * (rounds + replays);
      if (tries.size > allowed + disturbances(consumer)) {
        violations.report('tries-without-end', `${consumer} on ${streamId}: ${tries.size} failed tries of ${version}`);
      }
    },
  };
}
