// What Lambda tells about an event source mapping from outside: its state, how its last invocation ended, and how old the
// last record of each batch was (metric IteratorAge). Watches a poller through the function that it invokes, so the poller
// knows nothing of it. DynamoDB Local cuts record times to the minute: an age here is up to 60 s more than it was.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html

import type { LambdaFunction } from '../functions/lambda-function.ts';
import type { Mapping } from './mapping.ts';

export interface IteratorAge {
  /** When the batch was done, milliseconds since 1970. */
  at: number;
  ageMs: number;
}

export interface MappingEvidence {
  readonly state: 'Enabled' | 'Disabled';
  readonly lastProcessingResult: string;
  /** Of the last hour, oldest first. */
  readonly iteratorAges: readonly IteratorAge[];
}

export interface WatchedMapping extends Mapping {
  readonly evidence: MappingEvidence;
}

const KEPT_MS = 60 * 60_000;

/** @param make builds the poller over the function that it is to invoke */
export function watchMapping(
  lambda: LambdaFunction,
  enabled: boolean,
  make: (watched: LambdaFunction) => Mapping,
  now: () => number = Date.now,
): WatchedMapping {
  const evidence = {
    state: enabled ? ('Enabled' as const) : ('Disabled' as const),
    lastProcessingResult: 'No records processed',
    iteratorAges: [] as IteratorAge[],
  };
  const watched: LambdaFunction = Object.assign(Object.create(lambda) as LambdaFunction, {
    async invoke(payload: string) {
      const outcome = await lambda.invoke(payload);
      evidence.lastProcessingResult = outcome.kind === 'done' ? 'OK' : PROBLEMS[outcome.kind];
      const createdAt = lastRecordAt(payload);
      if (createdAt !== undefined) evidence.iteratorAges.push({ at: now(), ageMs: Math.max(0, now() - createdAt) });
      while (evidence.iteratorAges[0] && evidence.iteratorAges[0].at < now() - KEPT_MS) evidence.iteratorAges.shift();
      return outcome;
    },
  });
  const mapping = make(watched);
  return Object.assign(Object.create(mapping) as Mapping, {
    evidence,
    pause() {
      evidence.state = 'Disabled';
      return mapping.pause();
    },
    resume() {
      evidence.state = enabled ? 'Enabled' : 'Disabled';
      mapping.resume();
    },
  });
}

const PROBLEMS: Readonly<Record<'throttled' | 'failed', string>> = {
  throttled: 'PROBLEM: Function call was throttled',
  failed: 'PROBLEM: Function call failed',
};

/** Only records of a DynamoDB stream have a time. */
function lastRecordAt(payload: string): number | undefined {
  const { Records = [] } = JSON.parse(payload) as {
    Records?: { dynamodb?: { ApproximateCreationDateTime?: number } }[];
  };
  const seconds = Records.at(-1)?.dynamodb?.ApproximateCreationDateTime;
  return seconds === undefined ? undefined : seconds * 1_000;
}

export const evidenceOf = (mapping: Mapping): MappingEvidence | undefined =>
  (mapping as Partial<WatchedMapping>).evidence;
