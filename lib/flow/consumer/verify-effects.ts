// Runs a consumer's own `verify` for the streams that the verification asks about, one after the other until the time is
// over. Whatever goes wrong has a name in the answer: user code that throws, hangs or answers nonsense has not passed.

import {
  CHECKED_STREAMS_MAX,
  EFFECT_CHECK_FORMAT,
  EFFECT_DETAIL_MAX,
  EFFECT_VIOLATIONS_MAX,
  type EffectCheckAnswer,
  type EffectCheckRequest,
  type EffectFailure,
  type FoundEffectViolation,
  type StreamToCheck,
} from '../../model/effect-check.ts';
import { InvalidInputError } from '../../model/errors.ts';
import { readableFormat } from '../../model/format.ts';
import { type StreamId, streamId, type Version } from '../../model/ids.ts';
import type { Timers } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logging.ts';
import type { EventStore } from '../event-store/port.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import type { Invocation } from './engine-port.ts';
import { type EventsUnreadable, expectedEvents } from './expected-events.ts';
import type { EffectViolation, Verify, VerifyContext, VerifyWhole } from './verify-port.ts';

export interface VerifyEffectsDeps {
  consumer: string;
  verify?: Verify;
  verifyWhole?: VerifyWhole;
  eventStore: Pick<EventStore, 'readCommits'>;
  timers: Timers;
  logger: Logger;
}

/** @throws InvalidInputError `INVALID_EFFECT_CHECK`, `CONSUMER_NAME_DIFFERS`, `INVALID_FORMAT` */
export async function verifyEffects(
  deps: VerifyEffectsDeps,
  raw: unknown,
  invocation: Invocation,
): Promise<EffectCheckAnswer> {
  const request = checkRequest(raw, deps.consumer);
  const deadline = createDeadline(deps.timers, invocation);
  const found: FoundEffectViolation[] = [];
  const answer: EffectCheckAnswer = {
    format: EFFECT_CHECK_FORMAT,
    checked: 0,
    events: 0,
    wholeChecked: false,
    violations: [],
    violationCount: 0,
  };
  try {
    for (const stream of request.streams) {
      // The first one has the whole time: who cannot look at it then cannot look at it at all.
      if (answer.checked > 0 && (deadline.isNear() || found.length >= EFFECT_VIOLATIONS_MAX)) break;
      const look = await lookAt(deps, stream, deadline);
      if (look.failure === 'VERIFY_TIMED_OUT' && answer.checked > 0) break;
      found.push(...look.violations);
      answer.events += look.events;
      answer.checked += 1;
    }
    const isFirst = answer.checked === 0;
    if (request.whole && answer.checked === request.streams.length && (isFirst || !deadline.isNear())) {
      const look = await lookAtWhole(deps, deadline);
      if (look.failure !== 'VERIFY_TIMED_OUT' || isFirst) {
        found.push(...look.violations);
        answer.wholeChecked = true;
      }
    }
  } finally {
    deadline.dispose();
  }
  deps.logger.info('effects verified', { checked: answer.checked, events: answer.events, violations: found.length });
  return { ...answer, violations: found.slice(0, EFFECT_VIOLATIONS_MAX), violationCount: found.length };
}

interface Look {
  events: number;
  violations: FoundEffectViolation[];
  failure?: EffectFailure;
}

async function lookAt(deps: VerifyEffectsDeps, stream: StreamToCheck, deadline: Deadline): Promise<Look> {
  const { verify } = deps;
  const of = { streamId: stream.streamId };
  if (verify === undefined) return failed(of, 'VERIFY_NOT_CALLED', 'the consumer defines no verify()');
  const read = expectedEvents(deps.eventStore, stream);
  const call = () =>
    verify(
      {
        streamId: stream.streamId as StreamId,
        checkpoint: stream.checkpoint as Version,
        events: read.events,
      },
      contextOf(deps, deadline),
    );
  const look = await called(call, deadline, of, read.unreadable);
  // What was not read was not compared: whoever finds nothing must have looked at everything.
  if (look.failure === undefined && look.violations.length === 0 && !read.isRead())
    return failed(of, 'VERIFY_ANSWERED_NONSENSE', 'verify() did not read the events to their end');
  return { ...look, events: read.count() };
}

