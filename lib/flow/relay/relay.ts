// The relay: the only reader of the DynamoDB stream. It gives every commit its position, exactly once and in stream order,
// and publishes at least once. It keeps no state: what it needs to know is in the log, so that it may be killed anywhere,
// run twice at once, or read the whole DynamoDB stream again.

import type { BackfillDetail } from '../../model/wake-up.ts';
import { type BackfillReport, continueBackfill } from './continue-backfill.ts';
import type { RelayDependencies } from './dependencies.ts';
import { type BatchReport, relayBatch } from './relay-batch.ts';

export interface Relay {
  /** Never throws for what a record holds. Records in `failures` must be delivered again. */
  relayBatch(records: readonly unknown[], options: { remainingMs: () => number }): Promise<BatchReport>;
  /** @throws EventRecoveryError (retryable) when it was interrupted */
  continueBackfill(detail: BackfillDetail, options: { remainingMs: () => number }): Promise<BackfillReport>;
}

/** @example const report = await createRelay(dependencies).relayBatch(event.Records, { remainingMs }); */
export const createRelay = (deps: RelayDependencies): Relay => ({
  relayBatch: (records, options) => relayBatch(deps, records, options),
  continueBackfill: (detail, options) => continueBackfill(deps, detail, options),
});
