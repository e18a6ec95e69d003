// Is a commit that the log does not have yet lost to it, or only on its way? Pure.

/** A relay needs seconds; an hour of throttling is the alarm's business, not the scrub's. */
export const SEQUENCING_GRACE_MS = 15 * 60_000;
/** Developer Guide, "Change data capture for DynamoDB Streams": records are kept for 24 hours. Then no relay meets them. */
export const STREAM_RETENTION_MS = 24 * 60 * 60_000;
/** With more lag than this the relay may still have the record before it. */
export const LAG_BOUND_MS = 2 * 60_000;

/**
 * @param ageMs since the commit was recorded
 * @param lagMs of the relay; undefined: nobody can say
 */
export function decideUnsequenced(ageMs: number, lagMs: number | undefined): 'on-its-way' | 'lost' {
  if (ageMs > STREAM_RETENTION_MS + SEQUENCING_GRACE_MS) return 'lost';
  const isRelayUpToDate = lagMs !== undefined && lagMs <= LAG_BOUND_MS;
  return isRelayUpToDate && ageMs > SEQUENCING_GRACE_MS + lagMs ? 'lost' : 'on-its-way';
}
