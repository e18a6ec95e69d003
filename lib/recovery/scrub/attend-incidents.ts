// Incidents are damage that somebody met while doing something else (relay, consumers): a scrub looks at those streams first,
// and at everything at once when the DynamoDB stream was trimmed before the relay had read it. What is well again is closed.

import type { Incident, Incidents } from '../../flow/relay/port.ts';
import type { Logger } from '../../platform/logging.ts';
import type { ExaminedStream } from './examine-stream.ts';
import { WHOLE_LOG } from './types.ts';

/** Streams looked at in one scrub because of incidents; the others follow in the next ones. */
const STREAMS_MAX = 20;
/** A stream that was found damaged is not read again for its incidents before this time: a restore says when it is done. */
export const ATTEND_AGAIN_MS = 60 * 60_000;
/** What a look at a stream can judge. */
const JUDGED: readonly Incident['kind'][] = [
  'missing-commit',
  'hash-mismatch',
  'rewritten-history',
  'fork',
  'truncated-stream',
  'malformed-record',
  'unsequenced-commit',
  'directory-behind-log',
];
/** Incidents read in one scrub; a storm of them is one outage, and the rotation meets the rest. */
const INCIDENTS_MAX = 1_000;

export interface OpenIncidents {
  /** By stream. */
  streams: Map<string, Incident[]>;
  /** Records left the DynamoDB stream unread: only a look at everything finds what they were. */
  trims: Incident[];
}

export async function openIncidents(incidents: Pick<Incidents, 'open'>): Promise<OpenIncidents> {
  const found: OpenIncidents = { streams: new Map(), trims: [] };
  let left = INCIDENTS_MAX;
  for await (const incident of incidents.open()) {
    if (incident.streamId === WHOLE_LOG) found.trims.push(incident);
    else if (JUDGED.includes(incident.kind))
      found.streams.set(incident.streamId, [...(found.streams.get(incident.streamId) ?? []), incident]);
    left -= 1;
    if (left === 0) break;
  }
  return found;
}

/**
 * Looks at the streams of incidents, oldest first, and closes those of streams that are well.
 * @param lastSeenAt when damage of the stream was met last; 0 = none is open
 */
export async function attendStreams(
  deps: { incidents: Pick<Incidents, 'close'>; logger: Logger; now: () => number },
  { streams }: OpenIncidents,
  lastSeenAt: (streamId: string) => number,
  look: (streamId: string) => Promise<ExaminedStream | undefined>,
): Promise<void> {
  const due = [...streams].filter(([streamId]) => lastSeenAt(streamId) < deps.now() - ATTEND_AGAIN_MS);
  for (const [streamId, incidents] of due.slice(0, STREAMS_MAX)) {
    const examined = await look(streamId);
    if (examined === undefined) return;
    if (examined.damages.length > 0) continue;
    for (const incident of incidents) await deps.incidents.close(incident, deps.now());
    deps.logger.info('incidents closed: the stream is whole', { streamId, incidents: incidents.length });
  }
}

/** The newest trim that no rotation has begun after: the next one begins at once. */
export const isTrimUnattended = ({ trims }: OpenIncidents, rotationStartedAt: number): boolean =>
  trims.some(({ foundAt }) => foundAt >= rotationStartedAt);

/** A rotation that began after the trim has looked at everything. */
export async function closeTrims(
  incidents: Pick<Incidents, 'close'>,
  { trims }: OpenIncidents,
  rotationStartedAt: number,
  now: number,
): Promise<void> {
  for (const trim of trims) if (trim.foundAt < rotationStartedAt) await incidents.close(trim, now);
}
