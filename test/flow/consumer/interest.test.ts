// Where an added event type begins: the event at that very position is the last one of its history, which a backfill delivers.

import { describe, expect, it } from '@jest/globals';
import type { RegistrationFacts } from '../../../lib/flow/consumer/engine-port.ts';
import { createInterest } from '../../../lib/flow/consumer/interest.ts';
import type { EventType, Position, StreamId, Version } from '../../../lib/model/ids.ts';

const facts = {
  startFrom: 'beginning',
  startPosition: 2 as Position,
  eventTypes: { Old: 2, Added: 50 } as Record<EventType, Position>,
} as RegistrationFacts;

const interest = () =>
  createInterest(
    {
      eventTypes: ['Old', 'Added', 'NotRegistered'],
      registration: async () => facts,
      // The stream's fourth event is the last one up to position 50.
      log: { versionAtPosition: async (_, position) => (position === 50 ? 4 : 0) as Version },
    },
    's' as StreamId,
  );
const wants = (type: string, version: number, position?: number) =>
  interest().wants({ type: type as EventType, version: version as Version, ...(position && { position }) });

describe('an event of a type that was added at position 50', () => {
  it.each([
    [49, false],
    [50, false],
    [51, true],
  ])('at position %d is wanted: %s', async (position, expected) => {
    expect(await wants('Added', 5, position)).toBe(expected);
  });

  it.each([
    [3, false],
    [4, false],
    [5, true],
  ])('with version %d and no position is wanted: %s', async (version, expected) => {
    expect(await wants('Added', version)).toBe(expected);
  });
});

describe('an event of another type', () => {
  it('is wanted from the start of the consumer on, when its code and the registry know it', async () => {
    expect(await wants('Old', 1, 3)).toBe(true);
    expect(await wants('NotRegistered', 1, 60)).toBe(false);
    expect(await wants('Unknown', 1, 60)).toBe(false);
  });
});
