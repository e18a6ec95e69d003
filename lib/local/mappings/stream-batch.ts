// What happens to a batch of a DynamoDB stream after an invocation: what is retried, split and given up. Pure.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html

export interface StreamSettings {
  /** -1: until the records expire. */
  maximumRetryAttempts: number;
  /** -1: no limit of its own. */
  maximumRecordAgeSeconds: number;
  bisect: boolean;
}

/** A piece of a shard that is delivered in one invocation. */
export interface Segment<R> {
  records: readonly R[];
  /** Failed invocations that count against the retry attempts. */
  failures: number;
  /** All invocations, for the failure record. */
  invocations: number;
}

export type InvocationResult =
  | { kind: 'succeeded' }
  | { kind: 'failed' }
  /** Records before `from` succeeded; `from` is the lowest failed index. */
  | { kind: 'failed-from'; from: number };

export interface NextStep<R> {
  /** To deliver next, in this order. */
  segments: readonly Segment<R>[];
  /** Given up: goes to the on-failure destination. */
  discarded?: Segment<R>;
}

export function afterInvocation<R>(
  segment: Segment<R>,
  result: InvocationResult,
  settings: StreamSettings,
): NextStep<R> {
  if (result.kind === 'succeeded') return { segments: [] };
  const invocations = segment.invocations + 1;
  const rest = result.kind === 'failed-from' ? segment.records.slice(result.from) : segment.records;
  // A batch that is cut shorter does not use up an attempt; the cut itself bounds how often that can happen.
  const cut = rest.length < segment.records.length;
  if (settings.bisect && cut) return { segments: [{ records: rest, failures: segment.failures, invocations }] };
  if (settings.bisect && rest.length > 1) {
    const middle = Math.ceil(rest.length / 2);
    const halves = [rest.slice(0, middle), rest.slice(middle)];
    return { segments: halves.map((records) => ({ records, failures: segment.failures, invocations })) };
  }
  const retried = { records: rest, failures: segment.failures + 1, invocations };
  const exhausted = settings.maximumRetryAttempts >= 0 && retried.failures > settings.maximumRetryAttempts;
  return exhausted ? { segments: [], discarded: retried } : { segments: [retried] };
}

/** Splits off the records that are too old to be delivered. They are always the first ones. */
export function expired<R>(
  segment: Segment<R>,
  ageSeconds: (record: R) => number,
  settings: StreamSettings,
): { fresh: Segment<R>; old: readonly R[] } {
  const limit = settings.maximumRecordAgeSeconds;
  if (limit < 0) return { fresh: segment, old: [] };
  const firstFresh = segment.records.findIndex((record) => ageSeconds(record) <= limit);
  const at = firstFresh < 0 ? segment.records.length : firstFresh;
  return { fresh: { ...segment, records: segment.records.slice(at) }, old: segment.records.slice(0, at) };
}

/** Spreads records over lanes by key, each lane in stream order: what ParallelizationFactor does inside a shard. */
export function lanesOf<R>(records: readonly R[], key: (record: R) => string, factor: number): R[][] {
  const lanes: R[][] = Array.from({ length: factor }, () => []);
  for (const record of records) lanes[hash(key(record)) % factor]?.push(record);
  return lanes.filter((lane) => lane.length > 0);
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return value;
}
