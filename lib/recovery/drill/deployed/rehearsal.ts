// The consumer that a deployed drill rehearses with: it sees `drill-` streams only, and its own table is all that it changes.
// What is to fail stands in the events, and fails until the drill has written down that this run is cured: an exception, or the
// end of the function in the middle of its batch. No consumer of yours has such a switch.

import type { React } from '../../../flow/consumer/port.ts';
import type { ConsumerDeclaration } from '../../../model/consumer.ts';
import type { Event } from '../../../model/event.ts';

export const STEP = 'DrillStep';
/** The rehearsal consumer wants these too, but its bus rule does not match them: what is delivered to nobody is a gap. */
export const UNHEARD_STEP = 'DrillUnheardStep';

export const rehearsal = {
  name: 'drill-rehearsal',
  eventTypes: [STEP, UNHEARD_STEP],
  effects: 'transactional',
  onPoison: 'park',
  // Each unclean end costs a visibility timeout; one more than the first blames the event.
  maxAttempts: 2,
  drill: true,
  verifiesEffects: true,
} as const satisfies ConsumerDeclaration;

export interface StepData {
  runId: string;
  /** What happens to whoever reacts to it before the cure. */
  trouble?: 'fails' | 'dies';
}

export class RehearsedFailure extends Error {
  override readonly name = 'RehearsedFailure';
}

/** The run's item with the versions of one stream in the order in which they took effect; nothing deduplicates it. */
export const effectsKey = (runId: string, streamId: string) => ({ pk: `effects#${runId}`, sk: streamId });
export const cureKey = (runId: string) => ({ pk: `effects#${runId}`, sk: 'cured' });

/** Rows of a drill go by themselves after three months (time to live). */
const KEPT_SECONDS = 90 * 86_400;

export const expiresAt = (nowMs: number): number => Math.floor(nowMs / 1_000) + KEPT_SECONDS;

export interface RehearsalDeps {
  table: string;
  isCured(runId: string): Promise<boolean>;
  /** Ends the process, without a word. */
  die(): void;
}

export function rehearsalReact({ table, isCured, die }: RehearsalDeps): React {
  return async ({ streamId, data, metadata }: Event) => {
    const { runId, trouble } = data as unknown as StepData;
    if (trouble !== undefined && !(await isCured(runId))) {
      if (trouble === 'dies') die();
      throw new RehearsedFailure('this step fails until the drill has cured it');
    }
    const update = {
      TableName: table,
      Key: effectsKey(runId, streamId),
      UpdateExpression: 'SET #order = list_append(if_not_exists(#order, :none), :version), #expiresAt = :expiresAt',
      ExpressionAttributeNames: { '#order': 'order', '#expiresAt': 'expiresAt' },
      ExpressionAttributeValues: {
        ':none': [],
        ':version': [metadata.version],
        ':expiresAt': expiresAt(metadata.timestamp.getTime()),
      },
    };
    return [{ Update: update }];
  };
}
