// The decision behind a registration, pure: what the registry's entry becomes, or why the registration is refused.
//
// - A NEW consumer begins at position 0, or at the log's head (`startFrom: 'now'`).
// - A type ADDED later applies from the head on; its history becomes a planned backfill, never silently resolved.
// - A type REMOVED is forgotten, also in a waiting backfill. Asked for again, it is an added type: its whole history is
//   planned, because what lagging streams skipped meanwhile is unknown, and a plan says how many events it repeats.
// - A consumer that comes BACK after it was retired keeps start and types' positions and resumes from its checkpoints, as
//   if it had been down; the next scan finds what it missed. A retired name is free: another owner may take it over.

import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { ConsumerName, EventType, Position } from '../../model/ids.ts';
import type { CompleteDeclaration } from '../consumer/declaration.ts';
import type { Registration } from './port.ts';

/** Version of the item's layout. Version N reads N-1. */
export const REGISTRY_FORMAT = 1;

export type RegistrationDecision =
  /** Nothing to write: the entry already says so. */
  | { kind: 'unchanged'; consumer: RegisteredConsumer }
  | { kind: 'write'; consumer: RegisteredConsumer; change: 'created' | 'updated' | 'reactivated' }
  | { kind: 'refused'; reason: 'name-taken'; owner: string }
  /** A started consumer cannot start elsewhere: its checkpoints say where it is. */
  | { kind: 'refused'; reason: 'start-is-fixed'; startFrom: 'beginning' | 'now' };

export interface RegistrationInput extends Omit<Registration, 'declaration'> {
  declaration: CompleteDeclaration;
}

export function decideRegistration(
  existing: RegisteredConsumer | undefined,
  registration: RegistrationInput,
  head: Position,
  now: number,
): RegistrationDecision {
  if (existing === undefined) {
    return { kind: 'write', change: 'created', consumer: newConsumer(registration, head, now) };
  }
  if (existing.status === 'active' && existing.owner !== registration.owner) {
    return { kind: 'refused', reason: 'name-taken', owner: existing.owner };
  }
  if (existing.startFrom !== registration.declaration.startFrom) {
    return { kind: 'refused', reason: 'start-is-fixed', startFrom: existing.startFrom };
  }
  const consumer = changedConsumer(existing, registration, head, now);
  if (same(existing, consumer)) return { kind: 'unchanged', consumer: existing };
  const change = existing.status === 'retired' ? 'reactivated' : 'updated';
  return { kind: 'write', change, consumer: { ...consumer, updatedAt: now } };
}

/** A map of types whose keys cannot meet the names that every object inherits (`constructor` is a valid event type). */
export const typeMap = <Value>(entries: Iterable<readonly [string, Value]>): Record<EventType, Value> =>
  Object.assign(Object.create(null), Object.fromEntries(entries));

function newConsumer(
  { declaration, ...registration }: RegistrationInput,
  head: Position,
  now: number,
): RegisteredConsumer {
  const startPosition = declaration.startFrom === 'now' ? head : (0 as Position);
  return {
    name: declaration.name as ConsumerName,
    eventTypes: typeMap(declaration.eventTypes.map((type) => [type, startPosition] as const)),
    effects: declaration.effects,
    onPoison: declaration.onPoison,
    startFrom: declaration.startFrom,
    startPosition,
    status: 'active',
    drill: declaration.drill,
    verifiesEffects: declaration.verifiesEffects,
    queueUrl: registration.queueUrl,
    functionName: registration.functionName,
    owner: registration.owner,
    registeredAt: now,
    updatedAt: now,
    format: REGISTRY_FORMAT,
  };
}

function changedConsumer(
  existing: RegisteredConsumer,
  { declaration, ...registration }: RegistrationInput,
  head: Position,
  now: number,
): RegisteredConsumer {
  const wanted = declaration.eventTypes as readonly EventType[];
  const added = wanted.filter((type) => !Object.hasOwn(existing.eventTypes, type));
  const { backfill: _replaced, announced: _done, ...rest } = existing;
  const waiting = waitingTypes(existing).filter(({ type }) => wanted.includes(type));
  // Strictly later than the request before: a plan made for that one completes only the types that it knew.
  const requestedAt = Math.max(now, (existing.backfill?.requestedAt ?? 0) + 1);
  // With nothing between the consumer's start and the head, there is no history to deliver.
  const withHistory = head > existing.startPosition ? added.map((type) => ({ type, until: head, requestedAt })) : [];
  return {
    ...rest,
    ...backfillOf([...waiting, ...withHistory]),
    eventTypes: typeMap(wanted.map((type) => [type, positionOf(existing, type) ?? head] as const)),
    effects: declaration.effects,
    onPoison: declaration.onPoison,
    drill: declaration.drill,
    verifiesEffects: declaration.verifiesEffects,
    status: 'active',
    queueUrl: registration.queueUrl,
    functionName: registration.functionName,
    owner: registration.owner,
    format: REGISTRY_FORMAT,
  };
}

interface WaitingType {
  type: EventType;
  /** Its history ends here; from here on it is delivered as it happens. */
  until: Position;
  requestedAt: number;
}

const waitingTypes = ({ backfill, eventTypes }: RegisteredConsumer): WaitingType[] =>
  (backfill?.eventTypes ?? []).map((type) => ({
    type,
    until: eventTypes[type] ?? (backfill?.untilPosition as Position),
    requestedAt: backfill?.requestedAtByType?.[type] ?? backfill?.requestedAt ?? 0,
  }));

const backfillOf = (waiting: readonly WaitingType[]): Pick<RegisteredConsumer, 'backfill'> =>
  waiting.length === 0
    ? {}
    : {
        backfill: {
          eventTypes: waiting.map(({ type }) => type),
          untilPosition: Math.max(...waiting.map(({ until }) => until)) as Position,
          requestedAt: Math.max(...waiting.map(({ requestedAt }) => requestedAt)),
          requestedAtByType: typeMap(waiting.map(({ type, requestedAt }) => [type, requestedAt] as const)),
        },
      };

/**
 * The entry after a plan that was made for the backfill of `requestedAt` has been applied: the types that it knew apply
 * from the consumer's start on; types added later still wait. `undefined`: nothing to change (a retry).
 */
export function decideBackfillCompleted(
  existing: RegisteredConsumer,
  requestedAt: number,
  now: number,
): RegisteredConsumer | undefined {
  const { backfill: _replaced, ...rest } = existing;
  const isDone = (waiting: WaitingType) => waiting.requestedAt <= requestedAt;
  const waiting = waitingTypes(existing);
  const done = new Set(waiting.filter(isDone).map(({ type }) => type));
  if (done.size === 0) return undefined;
  const positions = Object.entries(existing.eventTypes) as [EventType, Position][];
  return {
    ...rest,
    ...backfillOf(waiting.filter((type) => !isDone(type))),
    eventTypes: typeMap(positions.map(([type, at]) => [type, done.has(type) ? existing.startPosition : at] as const)),
    updatedAt: now,
  };
}

const positionOf = ({ eventTypes }: RegisteredConsumer, type: EventType): Position | undefined =>
  Object.hasOwn(eventTypes, type) ? eventTypes[type] : undefined;

/** Equal in everything but `updatedAt`, whatever the order of keys. */
function same(one: RegisteredConsumer, other: RegisteredConsumer): boolean {
  return canonical({ ...one, updatedAt: 0 }) === canonical({ ...other, updatedAt: 0 });
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
