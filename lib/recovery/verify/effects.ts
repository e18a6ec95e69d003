// Asks a consumer's own function, page by page, whether the effects of what it has resolved are there. The function runs user
// code, so its answer is checked and its failures are bounded and named: nothing that went wrong counts as verified.

import {
  CHECKED_STREAMS_MAX,
  EFFECT_CHECK_FORMAT,
  type EffectCheckAnswer,
  type EffectCheckRequest,
  type FoundEffectViolation,
  type StreamToCheck,
} from '../../model/effect-check.ts';

/** Invokes the consumer's function. Rejects when it did not answer. */
export interface EffectQuestions {
  ask(functionName: string, request: EffectCheckRequest): Promise<unknown>;
}

export interface AskedConsumer {
  name: string;
  functionName: string;
}

export interface EffectsFound {
  streams: number;
  events: number;
  violations: FoundEffectViolation[];
  violationCount: number;
  /** Questions without a usable answer. */
  failures: number;
}

/** Expectations in one request: Lambda takes 6 MB, the function's own time is the narrower bound. */
const PAGE_MAX_BYTES = 1_000_000;
/** Then nobody can look: a function that fails on everything must not be asked about everything. */
const FAILURES_MAX = 10;

/** Each is a function of its own, with one question at a time. */
export const CONSUMERS_ASKED_AT_ONCE = 20;

/** @param streams in any number; asked about in pages */
export async function askAboutEffects(
  questions: EffectQuestions,
  consumer: AskedConsumer,
  streams: readonly StreamToCheck[],
): Promise<EffectsFound> {
  const found: EffectsFound = { streams: 0, events: 0, violations: [], violationCount: 0, failures: 0 };
  let at = 0;
  let pageMax = CHECKED_STREAMS_MAX;
  // Every round gets a stream further, halves the page, or counts a failure.
  while (at < streams.length) {
    const page = pageFrom(streams, at, pageMax);
    const { answer, reason } = await askOnce(questions, consumer, { streams: page });
    if (answer !== undefined) {
      take(found, answer);
      found.streams += answer.checked;
      at += answer.checked;
      pageMax = CHECKED_STREAMS_MAX;
      continue;
    }
    // One stream may be what ends the function: the others are asked about without it.
    if (page.length > 1) {
      pageMax = Math.ceil(page.length / 4);
      continue;
    }
    fail(found, reason, page[0]?.streamId);
    at += 1;
    if (found.failures < FAILURES_MAX || at >= streams.length) continue;
    fail(found, `given up after ${FAILURES_MAX} failures, ${streams.length - at} streams were not looked at`);
    break;
  }
  return found;
}

/** After the streams: the consumer's state as a whole. */
export async function askAboutWhole(questions: EffectQuestions, consumer: AskedConsumer): Promise<EffectsFound> {
  const found: EffectsFound = { streams: 0, events: 0, violations: [], violationCount: 0, failures: 0 };
  const { answer, reason } = await askOnce(questions, consumer, { streams: [], whole: true });
  if (answer === undefined) fail(found, reason);
  else if (!answer.wholeChecked) fail(found, 'the function had no time for verifyWhole()');
  else take(found, answer);
  return found;
}

function pageFrom(streams: readonly StreamToCheck[], at: number, max: number): StreamToCheck[] {
  const page: StreamToCheck[] = [];
  let bytes = 0;
  for (const stream of streams.slice(at, at + max)) {
    bytes += JSON.stringify(stream).length;
    if (page.length > 0 && bytes > PAGE_MAX_BYTES) break;
    page.push(stream);
  }
  return page;
}

async function askOnce(
  questions: EffectQuestions,
  { name, functionName }: AskedConsumer,
  asked: Pick<EffectCheckRequest, 'streams' | 'whole'>,
): Promise<{ answer?: EffectCheckAnswer; reason: string }> {
  try {
    const answer = await questions.ask(functionName, {
      kind: 'verify-effects',
      format: EFFECT_CHECK_FORMAT,
      consumer: name,
      ...asked,
    });
    if (isAnswer(answer, asked.streams)) return { answer, reason: '' };
    return { reason: `the function answered ${shortened(JSON.stringify(answer))}` };
  } catch (error) {
    return { reason: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

/** An answer that looked at nothing, or at more than was asked, would end as a pass. */
function isAnswer(answer: unknown, streams: readonly StreamToCheck[]): answer is EffectCheckAnswer {
  const { format, checked, events, violations, violationCount, wholeChecked } = (answer ??
    {}) as Partial<EffectCheckAnswer>;
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
  if (format !== EFFECT_CHECK_FORMAT || !isCount(checked) || !isCount(events) || !isCount(violationCount)) return false;
  if (checked > streams.length || (checked === 0 && streams.length > 0)) return false;
  if (typeof wholeChecked !== 'boolean' || !Array.isArray(violations)) return false;
  const asked = new Set(streams.slice(0, checked).map(({ streamId }) => streamId));
  const isAbout = ({ streamId, detail }: FoundEffectViolation): boolean =>
    typeof detail === 'string' && (streamId === undefined ? streams.length === 0 : asked.has(streamId));
  return (
    violations.every(isAbout) &&
    violations.length <= violationCount &&
    (violationCount === 0) === (violations.length === 0)
  );
}

function take(found: EffectsFound, { events, violations, violationCount }: EffectCheckAnswer): void {
  found.events += events;
  found.violations.push(...violations);
  found.violationCount += violationCount;
  found.failures += violations.filter(({ failure }) => failure !== undefined).length;
}

function fail(found: EffectsFound, reason: string, streamId?: string): void {
  found.failures += 1;
  found.violationCount += 1;
  found.violations.push({ ...(streamId && { streamId }), failure: 'VERIFY_NOT_CALLED', detail: shortened(reason) });
}

const shortened = (text: string): string => text.slice(0, 300);
