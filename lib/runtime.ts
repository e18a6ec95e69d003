// The package's export `./runtime`: everything that runs inside functions and services. No CDK, no local system.

export {
  createEventStore,
  type EventStoreOptions,
} from './flow/event-store/event-store.ts';
export { createMemoryEventStore, type MemoryEventStore } from './flow/event-store/memory-event-store.ts';
export type {
  AppendOptions,
  AppendResult,
  EventStore,
  ExpectedVersion,
  ReadOptions,
} from './flow/event-store/port.ts';
export type { Commit } from './model/commit.ts';
export {
  ConcurrencyError,
  EventRecoveryError,
  InvalidInputError,
  isEventRecoveryError,
  StreamDamagedError,
} from './model/errors.ts';
export type { Event, Json, NewEvent } from './model/event.ts';
export type { ConsumerName, EventId, EventType, Position, StreamId, Version } from './model/ids.ts';
export type { Clock, Ids, Random, Timers, World } from './platform/clock.ts';
