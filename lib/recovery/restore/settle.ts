// What restores have left to humans: events that were set aside, and consumers that have reacted to events which are gone. Somebody
// who has dealt with it says so; what is still as it was stays open.

import type { Incident } from '../../flow/relay/port.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import { streamId as checkStreamId } from '../../model/ids.ts';
import type { Audit } from '../audit/audit.ts';
import { type LookDeps, lookAt } from './look.ts';
import { unknownStream } from './plan-restore.ts';
import type { RestoreRequest } from './request.ts';
import type { RestoreRows } from './rows.ts';
import { checkpointsBeyond, type TellDeps } from './tell-others.ts';

export interface SettleDeps extends LookDeps, Omit<TellDeps, 'world'> {
  rows: Pick<RestoreRows, 'openForks'>;
  audit: Pick<Audit, 'record'>;
}

const LEFT: readonly Incident['kind'][] = ['events-set-aside', 'checkpoint-beyond-head'];
/** In one answer. */
const LISTED_MAX = 500;

export interface IncidentsAnswer {
  result: 'incidents';
  /** Oldest first. */
  open: Omit<Incident, 'status'>[];
  truncated: boolean;
}

export interface SettledAnswer {
  result: 'settled';
  closed: number;
  /** Still open: consumers whose checkpoints still lie beyond the end of the stream. */
  open: Omit<Incident, 'status'>[];
}

export async function leftToHumans({ incidents }: Pick<SettleDeps, 'incidents'>): Promise<IncidentsAnswer> {
  const open: IncidentsAnswer['open'] = [];
  for await (const incident of incidents.open()) {
    if (!LEFT.includes(incident.kind)) continue;
    if (open.length === LISTED_MAX) return { result: 'incidents', open, truncated: true };
    open.push(shown(incident));
  }
  return { result: 'incidents', open, truncated: false };
}

/** @throws EventRecoveryError `EVENTS_NOT_APPENDED`, InvalidInputError `UNKNOWN_STREAM` */
export async function settle(
  deps: SettleDeps,
  { stream, requestedBy, reason }: Extract<RestoreRequest, { action: 'settle' }>,
  requestId: string,
): Promise<SettledAnswer> {
  const streamId = checkStreamId(stream);
  const waiting = await deps.rows.openForks(streamId);
  if (waiting.length > 0) throw notAppended(streamId, waiting.length);
  const survey = await lookAt(deps, streamId);
  if (survey === undefined) throw unknownStream(streamId);
  const beyond = await checkpointsBeyond(deps, streamId, Math.max(survey.end, survey.sequenced));
  const open: SettledAnswer['open'] = [];
  let closed = 0;
  for await (const incident of deps.incidents.open()) {
    if (incident.streamId !== streamId || !LEFT.includes(incident.kind)) continue;
    if (incident.kind === 'checkpoint-beyond-head' && beyond.some(({ version }) => version === incident.version)) {
      open.push(shown(incident));
      continue;
    }
    await deps.incidents.close(incident, deps.world.clock.now());
    closed += 1;
  }
  const outcome = { closed, open: open.length };
  await deps.audit.record({ action: 'restore-settle', requestedBy, reason, requestId, input: { streamId }, outcome });
  return { result: 'settled', closed, open };
}

const shown = ({ status: _, ...incident }: Incident): Omit<Incident, 'status'> => incident;

const notAppended = (streamId: string, commits: number): EventRecoveryError =>
  new EventRecoveryError(
    'EVENTS_NOT_APPENDED',
    `${commits} acknowledged commits of stream "${streamId}" were set aside and are not appended again yet; remedy: plan and apply a restore of this stream, it takes them over`,
    { facts: { streamId, commits } },
  );
