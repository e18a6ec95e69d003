// The consumer engine as the Lambda edge sees it, and everything that it needs from outside. One engine serves one
// consumer; it keeps nothing between batches except caches that cannot become wrong.

import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { Clock, World } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Checkpoints } from '../checkpoint/port.ts';
import type { DeadLetters } from '../dead-letter/port.ts';
import type { EventStore } from '../event-store/port.ts';
import type { Markers } from '../idempotency/port.ts';
import type { Log } from '../log/port.ts';
import type { Incidents } from '../relay/port.ts';
import type { CompleteDeclaration } from './declaration.ts';
import type { ParsedMessage } from './messages.ts';
import type { React, WakeUps } from './port.ts';
import type { EngineSettings } from './settings.ts';

/** One Lambda invocation. */
export interface Invocation {
  /** Milliseconds until the function is ended (`context.getRemainingTimeInMillis`). */
  remainingMs(): number;
  /** `context.awsRequestId`. */
  requestId: string;
}

export interface BatchResult {
  /** Ids of the messages that must come back; every other one has left a trace and may be acknowledged. */
  failedMessageIds: string[];
}

export interface ConsumerEngine {
  /** Never throws because of one stream: what fails is named in the result. */
  handleBatch(messages: readonly ParsedMessage[], invocation: Invocation): Promise<BatchResult>;
}

/** What the registry knows about this consumer that its code does not. */
export type RegistrationFacts = Pick<RegisteredConsumer, 'startFrom' | 'startPosition' | 'eventTypes'> &
  Partial<Pick<RegisteredConsumer, 'announced' | 'updatedAt'>>;

export interface EngineDeps {
  declaration: CompleteDeclaration;
  react: React;
  eventStore: Pick<EventStore, 'readCommits' | 'readCommitPages'>;
  checkpoints: Checkpoints;
  markers: Markers;
  deadLetters: DeadLetters;
  /**
   * May be cached by the caller; `fresh` must read the registry (consistent). The engine asks fresh when it meets an
   * event type that the code declares and the cached registration does not know. Throws when not registered.
   */
  registration(options: { fresh: boolean }): Promise<RegistrationFacts>;
  log: Pick<Log, 'versionAtPosition'>;
  incidents: Pick<Incidents, 'record'>;
  wakeUps: WakeUps;
  /** The consumer's own queue. */
  queueUrl: string;
  /** Names of our own tables: `react` may not write to them. */
  ownTables: readonly string[];
  /** How long a completed marker protects, in milliseconds: not shorter than the redrive horizon. */
  markerTtlMs: number;
  /** The DynamoDB server's clock: all engines agree on it. */
  serverClock: Clock;
  world: World;
  logger: Logger;
  /** Counters are named in `telemetry.ts`, dimension `consumer`. */
  metrics: Metrics;
  settings?: Partial<EngineSettings>;
}
