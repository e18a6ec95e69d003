// replayTimeRange for programs: it calls the deployed replay function, so that permissions, limits and audit are those of an
// operator.

import { InvokeCommand } from '@aws-sdk/client-lambda';
import { EventRecoveryError, InvalidInputError } from '../../model/errors.ts';
import { createLambdaClient } from '../../platform/aws-clients.ts';
import { environmentOf } from '../../platform/environment.ts';
import type { ReplayAnswer, ReplayView } from './answer.ts';

/** A start plans first, then works for 20 s; planning a long log takes minutes. One try: a start is not to be doubled. */
const START_LIMITS = { requestTimeoutMs: 300_000, maxAttempts: 1 };

export interface ReplayClientOptions {
  /** The part of a Lambda client that is needed here; its credentials must allow lambda:InvokeFunction. */
  client: { send(command: InvokeCommand): Promise<{ Payload?: Uint8Array; FunctionError?: string }> };
  /** Stack output `ReplayEventsFunctionName`, or its ARN. */
  functionName: string;
  /** Who asks, for the audit. */
  requestedBy: string;
  /** Why, for the audit. @default 'replayed by a program' */
  reason?: string;
}

export interface TimeRange {
  /** The one consumer that gets the events again. */
  consumer: string;
  /** Recorded at this time or later, and at this time or earlier. */
  startTime: Date;
  endTime: Date;
  /** @default all types that the consumer wants */
  eventTypes?: readonly string[];
  streamPrefix?: string;
  /**
   * `redeliver`: these events alone, once. `rewind`: each stream from its first event of the range on up to its checkpoint, in
   * order. @default 'redeliver'
   */
  mode?: 'redeliver' | 'rewind';
  /** Events per second, 0.1 to 1,000,000. @default 100 */
  ratePerSecond?: number;
}

export interface Replays {
  /**
   * Begins to deliver the consumer's events of a time range again; a schedule goes on with it.
   * @returns the replay, or undefined when the range holds no event that the consumer has resolved
   * @throws EventRecoveryError, InvalidInputError: `INVERTED_RANGE`, `RANGE_PAST_HEAD`, `UNKNOWN_CONSUMER`, `REPLAY_RUNNING`,
   * `FUNCTION_FAILED` ...; nothing was begun then
   * @example
   * const replay = await replays.replayTimeRange({ consumer: 'inventory', startTime: yesterday, endTime: new Date() });
   * if (replay) console.log((await replays.status(replay.id)).percent);
   */
  replayTimeRange(range: TimeRange): Promise<ReplayView | undefined>;
  /** @throws InvalidInputError `UNKNOWN_REPLAY` */
  status(replayId: string): Promise<ReplayView>;
  /** What was given is finished by the consumer, nothing more is given. */
  cancel(replayId: string): Promise<ReplayView>;
}

/** @example const replays = createReplayClient({ client: new LambdaClient(), functionName, requestedBy: 'anna' }); */
export function createReplayClient({ client, functionName, requestedBy, reason }: ReplayClientOptions): Replays {
  const by = { requestedBy, reason: reason ?? 'replayed by a program' };

  async function ask(request: Record<string, unknown>): Promise<ReplayAnswer> {
    const { Payload, FunctionError } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(request)) }),
    );
    const answer = JSON.parse(Buffer.from(Payload ?? []).toString('utf8') || '{}') as ReplayAnswer & {
      errorMessage?: string;
      error?: { code: string; message: string; retryable?: boolean; facts?: Record<string, unknown> };
    };
    if (FunctionError !== undefined) {
      const message = `the replay function failed: ${answer.errorMessage ?? FunctionError}`;
      throw new EventRecoveryError('FUNCTION_FAILED', message, { retryable: true });
    }
    if (answer.error !== undefined) {
      const { code, message, retryable, facts } = answer.error;
      throw new EventRecoveryError(code, message, { retryable, facts });
    }
    return answer;
  }

  return {
    async replayTimeRange({
      consumer,
      startTime,
      endTime,
      eventTypes,
      streamPrefix,
      mode = 'redeliver',
      ratePerSecond,
    }) {
      const selection = {
        fromTimeMs: msOf('startTime', startTime),
        toTimeMs: msOf('endTime', endTime),
        eventTypes,
        streamPrefix,
      };
      return (await ask({ action: 'start', dryRun: false, mode, consumer, selection, ratePerSecond, ...by })).replay;
    },
    status: async (replayId) => (await ask({ action: 'status', replayId })).replay as ReplayView,
    cancel: async (replayId) => (await ask({ action: 'cancel', replayId, ...by })).replay as ReplayView,
  };
}

let byEnvironment: Replays | undefined;

/**
 * Begins to deliver a consumer's events of a time range again, by the function that the variable REPLAY_EVENTS_FUNCTION_NAME names.
 * For a client, a name or an audit of your own, and to follow the replay: `createReplayClient`.
 * @returns the replay, or undefined when the range holds no event that the consumer has resolved
 * @throws as `Replays.replayTimeRange`; InvalidInputError `MISSING_ENVIRONMENT`
 * @example const replay = await replayTimeRange({ consumer: 'inventory', startTime: yesterday, endTime: new Date() });
 */
export const replayTimeRange = async (range: TimeRange): Promise<ReplayView | undefined> => {
  // Made at the first call, so that importing this module reads no environment and opens no client.
  byEnvironment ??= createReplayClient({
    client: createLambdaClient(START_LIMITS),
    functionName: environmentOf(process.env).required('REPLAY_EVENTS_FUNCTION_NAME'),
    requestedBy: process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'a program',
  });
  return byEnvironment.replayTimeRange(range);
};

function msOf(what: string, time: unknown): number {
  if (time instanceof Date && !Number.isNaN(time.getTime())) return time.getTime();
  throw new InvalidInputError('INVALID_TIME', {
    what,
    got: time,
    allowed: 'a valid Date',
    remedy: 'pass new Date("2026-03-01T12:00:00Z")',
  });
}
