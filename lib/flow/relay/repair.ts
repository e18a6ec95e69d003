// Relays the batches that the event source mapping gave up on, from the objects that it left in S3. Records that are not
// there (an object with metadata alone, a short payload) cannot be named: then an incident asks for a full scrub, which
// finds every commit that the log does not have.

import { EventRecoveryError, InvalidInputError } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logging.ts';
import { type FailedBatch, parseFailedBatch } from './failed-batch.ts';
import type { Incidents } from './port.ts';
import type { Relay } from './relay.ts';

export interface FailedBatchObject {
  bucket: string;
  key: string;
}

export interface FailedBatches {
  /** @throws when the object cannot be read */
  read(object: FailedBatchObject): Promise<string>;
}

export interface RepairDependencies {
  relay: Relay;
  failedBatches: FailedBatches;
  incidents: Incidents;
  clock: Clock;
  logger: Logger;
}

export interface RepairReport {
  key: string;
  records: number;
  commits: number;
  malformed: number;
  /** True when a full scrub was asked for. */
  scrubNeeded: boolean;
}

/** Stands for every stream: the incident is about the log as a whole. */
export const WHOLE_LOG = '$all';

/** @throws EventRecoveryError `REPAIR_INCOMPLETE` (retryable) when records could not be relayed */
export async function repairFailedBatch(
  deps: RepairDependencies,
  object: FailedBatchObject,
  options: { remainingMs: () => number },
): Promise<RepairReport> {
  const batch = parseFailedBatch(await deps.failedBatches.read(object)) ?? unreadable(object);
  const { missing, records, origin } = batch;
  if (missing !== undefined) {
    deps.logger.error('records of a failed batch are missing: a full scrub is needed', { ...object, missing });
    await deps.incidents.record({
      kind: 'stream-trimmed',
      streamId: WHOLE_LOG,
      version: 0,
      detail: missing,
      foundBy: 'repair-relay',
      foundAt: deps.clock.now(),
    });
  }
  const { commits, failures } = await deps.relay.relayBatch(records, options);
  const malformed = failures.filter(({ reason }) => reason === 'malformed').length;
  const report = { key: object.key, records: records.length, commits, malformed, scrubNeeded: missing !== undefined };
  deps.logger.info('failed batch relayed', { ...report, origin });
  if (failures.length === malformed) return report;
  throw new EventRecoveryError(
    'REPAIR_INCOMPLETE',
    `${failures.length - malformed} streams of the failed batch ${object.key} could not be relayed; remedy: invoke repair-relay again with ${JSON.stringify(object)}`,
    { retryable: true, facts: { ...object, ...report, failures } },
  );
}

const unreadable = ({ key }: FailedBatchObject): FailedBatch => ({
  records: [],
  origin: key,
  missing: `the object ${key} is not the record of a failed batch`,
});

/**
 * The object that an invocation is about: S3's `Object Created` as EventBridge delivers it, or `{ bucket, key }` by hand.
 * @throws InvalidInputError `UNKNOWN_TRIGGER`, also for an object of another bucket
 */
export function failedBatchObject(event: unknown, expectedBucket: string): FailedBatchObject {
  const direct = (event ?? {}) as { bucket?: unknown; key?: unknown; detail?: unknown };
  const { bucket, object } = (direct.detail ?? {}) as { bucket?: { name?: unknown }; object?: { key?: unknown } };
  const found = { bucket: direct.bucket ?? bucket?.name, key: direct.key ?? object?.key };
  if (found.bucket === expectedBucket && typeof found.key === 'string' && found.key.length > 0) {
    return found as FailedBatchObject;
  }
  throw new InvalidInputError('UNKNOWN_TRIGGER', {
    what: 'event of the repair-relay function',
    got: event,
    allowed: `an S3 "Object Created" event of EventBridge, or { "bucket": "${expectedBucket}", "key": "..." }`,
    remedy: 'pass the key of an object in the relay-failures bucket',
  });
}
