// The numbers of one consumer: defaults, valid ranges and what must hold between them, as pure functions. Each refusal says
// what must hold and what was given, at synth, before anything is deployed.

import { Duration } from 'aws-cdk-lib';
import type { CompleteDeclaration } from '../../flow/consumer/declaration.ts';
import { InvalidInputError } from '../../model/errors.ts';
import { DRILL_STREAM_PREFIX } from '../../model/ids.ts';
import { BUS_SOURCE, STREAM_MOVED } from '../../model/wake-up.ts';
import { DEFAULT_MEMORY_MB } from './event-function.ts';
import { REDRIVE_HORIZON } from './queues.ts';

export interface ConsumerNumbersInput {
  readonly timeout?: Duration;
  readonly visibilityTimeout?: Duration;
  readonly batchSize?: number;
  readonly maxBatchingWindow?: Duration;
  readonly maxConcurrency?: number;
  readonly maxReceiveCount?: number;
  readonly markerTtl?: Duration;
  readonly memorySize?: number;
  readonly queueAgeAlarm?: Duration;
}

export type ConsumerNumbers = Required<ConsumerNumbersInput>;

/** A react takes milliseconds; 10 s let a cold start, a slow table and a batch of ten streams pass. */
export const DEFAULT_TIMEOUT = Duration.seconds(10);
/** Lambda, "Using Lambda with Amazon SQS": visibility at least six times the timeout, so that throttled tries fit in. */
export const VISIBILITY_TIMES_TIMEOUT = 6;
/** SQS: ten messages are one receive; larger batches need a batching window and wait for it. */
export const DEFAULT_BATCH_SIZE = 10;
/** Ten functions at ten messages: 100 streams at once. More load is a decision about the tables behind `react`. */
export const DEFAULT_MAX_CONCURRENCY = 10;
/**
 * Receives that a message may need without anybody's fault:
 * 1 unclean end beside other streams (blames nobody) + maxAttempts unclean ends alone + 6 for infrastructure
 * (throttling, a lost lease, a deployment), each one visibility timeout apart: 6 minutes of trouble at the defaults.
 */
export const RECEIVE_SLACK = 6;
/** One day more than the redrive horizon: the clock of the TTL and that of SQS are not the same. */
export const DEFAULT_MARKER_TTL = Duration.days(REDRIVE_HORIZON.toDays() + 1);
/** A retry waits seconds and a visibility timeout minutes; what is older than this does not come by itself. */
export const DEFAULT_QUEUE_AGE_ALARM = Duration.minutes(15);
/** EventBridge, quotas: event pattern size. */
export const EVENT_PATTERN_MAX_CHARACTERS = 2_048;

const LIMITS = {
  timeoutSeconds: [1, 900],
  visibilitySeconds: [0, 43_200],
  batchSize: [1, 10_000],
  windowSeconds: [0, 300],
  maxConcurrency: [2, 1_000],
  maxReceiveCount: [1, 1_000],
  memoryMb: [128, 10_240],
  queueAgeSeconds: [60, REDRIVE_HORIZON.toSeconds()],
} as const satisfies Record<string, readonly [number, number]>;

