// What becomes of a registry entry: given what is registered, when a deployment registers, then this.

import { describe, expect, it } from '@jest/globals';
import { checkDeclaration } from '../../../lib/flow/consumer/declaration.ts';
import {
  decideBackfillCompleted,
  decideRegistration,
  type RegistrationInput,
} from '../../../lib/flow/registry/decide-registration.ts';
import type { ConsumerDeclaration, RegisteredConsumer } from '../../../lib/model/consumer.ts';
import { position } from '../../../lib/model/ids.ts';

const registrationOf = (
  declaration: Partial<ConsumerDeclaration> = {},
  addresses: Partial<Omit<RegistrationInput, 'declaration'>> = {},
): RegistrationInput => ({
  declaration: checkDeclaration({
    name: 'inventory',
    eventTypes: ['OrderPlaced', 'OrderCancelled'],
    effects: 'transactional',
    ...declaration,
  }),
  queueUrl: 'https://sqs.eu-central-1.amazonaws.com/1/inventory',
  functionName: 'inventory-fn',
  owner: 'stack-1/Inventory',
  ...addresses,
});

const decide = (existing: RegisteredConsumer | undefined, registration: RegistrationInput, head: number, now = 1_000) =>
  decideRegistration(existing, registration, position(head), now);

function written(existing: RegisteredConsumer | undefined, registration: RegistrationInput, head: number, now = 1_000) {
  const decision = decide(existing, registration, head, now);
  if (decision.kind !== 'write') throw new Error(`expected a write, got ${decision.kind}`);
  return decision.consumer;
}

describe('registering a new consumer', () => {
  it('begins at position 0 with every type applying from there', () => {
    const decision = decide(undefined, registrationOf(), 500);
    expect(decision).toMatchObject({
      kind: 'write',
      change: 'created',
      consumer: { startPosition: 0, status: 'active', eventTypes: { OrderPlaced: 0, OrderCancelled: 0 }, format: 1 },
    });
    expect(decision).not.toHaveProperty('consumer.backfill');
  });

  it('begins at the head when it starts from now', () => {
    const consumer = written(undefined, registrationOf({ startFrom: 'now' }), 500);
    expect(consumer).toMatchObject({ startPosition: 500, eventTypes: { OrderPlaced: 500, OrderCancelled: 500 } });
  });

  it('keeps types apart from the names that every object inherits', () => {
    const consumer = written(undefined, registrationOf({ eventTypes: ['constructor'] }), 5);
    expect(Object.keys(consumer.eventTypes)).toEqual(['constructor']);
    expect((consumer.eventTypes as Record<string, unknown>).toString).toBeUndefined();
  });
});

describe('registering again', () => {
  const existing = written(undefined, registrationOf(), 500, 1_000);

  it('changes nothing when nothing changed, however far the log went on', () => {
    expect(decide(existing, registrationOf(), 900, 2_000)).toEqual({ kind: 'unchanged', consumer: existing });
  });

  it('changes nothing when only the order of the types changed', () => {
    const registration = registrationOf({ eventTypes: ['OrderCancelled', 'OrderPlaced'] });
    expect(decide(existing, registration, 900, 2_000).kind).toBe('unchanged');
  });

  it('follows the queue, the function and the options, and keeps the day of its first registration', () => {
    const consumer = written(existing, registrationOf({ onPoison: 'skip' }, { queueUrl: 'https://q2' }), 900, 2_000);
    expect(consumer).toMatchObject({ onPoison: 'skip', queueUrl: 'https://q2', registeredAt: 1_000, updatedAt: 2_000 });
  });

  it('is refused for another owner while the consumer is active', () => {
    const decision = decide(existing, registrationOf({}, { owner: 'stack-2/Inventory' }), 900);
    expect(decision).toEqual({ kind: 'refused', reason: 'name-taken', owner: 'stack-1/Inventory' });
  });

  it('is refused when it asks for another start', () => {
    const decision = decide(existing, registrationOf({ startFrom: 'now' }), 900);
    expect(decision).toEqual({ kind: 'refused', reason: 'start-is-fixed', startFrom: 'beginning' });
  });
});

