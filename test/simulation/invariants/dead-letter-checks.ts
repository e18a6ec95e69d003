// Dead letters: a row is never lost, a stream is parked only behind a row, and only an event that really failed (or whose
// tries were really cut off) as often as the consumer allows is given up.

import type { PlannedConsumer } from '../scenario/plan.ts';
import type { Change, Item } from './change.ts';
import type { CheckpointChecks } from './checkpoint-checks.ts';
import type { Violations } from './violations.ts';

export interface DeadLetterChecks {
  onRow(change: Change): void;
  /** A change of a checkpoint item, after `onRow` has seen the rows of the same request. */
  onCheckpoint(change: Change): void;
  row(id: string): Item | undefined;
  readonly rows: ReadonlyMap<string, Item>;
  /** Some dead letter of this consumer has not come to its end. */
  hasOpen(consumer: string): boolean;
}

/** Ends of a dead letter. */
export const ENDS: ReadonlySet<string> = new Set(['resolved', 'discarded', 'superseded']);

/** Where a row may go from where it is. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  parked: ['parked', 'redriving', 'resolved', 'discarded', 'superseded'],
  redriving: ['redriving', 'parked', 'resolved', 'discarded', 'superseded', 'skipped'],
  skipped: ['skipped', 'redriving', 'resolved', 'discarded', 'superseded'],
  // Delivered once more by an operator, and failed then.
  resolved: ['resolved', 'superseded', 'skipped'],
  discarded: ['discarded', 'superseded'],
  superseded: ['superseded', 'parked', 'skipped'],
};

export function createDeadLetterChecks(options: {
  consumers: readonly PlannedConsumer[];
  checkpoints: CheckpointChecks;
  violations: Violations;
  /** Tries of this event by this consumer that did not end well. */
  failedTries: (consumer: string, streamId: string, version: number) => number;
  /** Faults that may have cut a try of this consumer off. */
  disturbances: (consumer: string) => number;
}): DeadLetterChecks {
  const { consumers, checkpoints, violations, failedTries, disturbances } = options;
  const rows = new Map<string, Item>();

  const onRow = ({ before, after, by }: Change): void => {
    const id = String((after ?? before)?.id);
    if (after === undefined) {
      violations.report('dead-letter-lost', `${id} was deleted by ${by}`);
      return;
    }
    rows.set(id, after);
    const status = String(after.status);
    if (before !== undefined && !NEXT[String(before.status)]?.includes(status)) {
      violations.report('dead-letter-lost', `${id} by ${by}: ${String(before.status)} -> ${status}`);
    }
    const { consumer, streamId, version } = after as { consumer: string; streamId: string; version: number };
    const planned = consumers.find(({ name }) => name === consumer);
    const givenUp = status === 'parked' || status === 'skipped';
    if (givenUp && before?.status !== status && planned !== undefined) {
      const failed = failedTries(consumer, streamId, version);
      if (failed + disturbances(consumer) < planned.maxAttempts) {
        violations.report('innocent-parked', `${id} by ${by}: ${failed} failed tries, allowed ${planned.maxAttempts}`);
      }
    }
    const { passedAs } = after;
    if (passedAs === 'skipped' || passedAs === 'discarded') {
      checkpoints.passed(consumer, streamId, version, Number(after.generation), passedAs);
    }
  };

  const onCheckpoint = ({ after, by }: Change): void => {
    const parked = after?.parked as { version: number; deadLetterId: string } | undefined;
    if (after === undefined || parked === undefined) return;
    const row = rows.get(parked.deadLetterId);
    const where = `${String(after.pk)} by ${by}`;
    if (row === undefined || row.status !== 'parked') {
      violations.report('parked-without-dead-letter', `${where}: ${parked.deadLetterId} is ${String(row?.status)}`);
    }
    if (parked.version !== Number(after.version) + 1) {
      violations.report(
        'parked-without-dead-letter',
        `${where}: parked at ${parked.version}, checkpoint ${after.version}`,
      );
    }
  };

  const hasOpen = (consumer: string): boolean => {
    for (const row of rows.values()) if (row.consumer === consumer && !ENDS.has(String(row.status))) return true;
    return false;
  };

  return { onRow, onCheckpoint, row: (id) => rows.get(id), rows, hasOpen };
}
