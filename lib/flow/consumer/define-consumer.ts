// Defining a consumer: what it wants, how its effects are made safe, and the function that reacts. Importing a definition
// reads no environment and opens no client, so a CDK app may import it for `declaration`, and a test for `react`.

import type { ConsumerDeclaration } from '../../model/consumer.ts';
import { InvalidInputError } from '../../model/errors.ts';
import type { LambdaContext } from '../../platform/lambda-context.ts';
import type { BatchResponse } from './batch-handler.ts';
import { type CompleteDeclaration, checkDeclaration, type DeclaredEventTypes } from './declaration.ts';
import type { React } from './port.ts';

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
}

export interface DefinedConsumer {
  /** With every default filled in: what the CDK construct deploys and the registry knows. */
  readonly declaration: CompleteDeclaration;
  readonly react: React;
  /** The Lambda handler for the consumer's SQS queue. Reads the environment at its first call. */
  readonly handler: (event: unknown, context: LambdaContext) => Promise<BatchResponse>;
}

/**
 * @throws InvalidInputError `INVALID_CONSUMER_NAME`, `NO_EVENT_TYPES`, `TOO_MANY_EVENT_TYPES`, `INVALID_EVENT_TYPE`,
 * `UNKNOWN_EVENT_TYPE`, `INVALID_EFFECTS`, `INVALID_ON_POISON`, `INVALID_START_FROM`, `INVALID_MAX_ATTEMPTS`,
 * `INVALID_GROUP_COMMITS`, `INVALID_DRILL`, `INVALID_REACT`
 * @example
 * export const { declaration, handler } = defineConsumer({
 *   name: 'order-mailer',
 *   eventTypes: ['OrderPlaced'],
 *   effects: 'idempotent',
 *   react: async (event) => mailer.send(event.metadata.correlationId, event.data),
 * });
 */
export function defineConsumer<const Type extends string = string>(options: ConsumerOptions<Type>): DefinedConsumer {
  const { react, knownEventTypes, ...rest } = options;
  const declaration = Object.freeze(checkDeclaration(rest, knownEventTypes));
  if (typeof react !== 'function') {
    throw new InvalidInputError('INVALID_REACT', {
      what: `react of consumer "${declaration.name}"`,
      got: typeof react,
      allowed: 'a function of (event, context)',
      remedy: 'pass the function that reacts to one event',
    });
  }
  return { declaration, react, handler: lazyHandler(declaration, react) };
}

/** Composed once per process, at the first call. A failure (a missing variable, say) is tried again at the next one. */
function lazyHandler(declaration: CompleteDeclaration, react: React): DefinedConsumer['handler'] {
  let composed: Promise<DefinedConsumer['handler']> | undefined;
  const compose = async () => (await import('./consumer-function.ts')).createConsumerFunction({ declaration, react });
  return async (event, context) => {
    composed ??= compose();
    const current = composed;
    const handler = await current.catch((error: unknown) => {
      if (composed === current) composed = undefined;
      throw error;
    });
    return handler(event, context);
  };
}
