// Defining a consumer: what it wants, how its effects are made safe, and the function that reacts. Importing a definition
// reads no environment and opens no client, so a CDK app may import it for `declaration`, and a test for `react`.

import type { ConsumerDeclaration } from '../../model/consumer.ts';
import { InvalidInputError } from '../../model/errors.ts';
import type { LambdaContext } from '../../platform/lambda-context.ts';
import type { ConsumerCode, ConsumerHandler } from './consumer-function.ts';
import { type CompleteDeclaration, checkDeclaration, type DeclaredEventTypes } from './declaration.ts';
import type { React } from './port.ts';
import type { Verify, VerifyWhole } from './verify-port.ts';

export interface ConsumerOptions<Type extends string = string> extends Omit<ConsumerDeclaration, 'eventTypes'> {
  /** Types that it reacts to, 1 to 100. Every other type counts as resolved for it. */
  eventTypes: readonly NoInfer<Type>[];
  /** The types that exist, from `declareEventTypes`; another one is then refused. @default any type may be asked for */
  knownEventTypes?: DeclaredEventTypes<Type>;
  /**
   * Runs per event, in the order of its stream. Transactional: returns the DynamoDB writes to commit with the checkpoint
   * (at most 100 in one transaction, some of them the consumer's own). Idempotent: may run again for the same event.
   */
  react: React;
  /**
   * Compares the consumer's effects for one stream with its events, when a verification asks. Needs `verifiesEffects: true` in
   * the declaration, so that the deployment lets the verification call this function. @default the effects are not verified
   */
  verify?: Verify;
  /** Compares the consumer's state as a whole, once per verification. Only together with `verify`. */
  verifyWhole?: VerifyWhole;
}

export interface DefinedConsumer {
  /** With every default filled in: what the CDK construct deploys and the registry knows. */
  readonly declaration: CompleteDeclaration;
  readonly react: React;
  /** The Lambda handler for the consumer's SQS queue and for the verification. Reads the environment at its first call. */
  readonly handler: ConsumerHandler;
}

/**
 * @throws InvalidInputError `INVALID_CONSUMER_NAME`, `NO_EVENT_TYPES`, `TOO_MANY_EVENT_TYPES`, `INVALID_EVENT_TYPE`,
 * `UNKNOWN_EVENT_TYPE`, `INVALID_EFFECTS`, `INVALID_ON_POISON`, `INVALID_START_FROM`, `INVALID_MAX_ATTEMPTS`,
 * `INVALID_GROUP_COMMITS`, `INVALID_DRILL`, `INVALID_VERIFIES_EFFECTS`, `INVALID_REACT`, `INVALID_VERIFY`
 * @example
 * export const { declaration, handler } = defineConsumer({
 *   name: 'order-mailer',
 *   eventTypes: ['OrderPlaced'],
 *   effects: 'idempotent',
 *   react: async (event) => mailer.send(event.metadata.correlationId, event.data),
 * });
 */
export function defineConsumer<const Type extends string = string>(options: ConsumerOptions<Type>): DefinedConsumer {
  const { react, verify, verifyWhole, knownEventTypes, ...rest } = options;
  const declaration = Object.freeze(checkDeclaration(rest, knownEventTypes));
  if (typeof react !== 'function') {
    throw new InvalidInputError('INVALID_REACT', {
      what: `react of consumer "${declaration.name}"`,
      got: typeof react,
      allowed: 'a function of (event, context)',
      remedy: 'pass the function that reacts to one event',
    });
  }
  checkVerify(declaration, { verify, verifyWhole });
  return { declaration, react, handler: lazyHandler({ declaration, react, verify, verifyWhole }) };
}

/** What is declared is what the verification relies on: one without the other would pass as verified, or never be called. */
function checkVerify(
  { name, verifiesEffects }: CompleteDeclaration,
  { verify, verifyWhole }: Pick<ConsumerOptions, 'verify' | 'verifyWhole'>,
): void {
  const isFunctionOrAbsent = (one: unknown): boolean => one === undefined || typeof one === 'function';
  const isFitting = (verify !== undefined) === verifiesEffects && (verify !== undefined || verifyWhole === undefined);
  if (isFitting && isFunctionOrAbsent(verify) && isFunctionOrAbsent(verifyWhole)) return;
  throw new InvalidInputError('INVALID_VERIFY', {
    what: `verify of consumer "${name}", which declares verifiesEffects: ${verifiesEffects}`,
    got: `verify: ${typeof verify}, verifyWhole: ${typeof verifyWhole}`,
    allowed:
      'verifiesEffects: true with a function verify and, if wanted, a function verifyWhole; or none of the three',
    remedy: verifiesEffects ? 'pass the function verify' : 'add verifiesEffects: true to the declaration',
  });
}

/** Composed once per process, at the first call. A failure (a missing variable, say) is tried again at the next one. */
function lazyHandler(code: ConsumerCode): ConsumerHandler {
  let composed: Promise<ConsumerHandler> | undefined;
  const compose = async () => (await import('./consumer-function.ts')).createConsumerFunction(code);
  const handle = async (event: unknown, context: LambdaContext) => {
    composed ??= compose();
    const current = composed;
    const handler = await current.catch((error: unknown) => {
      if (composed === current) composed = undefined;
      throw error;
    });
    return handler(event, context);
  };
  return handle as ConsumerHandler;
}
