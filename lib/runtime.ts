// The package's export `./runtime`: everything that runs inside functions and services. No CDK, no local system.

export {
  type CompleteDeclaration,
  type DeclaredEventTypes,
  declareEventTypes,
} from './flow/consumer/declaration.ts';
export {
  type ConsumerOptions,
  type DefinedConsumer,
  defineConsumer,
} from './flow/consumer/define-consumer.ts';
export type { React, ReactContext } from './flow/consumer/port.ts';
export type {
  EffectViolation,
  ExpectedEvent,
  VerifiedStream,
  Verify,
  VerifyContext,
  VerifyWhole,
} from './flow/consumer/verify-port.ts';
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
export type {
  SeenSnapshot,
  Snapshot,
  SnapshotKey,
  SnapshotRead,
  Snapshots,
  SnapshotWrite,
} from './flow/snapshot/port.ts';
export {
  createRehydrate,
  type Rehydrate,
  type Rehydrated,
  type RehydrateOptions,
  type RehydratorOptions,
} from './flow/snapshot/rehydrate.ts';
export { createSnapshots, type SnapshotsOptions } from './flow/snapshot/snapshots.ts';
export type { Commit } from './model/commit.ts';
export type { ConsumerDeclaration, RegisteredConsumer } from './model/consumer.ts';
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
export type { Write } from './platform/dynamodb/port.ts';
export { type Environment, environmentOf } from './platform/environment.ts';
export type { LambdaContext } from './platform/lambda-context.ts';
export {
  createEventRecovery,
  type EventRecovery,
  type EventRecoveryOptions,
} from './recovery/gap/event-recovery.ts';
export type { RecoveryResult, StreamGap } from './recovery/gap/one-stream.ts';
export {
  createRetries,
  type Retries,
  type RetryOptions,
  retryByType,
  retryEvent,
} from './recovery/redrive/retry-client.ts';
export type { ReplayView } from './recovery/replay/answer.ts';
export {
  createReplayClient,
  type ReplayClientOptions,
  type Replays,
  replayTimeRange,
  type TimeRange,
} from './recovery/replay/replay-client.ts';
