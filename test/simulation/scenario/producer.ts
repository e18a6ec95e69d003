// A producer: appends what the plan says with the real event store, retries what was left unanswered with the same events
// and the same expected version, and tells the ledger what it was promised. It may die and is then replaced.

import type { EventStore, ExpectedVersion } from '../../../lib/flow/event-store/port.ts';
import { isEventRecoveryError } from '../../../lib/model/errors.ts';
import type { Ledger } from '../invariants/ledger.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import type { Trace } from '../kernel/trace.ts';
import type { Faults } from '../world/faults.ts';
import type { PlannedAppend } from './plan.ts';

export interface ProducerOptions {
  process: SimulatedProcess;
  eventStore: EventStore;
  ledger: Ledger;
  faults: Faults;
  trace: Trace;
}

const TRIES = 6;
const RETRY_MS = 300;
/** Longer than DynamoDB remembers a client request token (10 min). */
const LATE_RETRY_MS = 11 * 60_000;

/** Resolves when the append was acknowledged or given up; never rejects for an outage. */
export async function produce(append: PlannedAppend, options: ProducerOptions): Promise<void> {
  const { process, eventStore, ledger, faults, trace } = options;
  const { streamId, eventIds, types, bytes } = append;
  const events = eventIds.map((id, index) => ({
    id,
    type: types[index] as string,
    data: { id, filler: 'x'.repeat(bytes) },
  }));
  ledger.attempt(streamId, eventIds);
  let expected: ExpectedVersion | undefined = append.expect === 'any' ? 'any' : undefined;
  for (let tries = 1; tries <= TRIES; tries++) {
    try {
      expected ??= append.expect === 'known' ? ledger.head(streamId) : await eventStore.getVersion(streamId);
      const result = await eventStore.append(streamId, events, expected);
      ledger.acknowledge({ streamId, firstVersion: result.firstVersion, ids: eventIds });
      trace.note(process.name, `appended ${eventIds.join(',')} as ${streamId}@${result.firstVersion}`);
      return;
    } catch (error) {
      const code = isEventRecoveryError(error) ? error.code : (error as Error).name;
      trace.note(process.name, `append of ${eventIds.join(',')} to ${streamId}: ${code}`);
      // A conflict is an answer: nothing of this append is stored, so it may be decided anew.
      if (code === 'CONCURRENCY_CONFLICT') expected = undefined;
      // Across calls `any` promises nothing about repeats: an unanswered append must not be tried again.
      else if (expected === 'any') return;
      const late = faults.strikes('late-retry', streamId);
      await process.world.timers.sleep(late ? LATE_RETRY_MS : RETRY_MS * tries);
    }
  }
  trace.note(process.name, `gives up ${eventIds.join(',')}`);
}
