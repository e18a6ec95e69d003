// What the event store's tests share: events, a Dynamo that records and can be made to fail, and damage to stored commits.

import { createEventStore } from '../../../lib/flow/event-store/event-store.ts';
import type { EventStore } from '../../../lib/flow/event-store/port.ts';
import type { StoredCommit } from '../../../lib/model/commit.ts';
import type { Event, Json, NewEvent } from '../../../lib/model/event.ts';
import type { World } from '../../../lib/platform/clock.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { EVENTS_TABLE, LOG_TABLE } from '../../../lib/platform/dynamodb/schemas.ts';

export const eventsTable = EVENTS_TABLE.name;
export const logTable = LOG_TABLE.name;

export const newEvent = (id: string, data: Json = { n: id }, type = 'OrderPlaced'): NewEvent => ({ id, type, data });
export const newEvents = (count: number, prefix = 'e', first = 1): NewEvent[] =>
  Array.from({ length: count }, (_, index) => newEvent(`${prefix}${first + index}`));

export const versionsOf = (events: readonly Event[]): number[] => events.map(({ metadata }) => metadata.version);
export const idsOf = (events: readonly Event[]): string[] => events.map(({ id }) => id);

export const storeOn = (dynamo: Dynamo, world: World): EventStore =>
  createEventStore({ dynamo, eventsTable, logTable, world });

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The error that it rejects with, as its enumerable facts, so that one `toMatchObject` shows everything. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('it did not fail');
}

type Operation = keyof Dynamo;
export type Call = { operation: Operation; input: Record<string, unknown> };
/** Runs instead of the request; `apply` sends it. */
export type Interceptor = (call: Call, apply: () => Promise<unknown>) => Promise<unknown>;

export interface RecordingDynamo extends Dynamo {
  calls: Call[];
  /** Operations so far, for example `['query', 'batchGet', 'put']`. */
  operations(): Operation[];
  intercept: Interceptor | undefined;
}

export function recording(dynamo: Dynamo): RecordingDynamo {
  const calls: Call[] = [];
  const recorder = {
    calls,
    operations: () => calls.map(({ operation }) => operation),
    intercept: undefined as Interceptor | undefined,
  };
  const operation = (name: Operation) => (input: unknown) => {
    const call = { operation: name, input: input as Record<string, unknown> };
    calls.push(call);
    const apply = () => (dynamo[name] as (input: unknown) => Promise<unknown>)(input);
    return recorder.intercept ? recorder.intercept(call, apply) : apply();
  };
  const names: Operation[] = [
    'get',
    'put',
    'update',
    'delete',
    'query',
    'scan',
    'batchGet',
    'batchWrite',
    'transactWrite',
  ];
  return Object.assign(
    recorder,
    Object.fromEntries(names.map((name) => [name, operation(name)])),
  ) as unknown as RecordingDynamo;
}

/** Fails the first `times` puts as `how` says, once they were applied (`after`) or not (`before`). */
export function failingPuts(times: number, when: 'before' | 'after', error: () => Error): Interceptor {
  let left = times;
  return async ({ operation }, apply) => {
    if (operation !== 'put' || left === 0) return apply();
    left -= 1;
    if (when === 'after') await apply().catch(() => undefined);
    throw error();
  };
}

export const connectionReset = (): Error =>
  Object.assign(new Error('socket hang up'), { name: 'TimeoutError', code: 'ECONNRESET' });

export const storedCommit = async (dynamo: Dynamo, streamId: string, version: number): Promise<StoredCommit> => {
  const { Item } = await dynamo.get({ TableName: eventsTable, Key: { streamId, version }, ConsistentRead: true });
  if (Item === undefined) throw new Error(`${streamId}@${version} is not stored`);
  return Item as StoredCommit;
};

/** Changes attributes of a stored commit, as nobody with our permissions could. */
export async function tamper(
  dynamo: Dynamo,
  streamId: string,
  version: number,
  change: (commit: StoredCommit) => Record<string, unknown>,
): Promise<void> {
  const commit = await storedCommit(dynamo, streamId, version);
  await dynamo.put({ TableName: eventsTable, Item: { ...commit, ...change(commit) } });
}

export const removeCommit = async (dynamo: Dynamo, streamId: string, version: number): Promise<void> => {
  await dynamo.delete({ TableName: eventsTable, Key: { streamId, version } });
};

/** Text that Brotli cannot make smaller than about 3/4: hex digits of a simple generator would halve, base64 does not. */
export function noise(bytes: number, seed: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  let text = '';
  for (let index = 0; index < bytes; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    text += alphabet[state >>> 26];
  }
  return text;
}