/** @throws InvalidInputError `INVALID_CONSUMER_NUMBER` */
export function consumerNumbers(input: ConsumerNumbersInput, declaration: CompleteDeclaration): ConsumerNumbers {
  const of = (what: string) => `${what} of consumer "${declaration.name}"`;
  const timeout = input.timeout ?? DEFAULT_TIMEOUT;
  within(of('timeout in seconds'), timeout.toSeconds(), LIMITS.timeoutSeconds);
  const window = input.maxBatchingWindow ?? Duration.seconds(0);
  within(of('maxBatchingWindow in seconds'), window.toSeconds(), LIMITS.windowSeconds);
  const batchSize = within(of('batchSize'), input.batchSize ?? DEFAULT_BATCH_SIZE, LIMITS.batchSize);
  if (batchSize > DEFAULT_BATCH_SIZE && window.toSeconds() < 1) {
    refuse(of('batchSize'), batchSize, 'at most 10 without a maxBatchingWindow of at least 1 second');
  }
  const minVisibilitySeconds = VISIBILITY_TIMES_TIMEOUT * timeout.toSeconds() + window.toSeconds();
  const visibilityTimeout = input.visibilityTimeout ?? Duration.seconds(minVisibilitySeconds);
  within(of('visibilityTimeout in seconds'), visibilityTimeout.toSeconds(), LIMITS.visibilitySeconds);
  if (visibilityTimeout.toSeconds() < minVisibilitySeconds) {
    refuse(
      of('visibilityTimeout in seconds'),
      visibilityTimeout.toSeconds(),
      `at least ${minVisibilitySeconds} = ${VISIBILITY_TIMES_TIMEOUT} x timeout (${timeout.toSeconds()}) + maxBatchingWindow (${window.toSeconds()})`,
    );
  }
  const neededReceives = 1 + declaration.maxAttempts;
  const maxReceiveCount = input.maxReceiveCount ?? neededReceives + RECEIVE_SLACK;
  within(of('maxReceiveCount'), maxReceiveCount, LIMITS.maxReceiveCount);
  if (maxReceiveCount <= neededReceives) {
    refuse(of('maxReceiveCount'), maxReceiveCount, `more than ${neededReceives} = 1 shared + maxAttempts unclean ends`);
  }
  const markerTtl = input.markerTtl ?? DEFAULT_MARKER_TTL;
  if (markerTtl.toSeconds() < REDRIVE_HORIZON.toSeconds()) {
    refuse(
      of('markerTtl in seconds'),
      markerTtl.toSeconds(),
      `at least ${REDRIVE_HORIZON.toSeconds()} (14 days): until then a message can come back from the dead-letter queue`,
    );
  }
  const memorySize = within(of('memorySize in MB'), input.memorySize ?? DEFAULT_MEMORY_MB, LIMITS.memoryMb);
  const queueAgeAlarm = input.queueAgeAlarm ?? DEFAULT_QUEUE_AGE_ALARM;
  within(of('queueAgeAlarm in seconds'), queueAgeAlarm.toSeconds(), LIMITS.queueAgeSeconds);
  const maxConcurrency = input.maxConcurrency ?? DEFAULT_MAX_CONCURRENCY;
  within(of('maxConcurrency'), maxConcurrency, LIMITS.maxConcurrency);
  return {
    timeout,
    visibilityTimeout,
    batchSize,
    maxBatchingWindow: window,
    maxConcurrency,
    maxReceiveCount,
    markerTtl,
    memorySize,
    queueAgeAlarm,
  };
}

/**
 * Its own types plus `$StreamMoved`, without rehearsal streams; a drill consumer gets rehearsal streams only.
 * Fields of a pattern combine with "and", values of a field with "or".
 * @throws InvalidInputError `EVENT_PATTERN_TOO_LONG`
 */
export function consumerPattern(declaration: CompleteDeclaration) {
  const isDrillStream = { prefix: DRILL_STREAM_PREFIX };
  const pattern = {
    source: [BUS_SOURCE],
    detailType: [...declaration.eventTypes, STREAM_MOVED],
    detail: { streamId: [declaration.drill ? isDrillStream : { 'anything-but': isDrillStream }] },
  };
  const length = JSON.stringify(pattern).length;
  if (length <= EVENT_PATTERN_MAX_CHARACTERS) return pattern;
  throw new InvalidInputError('EVENT_PATTERN_TOO_LONG', {
    what: `event pattern of consumer "${declaration.name}"`,
    got: length,
    allowed: `at most ${EVENT_PATTERN_MAX_CHARACTERS} characters (EventBridge quota) with ${declaration.eventTypes.length} event types`,
    remedy: 'split the consumer in two, or use fewer or shorter event types',
  });
}

function within(what: string, value: number, [min, max]: readonly [number, number]): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  return refuse(what, value, `a whole number from ${min} to ${max}`);
}

function refuse(what: string, got: number, allowed: string): never {
  throw new InvalidInputError('INVALID_CONSUMER_NUMBER', {
    what,
    got,
    allowed,
    remedy: 'change the property of EventConsumer, or leave it out for the default',
  });
}
