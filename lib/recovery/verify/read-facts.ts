// The verifier's reading of the registry and of checkpoints: only what decides about its books.

import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { CheckpointFacts, ConsumerFacts } from './account.ts';
import { type Item, queryItems } from './read.ts';

export interface RegisteredFacts extends ConsumerFacts {
  drill: boolean;
  /** Its function can be asked about its effects. */
  verifiesEffects: boolean;
  functionName: string;
}

export async function readRegistry(
  dynamo: Dynamo,
  table: string,
  names?: readonly string[],
): Promise<RegisteredFacts[]> {
  const consumers: RegisteredFacts[] = [];
  for await (const item of queryItems(dynamo, table, { name: 'pk', value: 'registry' })) {
    const name = String(item.sk);
    if (names ? !names.includes(name) : item.status !== 'active') continue;
    consumers.push({
      name,
      eventTypes: item.eventTypes as Record<string, number>,
      startPosition: Number(item.startPosition ?? 0),
      effects: item.effects === 'transactional' ? 'transactional' : 'idempotent',
      drill: item.drill === true,
      verifiesEffects: item.verifiesEffects === true,
      functionName: String(item.functionName),
    });
  }
  return consumers;
}

export interface CheckpointRead extends CheckpointFacts {
  parkedDeadLetterId?: string;
  /** Changes with every write of the checkpoint. */
  mark: string;
}

export const checkpointKey = (consumer: string, streamId: string) => ({
  pk: `${consumer}#${streamId}`,
  sk: 'checkpoint',
});

export function toCheckpoint(item: Item): CheckpointRead {
  const parked = item.parked as { version: number; deadLetterId: string } | undefined;
  const { version, generation = 1, token, saved, updatedAt } = item;
  return {
    version: Number(version),
    generation: Number(generation),
    generationStart: Number(item.generationStart),
    resolvedCount: Number(item.resolvedCount),
    resolvedDigest: String(item.resolvedDigest),
    parkedVersion: parked?.version,
    parkedDeadLetterId: parked?.deadLetterId,
    leaseUntil: item.leaseUntil === undefined ? undefined : Number(item.leaseUntil),
    isRedelivered: item.redelivered !== undefined,
    passedTo: item.passedTo === undefined ? undefined : Number(item.passedTo),
    mark: [version, generation, token, saved, updatedAt].join('|'),
  };
}

/** Last version of each open-gap row: by consumer, by stream. Few, so all of them are read once for a look. */
export async function readOpenGaps(
  dynamo: Dynamo,
  table: string,
  consumers: readonly Pick<RegisteredFacts, 'name'>[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
  const gaps = new Map<string, ReadonlyMap<string, number>>();
  for (const { name } of consumers) {
    const ends = new Map<string, number>();
    for await (const { sk, to } of queryItems(dynamo, table, { name: 'pk', value: `gap#${name}` }))
      ends.set(String(sk), Number(to));
    gaps.set(name, ends);
  }
  return gaps;
}
