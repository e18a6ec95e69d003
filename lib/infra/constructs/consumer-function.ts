// The function of a consumer in its three forms: an entry that we bundle, a NodejsFunction with the caller's settings, or a
// function that the team owns. In all of them continuations go through the consumer's own queue.

import { Annotations } from 'aws-cdk-lib';
import { type CfnFunction, type IFunction, Function as LambdaFunction, RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import type { CompleteDeclaration } from '../../flow/consumer/declaration.ts';
import { InvalidInputError } from '../../model/errors.ts';
import { entryCode, NODEJS_FUNCTION_BUNDLING } from './bundling.ts';
import type { ConsumerNumbers } from './consumer-numbers.ts';
import type { EventConsumerProps } from './event-consumer-props.ts';
import { EventFunction, type FunctionConventionsProps, functionConventions } from './event-function.ts';

/** @throws InvalidInputError `INVALID_CONSUMER_CODE`, `TIMEOUTS_DIFFER`, `RECURSIVE_LOOP_NOT_ALLOWED`, `INVALID_ENTRY` */
export function createConsumerFunction(
  scope: Construct,
  props: EventConsumerProps,
  declaration: CompleteDeclaration,
  numbers: ConsumerNumbers,
  environment: Readonly<Record<string, string>>,
): IFunction {
  const { entry, nodejsFunctionProps, function: owned } = props;
  const forms = Object.entries({ entry, nodejsFunctionProps, function: owned }).filter(
    ([, form]) => form !== undefined,
  );
  if (forms.length !== 1) {
    throw new InvalidInputError('INVALID_CONSUMER_CODE', {
      what: `code of consumer "${declaration.name}"`,
      got: forms.length === 0 ? 'none of them' : forms.map(([name]) => name).join(' and '),
      allowed: 'exactly one of entry, nodejsFunctionProps, function',
      remedy: "pass entry: join(import.meta.dirname, 'handler.ts')",
    });
  }
  if (owned !== undefined)
    return adoptFunction(scope, owned, declaration, numbers, { ...environment, ...props.environment });

  const conventions: FunctionConventionsProps = {
    service: declaration.name,
    description: `Consumer ${declaration.name}`,
    timeout: numbers.timeout,
    memorySize: numbers.memorySize,
    environment: { ...environment, ...props.environment },
    logRetention: props.logRetention,
    logLevel: props.logLevel,
    // A stream that takes longer than one invocation, and a retry with a delay, continue in a wake-up to the own queue.
    // After about 16 such cycles Lambda would take them for a runaway loop; the hop cap of the consumer bounds them.
    recursiveLoop: RecursiveLoop.ALLOW,
  };
  if (entry !== undefined) {
    return new EventFunction(scope, 'Consumer', { ...conventions, code: entryCode(scope, entry) }).function;
  }
  const given = nodejsFunctionProps ?? {};
  sameTimeout(given.timeout?.toSeconds(), declaration, numbers);
  const ours = functionConventions(scope, conventions);
  const built = new NodejsFunction(scope, 'Function', {
    ...ours,
    ...given,
    environment: { ...given.environment, ...ours.environment },
    bundling: { ...NODEJS_FUNCTION_BUNDLING, ...given.bundling },
  });
  allowRecursiveLoop(built, declaration);
  return built;
}

function adoptFunction(
  scope: Construct,
  owned: IFunction,
  declaration: CompleteDeclaration,
  numbers: ConsumerNumbers,
  environment: Readonly<Record<string, string>>,
): IFunction {
  if (owned instanceof LambdaFunction) {
    sameTimeout(owned.timeout?.toSeconds(), declaration, numbers);
    for (const [name, value] of Object.entries(environment)) owned.addEnvironment(name, value);
    allowRecursiveLoop(owned, declaration);
  } else {
    Annotations.of(scope).addWarningV2(
      'event-recovery:imported-function',
      `Consumer "${declaration.name}": the function is imported. Set the variables of "environmentVariables" on it, allow recursive loops, and give its role the permissions if it was imported without one.`,
    );
  }
  return owned;
}

/** Without it Lambda takes the continuations of a long stream for a loop, after about 16 of them, and drops the next one. */
function allowRecursiveLoop(owned: LambdaFunction, declaration: CompleteDeclaration): void {
  const resource = owned.node.defaultChild as CfnFunction;
  resource.recursiveLoop ??= RecursiveLoop.ALLOW;
  if (resource.recursiveLoop === RecursiveLoop.ALLOW) return;
  throw new InvalidInputError('RECURSIVE_LOOP_NOT_ALLOWED', {
    what: `recursiveLoop of the function of consumer "${declaration.name}"`,
    got: resource.recursiveLoop,
    allowed: `"${RecursiveLoop.ALLOW}": a long stream goes on in wake-ups to the consumer's own queue`,
    remedy: 'leave recursiveLoop out; the consumer bounds its continuations itself',
  });
}

/** Visibility is computed from `timeout`: it must be the function's own. */
function sameTimeout(seconds: number | undefined, declaration: CompleteDeclaration, numbers: ConsumerNumbers): void {
  if (seconds === undefined || seconds === numbers.timeout.toSeconds()) return;
  throw new InvalidInputError('TIMEOUTS_DIFFER', {
    what: `timeout in seconds of the function of consumer "${declaration.name}"`,
    got: seconds,
    allowed: `the consumer's own timeout, ${numbers.timeout.toSeconds()}`,
    remedy: `pass timeout: Duration.seconds(${seconds}) to EventConsumer`,
  });
}
