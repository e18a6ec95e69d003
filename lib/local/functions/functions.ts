// All functions of the local cloud, by any of their names, and the two ways to invoke one: synchronously with the
// answer, or as an event with Lambda's own retries and on-failure destination.

import { setTimeout as sleep } from 'node:timers/promises';
import { EventRecoveryError } from '../../model/errors.ts';
import { byName, resourceOfArn } from '../names.ts';
import type { LambdaFunction } from './lambda-function.ts';
import type { InvocationOutcome } from './lambda-process.ts';

/** How Lambda treats an asynchronous invocation that fails, from AWS::Lambda::EventInvokeConfig or DeadLetterConfig. */
export interface AsyncPolicy {
  /** 0 to 2. @default 2 */
  retries: number;
  /** ARN of a queue, topic, bucket, bus or function. */
  onFailure?: string;
  onSuccess?: string;
}

export interface Functions {
  add(lambda: LambdaFunction): void;
  setAsyncPolicy(functionName: string, policy: Partial<AsyncPolicy>): void;
  /** By physical name, ARN, logical id, construct id or alias. @throws InvalidInputError */
  get(name: string): LambdaFunction;
  all(): LambdaFunction[];
  /** Runs it in the background. Never throws; what fails for good goes to the destination and the failure log. */
  invokeEvent(functionName: string, payload: string): void;
  /** Asynchronous invocations under way, retries included. */
  readonly eventsInFlight: number;
  /** Asynchronous invocations that failed for good. */
  failures(): readonly { functionName: string; payload: string; error: string }[];
  stop(): Promise<void>;
}

export interface FunctionsOptions {
  /** Delivers the record of an asynchronous invocation to its destination. */
  deliver(destinationArn: string, record: unknown): Promise<void>;
}

/** AWS waits 1 and 2 minutes (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html); here seconds. */
const ASYNC_RETRY_DELAYS_MS = [1_000, 2_000];
const THROTTLED_RETRY_MS = 200;

export function createFunctions(options: FunctionsOptions): Functions {
  const functions = new Map<string, LambdaFunction>();
  const policies = new Map<string, Partial<AsyncPolicy>>();
  const failures: { functionName: string; payload: string; error: string }[] = [];
  const stopping = new AbortController();
  let eventsInFlight = 0;

  const get = (name: string): LambdaFunction => {
    const plain = resourceOfArn(name)
      .replace(/^function:/, '')
      .replace(/:[^:]*$/, '');
    const exact = functions.get(plain);
    if (exact) return exact;
    const specs = [...functions.values()].map((lambda) => lambda.spec);
    return functions.get(byName(specs, name, 'function').name) as LambdaFunction;
  };

  const runEvent = async (lambda: LambdaFunction, payload: string): Promise<void> => {
    const policy = { retries: 2, ...policies.get(lambda.spec.name) };
    let outcome: InvocationOutcome | { kind: 'throttled' } = { kind: 'throttled' };
    let attempts = 0;
    while (attempts <= policy.retries && !stopping.signal.aborted) {
      outcome = await lambda.invoke(payload);
      if (outcome.kind === 'done') break;
      const throttled = outcome.kind === 'throttled';
      await sleep(throttled ? THROTTLED_RETRY_MS : ASYNC_RETRY_DELAYS_MS[attempts], undefined, {
        signal: stopping.signal,
      });
      if (!throttled) attempts += 1;
    }
    const destination = outcome.kind === 'done' ? policy.onSuccess : policy.onFailure;
    if (outcome.kind === 'failed') {
      failures.push({
        functionName: lambda.spec.name,
        payload,
        error: `${outcome.error.errorType}: ${outcome.error.errorMessage}`,
      });
    }
    if (destination !== undefined) await options.deliver(destination, recordOf(lambda, payload, outcome, attempts));
  };

  return {
    add: (lambda) => void functions.set(lambda.spec.name, lambda),
    setAsyncPolicy(functionName, policy) {
      const { name } = get(functionName).spec;
      policies.set(name, { ...policies.get(name), ...policy });
    },
    get,
    all: () => [...functions.values()],
    invokeEvent(functionName, payload) {
      const lambda = get(functionName);
      eventsInFlight += 1;
      runEvent(lambda, payload)
        .catch((error: unknown) => {
          if (stopping.signal.aborted) return;
          failures.push({ functionName: lambda.spec.name, payload, error: String(error) });
        })
        .finally(() => {
          eventsInFlight -= 1;
        });
    },
    get eventsInFlight() {
      return eventsInFlight;
    },
    failures: () => failures,
    async stop() {
      stopping.abort();
      await Promise.all([...functions.values()].map((lambda) => lambda.stop()));
    },
  };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
function recordOf(
  lambda: LambdaFunction,
  payload: string,
  outcome: InvocationOutcome | { kind: 'throttled' },
  attempts: number,
): unknown {
  const failed = outcome.kind === 'failed';
  return {
    version: '1.0',
    timestamp: new Date().toISOString(),
    requestContext: {
      requestId: 'local',
      functionArn: `${lambda.spec.arn}:$LATEST`,
      condition: failed ? 'RetriesExhausted' : 'Success',
      approximateInvokeCount: attempts,
    },
    requestPayload: JSON.parse(payload),
    responseContext: { statusCode: 200, executedVersion: '$LATEST', ...(failed ? { functionError: 'Unhandled' } : {}) },
    responsePayload: failed ? outcome.error : outcome.kind === 'done' ? JSON.parse(outcome.payload) : null,
  };
}

/** What an invocation that must succeed throws. */
export function invocationFailed(
  functionName: string,
  outcome: { kind: string; error?: { errorType: string; errorMessage: string } },
): EventRecoveryError {
  const detail = outcome.error ? `${outcome.error.errorType}: ${outcome.error.errorMessage}` : outcome.kind;
  return new EventRecoveryError(
    'LOCAL_INVOCATION_FAILED',
    `${functionName} failed: ${detail}; remedy: read its log under .local/runs`,
    {
      facts: { functionName, detail },
    },
  );
}
