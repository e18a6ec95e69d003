// retryEvent and retryByType for programs: they call the deployed redrive function, so that permissions, limits and audit are
// those of an operator.

import { InvokeCommand } from '@aws-sdk/client-lambda';
import { EventRecoveryError } from '../../model/errors.ts';
import { type ClientLimits, createLambdaClient } from '../../platform/aws-clients.ts';
import { environmentOf } from '../../platform/environment.ts';

export interface RetryOptions {
  /** The part of a Lambda client that is needed here; its credentials must allow lambda:InvokeFunction. */
  client: { send(command: InvokeCommand): Promise<{ Payload?: Uint8Array; FunctionError?: string }> };
  /** Stack output `RedriveDeadLettersFunctionName`, or its ARN. */
  functionName: string;
  /** Who asks, for the audit. */
  requestedBy: string;
  /** Why, for the audit. @default 'retried by a program' */
  reason?: string;
}

export interface Retries {
  /**
   * Gives the dead letters of one event back to the consumers that gave up on it.
   * @param id the event's id
   * @returns how many dead letters that is; 0 when all are resolved already
   * @throws EventRecoveryError `UNKNOWN_DEAD_LETTER`, `FUNCTION_FAILED`
   */
  retryEvent(id: string): Promise<number>;
  /** The same for all events of a type: a canary first, the rest when it succeeds. @returns how many dead letters that is */
  retryByType(type: string): Promise<number>;
}

/** @example await createRetries({ client: new LambdaClient(), functionName, requestedBy: 'anna' }).retryByType('OrderPlaced'); */
export function createRetries({ client, functionName, requestedBy, reason }: RetryOptions): Retries {
  const retry = async (selection: { eventId: string } | { eventType: string }): Promise<number> => {
    const request = {
      action: 'redrive',
      selection,
      dryRun: false,
      requestedBy,
      reason: reason ?? 'retried by a program',
    };
    const { Payload, FunctionError } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(request)) }),
    );
    const answer = JSON.parse(Buffer.from(Payload ?? []).toString('utf8') || '{}') as {
      count?: number;
      errorMessage?: string;
      error?: { code: string; message: string; retryable?: boolean; facts?: Record<string, unknown> };
    };
    if (FunctionError !== undefined) {
      const message = `the redrive function failed: ${answer.errorMessage ?? FunctionError}`;
      throw new EventRecoveryError('FUNCTION_FAILED', message, { retryable: true });
    }
    if (answer.error !== undefined) {
      const { code, message, retryable, facts } = answer.error;
      throw new EventRecoveryError(code, message, { retryable, facts });
    }
    return answer.count ?? 0;
  };
  return { retryEvent: (id) => retry({ eventId: id }), retryByType: (type) => retry({ eventType: type }) };
}

let byEnvironment: Retries | undefined;

/** Made at the first call, so that importing this module reads no environment and opens no client. */
function ofEnvironment(): Retries {
  byEnvironment ??= createRetries({
    client: createLambdaClient(REDRIVE_LIMITS),
    functionName: environmentOf(process.env).required('REDRIVE_DEAD_LETTERS_FUNCTION_NAME'),
    requestedBy: process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'a program',
  });
  return byEnvironment;
}

/** The redrive function answers after 20 seconds at most; a second try finds what the first one did not finish. */
const REDRIVE_LIMITS: ClientLimits = { requestTimeoutMs: 30_000, maxAttempts: 2 };

/**
 * Gives the dead letters of one event back, by the function that the variable REDRIVE_DEAD_LETTERS_FUNCTION_NAME names. For a
 * client, a name or an audit of your own: `createRetries`.
 * @returns how many dead letters that is; 0 when all are resolved already
 * @throws EventRecoveryError `UNKNOWN_DEAD_LETTER`, `FUNCTION_FAILED`; InvalidInputError `MISSING_ENVIRONMENT`
 * @example const count = await retryEvent('placed-4711');
 */
export const retryEvent = async (id: string): Promise<number> => ofEnvironment().retryEvent(id);

/**
 * The same for all events of a type: a canary first, the rest when it succeeds.
 * @example const count = await retryByType('OrderPlaced');
 */
export const retryByType = async (type: string): Promise<number> => ofEnvironment().retryByType(type);
