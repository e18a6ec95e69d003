// Writes damage down as incidents. Damage that could not be written down fails its stream, so that the batch comes back
// and the damage is met again: it is never passed in silence.

import type { StreamId } from '../../model/ids.ts';
import { failureOf, type StreamFailure } from './advance.ts';
import { RELAY_METRICS, type RelayDependencies } from './dependencies.ts';
import type { Damage } from './gather.ts';

/** @returns the streams that have damage */
export async function recordDamages(
  { incidents, world, logger, metrics }: RelayDependencies,
  damages: ReadonlyMap<StreamId, readonly Damage[]>,
  failures: Map<StreamId, StreamFailure>,
): Promise<StreamId[]> {
  const damaged: StreamId[] = [];
  for (const [streamId, found] of damages) {
    if (found.length > 0) damaged.push(streamId);
    for (const damage of found) {
      metrics.count(RELAY_METRICS.incidentsFound, 1, 'Count', { kind: damage.kind });
      logger.error('damage was found', { streamId, ...damage });
      try {
        await incidents.record({ ...damage, streamId, foundBy: 'relay', foundAt: world.clock.now() });
      } catch (error) {
        logger.error('an incident could not be recorded', { streamId, error });
        failures.set(streamId, failureOf(error));
      }
    }
  }
  return damaged;
}
