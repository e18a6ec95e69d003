// What a plan is bound to, as one short text: what the registry says about the consumer, and the checkpoint of every planned
// stream. Pure but for the running hash.

import { createHash } from 'node:crypto';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { PlannedStream } from './port.ts';

const LENGTH = 32;

/** Everything of the registry entry that decides what is delivered, and how. */
export function registryFingerprint(consumer: RegisteredConsumer): string {
  const { name, effects, onPoison, startPosition, status, drill, queueUrl, backfill } = consumer;
  const types = Object.entries(consumer.eventTypes).sort(([a], [b]) => (a < b ? -1 : 1));
  const facts = [name, effects, onPoison, startPosition, status, drill, queueUrl, types, backfill?.requestedAt ?? 0];
  return hashOf(JSON.stringify(facts));
}

export function createFingerprint(registry: string) {
  const hash = createHash('sha256').update(registry);
  return {
    see: ({ streamId, checkpoint, generation }: Pick<PlannedStream, 'streamId' | 'checkpoint' | 'generation'>): void =>
      void hash.update(JSON.stringify([streamId, checkpoint, generation])),
    text: (): string => hash.digest('hex').slice(0, LENGTH),
  };
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, LENGTH);