function lookAtWhole(deps: VerifyEffectsDeps, deadline: Deadline): Promise<Look> {
  const { verifyWhole } = deps;
  if (verifyWhole === undefined) return Promise.resolve({ events: 0, violations: [] });
  return called(() => verifyWhole(contextOf(deps, deadline)), deadline, {});
}

const contextOf = ({ consumer }: VerifyEffectsDeps, deadline: Deadline): VerifyContext => ({
  consumer,
  remainingMs: () => deadline.remainingMs(),
  signal: deadline.signal,
});

async function called(
  call: () => Promise<readonly EffectViolation[]>,
  { signal }: Deadline,
  of: { streamId?: string },
  unreadable: EventsUnreadable = () => undefined,
): Promise<Look> {
  let end: () => void = () => undefined;
  const isOver = new Promise<'over'>((resolve) => {
    end = () => resolve('over');
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
  try {
    const answer: unknown = await Promise.race([Promise.resolve().then(call), isOver]);
    const damage = unreadable();
    if (damage !== undefined) return failed(of, 'EVENTS_UNREADABLE', damage);
    if (answer === 'over' || signal.aborted) return failed(of, 'VERIFY_TIMED_OUT', 'verify() did not end in time');
    return judged(answer, of);
  } catch (error) {
    const damage = unreadable();
    if (damage !== undefined) return failed(of, 'EVENTS_UNREADABLE', damage);
    if (signal.aborted) return failed(of, 'VERIFY_TIMED_OUT', 'verify() did not end in time');
    return failed(of, 'VERIFY_THREW', error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  } finally {
    signal.removeEventListener('abort', end);
  }
}

function judged(answer: unknown, of: { streamId?: string }): Look {
  if (!Array.isArray(answer)) return failed(of, 'VERIFY_ANSWERED_NONSENSE', `answered ${typeof answer}, not an array`);
  const strange = answer.find((one) => !isViolation(one));
  if (strange !== undefined || answer.includes(undefined)) {
    return failed(of, 'VERIFY_ANSWERED_NONSENSE', `answered ${JSON.stringify(strange)} as a violation`);
  }
  const violations = (answer as EffectViolation[]).map(({ version, detail }) => ({
    ...of,
    ...(version !== undefined && { version }),
    detail: detail.slice(0, EFFECT_DETAIL_MAX),
  }));
  return { events: 0, violations };
}

function isViolation(one: unknown): one is EffectViolation {
  const { detail, version } = (one ?? {}) as Partial<Record<keyof EffectViolation, unknown>>;
  return (
    typeof detail === 'string' && (version === undefined || (Number.isSafeInteger(version) && Number(version) >= 1))
  );
}

const failed = (of: { streamId?: string }, failure: EffectFailure, detail: string): Look => ({
  events: 0,
  violations: [{ ...of, failure, detail: detail.slice(0, EFFECT_DETAIL_MAX) }],
  failure,
});

function checkRequest(raw: unknown, consumer: string): EffectCheckRequest {
  const request = raw as EffectCheckRequest;
  readableFormat('effect check', request.format, EFFECT_CHECK_FORMAT);
  if (request.consumer !== consumer) {
    throw new InvalidInputError('CONSUMER_NAME_DIFFERS', {
      what: 'consumer whose effects are to be verified',
      got: request.consumer,
      allowed: `"${consumer}", whose function this is`,
      remedy: 'compare the function names in the registry with the deployed functions',
    });
  }
  const { streams } = request;
  if (!Array.isArray(streams) || streams.length > CHECKED_STREAMS_MAX || !streams.every(isStream)) {
    throw new InvalidInputError('INVALID_EFFECT_CHECK', {
      what: 'streams of an effect check',
      got: Array.isArray(streams) ? streams.length : streams,
      allowed: `up to ${CHECKED_STREAMS_MAX} streams with a checkpoint and ascending ranges of versions`,
      remedy: 'invoke the function through the verification',
    });
  }
  for (const stream of streams) streamId(stream.streamId);
  return request;
}

function isStream({ checkpoint, expected }: StreamToCheck): boolean {
  if (!Number.isSafeInteger(checkpoint) || checkpoint < 0 || !Array.isArray(expected)) return false;
  return expected.every(({ from, to, min, max }, index) => {
    const before = expected[index - 1]?.to ?? 0;
    const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from > before && to >= from;
    return isRange && to <= checkpoint && (min === 0 || min === 1) && (max === undefined || max === 1);
  });
}