describe('adding an event type', () => {
  const existing = written(undefined, registrationOf(), 500, 1_000);
  const withRefunded = registrationOf({ eventTypes: ['OrderPlaced', 'OrderCancelled', 'OrderRefunded'] });

  it('applies from the head and plans a backfill of its history', () => {
    const consumer = written(existing, withRefunded, 900, 2_000);
    expect(consumer.eventTypes).toEqual({ OrderPlaced: 0, OrderCancelled: 0, OrderRefunded: 900 });
    expect(consumer.backfill).toMatchObject({ eventTypes: ['OrderRefunded'], untilPosition: 900, requestedAt: 2_000 });
  });

  it('plans nothing when the log is empty', () => {
    const consumer = written(written(undefined, registrationOf(), 0), withRefunded, 0, 2_000);
    expect(consumer.eventTypes).toMatchObject({ OrderRefunded: 0 });
    expect(consumer.backfill).toBeUndefined();
  });

  it('plans nothing when nothing happened since a consumer started from now', () => {
    const fresh = written(undefined, registrationOf({ startFrom: 'now' }), 500);
    const registration = registrationOf({ startFrom: 'now', eventTypes: ['OrderPlaced', 'OrderRefunded'] });
    expect(written(fresh, registration, 500).backfill).toBeUndefined();
    expect(written(fresh, registration, 501).backfill).toMatchObject({ eventTypes: ['OrderRefunded'] });
  });

  it('asks only once, however often it is registered', () => {
    const consumer = written(existing, withRefunded, 900, 2_000);
    expect(decide(consumer, withRefunded, 1_200, 3_000)).toEqual({ kind: 'unchanged', consumer });
  });

  it('keeps an earlier backfill waiting, each type with its own end', () => {
    const first = written(existing, withRefunded, 900, 2_000);
    const both = registrationOf({ eventTypes: ['OrderPlaced', 'OrderCancelled', 'OrderRefunded', 'OrderShipped'] });
    const second = written(first, both, 1_200, 2_000);
    expect(second.eventTypes).toMatchObject({ OrderRefunded: 900, OrderShipped: 1_200 });
    expect(second.backfill).toMatchObject({
      eventTypes: ['OrderRefunded', 'OrderShipped'],
      untilPosition: 1_200,
      requestedAt: 2_001,
    });
  });

  it('forgets a removed type, also in the waiting backfill', () => {
    const consumer = written(written(existing, withRefunded, 900, 2_000), registrationOf(), 1_000, 3_000);
    expect(consumer.eventTypes).toEqual({ OrderPlaced: 0, OrderCancelled: 0 });
    expect(consumer.backfill).toBeUndefined();
  });

  it('treats a type that comes back as added: its whole history is planned', () => {
    const without = written(existing, registrationOf({ eventTypes: ['OrderPlaced'] }), 900, 2_000);
    const consumer = written(without, registrationOf(), 950, 3_000);
    expect(consumer.eventTypes).toEqual({ OrderPlaced: 0, OrderCancelled: 950 });
    expect(consumer.backfill).toMatchObject({ eventTypes: ['OrderCancelled'], untilPosition: 950 });
  });
});

describe('completing a backfill', () => {
  const base = written(undefined, registrationOf(), 500, 1_000);
  const types = ['OrderPlaced', 'OrderCancelled', 'OrderRefunded'];
  const first = written(base, registrationOf({ eventTypes: types }), 900, 2_000);
  const second = written(first, registrationOf({ eventTypes: [...types, 'OrderShipped'] }), 1_200, 3_000);

  it('makes the added types apply from the beginning', () => {
    const done = decideBackfillCompleted(first, 2_000, 5_000);
    expect(done).toMatchObject({ eventTypes: { OrderRefunded: 0 }, updatedAt: 5_000 });
    expect(done?.backfill).toBeUndefined();
  });

  it('completes only the types that the plan knew', () => {
    const done = decideBackfillCompleted(second, 2_000, 5_000);
    expect(done?.eventTypes).toMatchObject({ OrderRefunded: 0, OrderShipped: 1_200 });
    expect(done?.backfill).toMatchObject({ eventTypes: ['OrderShipped'], untilPosition: 1_200, requestedAt: 3_000 });
  });

  it('changes nothing the second time, nor for a request that never was', () => {
    const done = decideBackfillCompleted(first, 2_000, 5_000) as RegisteredConsumer;
    expect(decideBackfillCompleted(done, 2_000, 6_000)).toBeUndefined();
    expect(decideBackfillCompleted(first, 1_999, 6_000)).toBeUndefined();
  });
});

describe('coming back after retirement', () => {
  const retired: RegisteredConsumer = { ...written(undefined, registrationOf(), 500, 1_000), status: 'retired' };

  it('resumes from its checkpoints: start and types keep their positions, nothing is backfilled', () => {
    const decision = decide(retired, registrationOf(), 900, 2_000);
    expect(decision).toMatchObject({
      kind: 'write',
      change: 'reactivated',
      consumer: { status: 'active', startPosition: 0, eventTypes: { OrderPlaced: 0, OrderCancelled: 0 } },
    });
    expect(decision).not.toHaveProperty('consumer.backfill');
  });

  it('is open to another owner, who continues from the same checkpoints', () => {
    const consumer = written(retired, registrationOf({}, { owner: 'stack-9/Inventory' }), 900, 2_000);
    expect(consumer).toMatchObject({ owner: 'stack-9/Inventory', registeredAt: 1_000 });
  });

  it('plans a backfill for the types that it did not know before', () => {
    const registration = registrationOf({ eventTypes: ['OrderPlaced', 'OrderCancelled', 'OrderRefunded'] });
    expect(written(retired, registration, 900, 2_000).backfill).toMatchObject({ eventTypes: ['OrderRefunded'] });
  });
});
