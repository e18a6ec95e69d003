// After a stream was repaired: its incidents are closed, checkpoints that lie beyond its end are reported, and the relay is
// woken up, which sequences what the log does not have and tells every consumer where the stream is (ADR 0003).

import type { Checkpoints } from '../../flow/checkpoint/port.ts';
import type { Continuations, Incidents } from '../../flow/relay/port.ts';
import type { ConsumerName, StreamId } from '../../model/ids.ts';
import { WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Fork } from './rows.ts';

export interface TellDeps {
  incidents: Incidents;
  continuations: Continuations;
  checkpoints: Pick<Checkpoints, 'get'>;
  /** Active consumers. */
  consumers(): Promise<readonly ConsumerName[]>;
  world: { clock: Clock };
}

export interface BeyondHead {
  consumer: string;
  version: number;
}

export async function tellOthers(
  deps: TellDeps,
  { streamId, end, forks }: { streamId: StreamId; end: number; forks: readonly Fork[] },
): Promise<BeyondHead[]> {
  const beyond = await checkpointsBeyond(deps, streamId, end);
  const now = deps.world.clock.now();
  for await (const incident of deps.incidents.open()) {
    if (incident.streamId !== streamId || incident.kind === 'checkpoint-beyond-head') continue;
    // Of events that were set aside by an earlier restore, only those are settled that this one has taken over.
    if (incident.kind === 'events-set-aside' && !forks.some(({ version }) => version === incident.version)) continue;
    await deps.incidents.close(incident, now);
  }
  await recordBeyond(deps, streamId, beyond);
  if (end > 0) await deps.continuations.send({ format: WAKE_UP_FORMAT, streamId, target: end, hops: 0 });
  return beyond;
}

/** Such a consumer has reacted to events that are gone: a human has to look. */
export async function recordBeyond(
  { incidents, world }: Pick<TellDeps, 'incidents' | 'world'>,
  streamId: StreamId,
  beyond: readonly BeyondHead[],
): Promise<void> {
  for (const { consumer, version } of beyond) {
    await incidents.record({
      kind: 'checkpoint-beyond-head',
      streamId,
      version,
      detail: `consumer ${consumer} has resolved version ${version}, which neither the stream nor the log has`,
      foundBy: 'restore-commits',
      foundAt: world.clock.now(),
    });
  }
}

/** Consumers that have resolved versions which the stream does not have. */
export async function checkpointsBeyond(
  { checkpoints, consumers }: Pick<TellDeps, 'checkpoints' | 'consumers'>,
  streamId: StreamId,
  end: number,
): Promise<BeyondHead[]> {
  const beyond: BeyondHead[] = [];
  for (const consumer of await consumers()) {
    const version = (await checkpoints.get({ consumer, streamId }))?.version ?? 0;
    if (version > end) beyond.push({ consumer, version });
  }
  return beyond;
}
