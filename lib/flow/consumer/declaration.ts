// What a consumer declares, checked: names, types, limits, and combinations that make no sense. Pure, so that CDK synth,
// the runtime and the registration refuse the same things with the same words. Nothing is guessed: defaults are filled in.

import type { ConsumerDeclaration } from '../../model/consumer.ts';
import { InvalidInputError } from '../../model/errors.ts';
import { consumerName, type EventType, eventType } from '../../model/ids.ts';

export const MAX_ATTEMPTS_DEFAULT = 3;
export const MAX_ATTEMPTS_LIMIT = 10;
/** A limit of this project: registry item, event pattern and log dictionary stay small. */
export const EVENT_TYPES_LIMIT = 100;

/** A declaration with every default filled in. */
export type CompleteDeclaration = Required<ConsumerDeclaration>;

/** The event types that exist, declared in one place; consumers that ask for another one are refused. */
export interface DeclaredEventTypes<Type extends string = string> {
  readonly types: readonly Type[];
  has(type: string): boolean;
}

/**
 * Declare the event types that exist, once; a typing error in a consumer then fails at compile time and at import.
 * @throws InvalidInputError `NO_EVENT_TYPES`, `INVALID_EVENT_TYPE`
 * @example const orderEvents = declareEventTypes(['OrderPlaced', 'OrderCancelled']);
 */
export function declareEventTypes<const Type extends string>(types: readonly Type[]): DeclaredEventTypes<Type> {
  const known = new Set<string>(checkEventTypes(types, Number.MAX_SAFE_INTEGER));
  return Object.freeze({ types: Object.freeze([...known] as Type[]), has: (type: string) => known.has(type) });
}

/**
 * The declaration with its defaults, or the reason why it cannot be one.
 * @param known types that exist; absent: any type may be asked for
 * @throws InvalidInputError `INVALID_CONSUMER_NAME`, `NO_EVENT_TYPES`, `TOO_MANY_EVENT_TYPES`, `INVALID_EVENT_TYPE`,
 * `UNKNOWN_EVENT_TYPE`, `INVALID_EFFECTS`, `INVALID_ON_POISON`, `INVALID_START_FROM`, `INVALID_MAX_ATTEMPTS`,
 * `INVALID_GROUP_COMMITS`, `INVALID_DRILL`, `INVALID_VERIFIES_EFFECTS`
 */
export function checkDeclaration(
  raw: ConsumerDeclaration,
  known?: Pick<DeclaredEventTypes, 'types' | 'has'>,
): CompleteDeclaration {
  const name = consumerName(raw?.name);
  const of = (what: string) => `${what} of consumer "${name}"`;
  const eventTypes = checkEventTypes(raw.eventTypes, EVENT_TYPES_LIMIT, of('event types'));
  const unknown = known && eventTypes.find((type) => !known.has(type));
  if (unknown !== undefined) {
    throw new InvalidInputError('UNKNOWN_EVENT_TYPE', {
      what: of('event type'),
      got: unknown,
      allowed: `one of the declared types: ${known?.types.join(', ')}`,
      remedy: 'correct the spelling, or add the type to declareEventTypes([...])',
    });
  }
  const effects = choice(raw.effects, ['transactional', 'idempotent'], of('effects'), 'INVALID_EFFECTS');
  const groupCommits = flag(raw.groupCommits, of('groupCommits'), 'INVALID_GROUP_COMMITS');
  if (groupCommits && effects !== 'transactional') {
    throw new InvalidInputError('INVALID_GROUP_COMMITS', {
      what: of('groupCommits'),
      got: true,
      allowed: 'true only with effects "transactional": there is no commit to group otherwise',
      remedy: 'remove groupCommits, or return the effects as DynamoDB writes and declare them transactional',
    });
  }
  return {
    name,
    eventTypes,
    effects,
    groupCommits,
    onPoison: choice(raw.onPoison ?? 'park', ['park', 'skip'], of('onPoison'), 'INVALID_ON_POISON'),
    startFrom: choice(raw.startFrom ?? 'beginning', ['beginning', 'now'], of('startFrom'), 'INVALID_START_FROM'),
    maxAttempts: checkMaxAttempts(raw.maxAttempts ?? MAX_ATTEMPTS_DEFAULT, of('maxAttempts')),
    drill: flag(raw.drill, of('drill'), 'INVALID_DRILL'),
    verifiesEffects: flag(raw.verifiesEffects, of('verifiesEffects'), 'INVALID_VERIFIES_EFFECTS'),
  };
}

/** Distinct types in the order given. */
function checkEventTypes(raw: unknown, limit: number, what = 'event types'): EventType[] {
  if (!Array.isArray(raw) || raw.length === 0) {
    throw new InvalidInputError('NO_EVENT_TYPES', {
      what,
      got: raw,
      allowed: 'an array with at least one event type',
      remedy: "name the types to react to, for example ['OrderPlaced']",
    });
  }
  if (raw.length > limit) {
    throw new InvalidInputError('TOO_MANY_EVENT_TYPES', {
      what,
      got: raw.length,
      allowed: `at most ${limit}`,
      remedy: 'split the consumer in two, or use fewer and wider event types',
    });
  }
  const types = raw.map((type: unknown) => eventType(type));
  // Types are keys of a map in the registry; this one key would vanish there.
  if (raw.includes('__proto__')) {
    throw new InvalidInputError('INVALID_EVENT_TYPE', {
      what,
      got: '__proto__',
      allowed: 'any other name',
      remedy: 'rename the event type',
    });
  }
  return [...new Set(types)];
}

function choice<const T extends string>(raw: unknown, allowed: readonly T[], what: string, code: string): T {
  const found = allowed.find((value) => value === raw);
  if (found !== undefined) return found;
  const words = allowed.map((value) => `"${value}"`).join(' or ');
  throw new InvalidInputError(code, { what, got: raw, allowed: words, remedy: `write ${words}` });
}

function flag(raw: unknown, what: string, code: string): boolean {
  if (raw === undefined || typeof raw === 'boolean') return raw ?? false;
  throw new InvalidInputError(code, { what, got: raw, allowed: 'true or false', remedy: 'write true or false' });
}

function checkMaxAttempts(raw: unknown, what: string): number {
  if (Number.isInteger(raw) && (raw as number) >= 1 && (raw as number) <= MAX_ATTEMPTS_LIMIT) return raw as number;
  throw new InvalidInputError('INVALID_MAX_ATTEMPTS', {
    what,
    got: raw,
    allowed: `a whole number from 1 to ${MAX_ATTEMPTS_LIMIT}`,
    remedy: `write a number of attempts; without one it is ${MAX_ATTEMPTS_DEFAULT}`,
  });
}
