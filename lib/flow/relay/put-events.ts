// PutEvents, at least once: requests of at most 10 entries and 1 MB, a few at a time. Refused entries are sent again one
// by one, with jitter and a bound; one that EventBridge refuses for what it holds is sent again in its smaller form. What
// still fails is returned, never dropped.

import { type EventBridgeClient, PutEventsCommand, type PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { BUS_SOURCE } from '../../model/wake-up.ts';
import type { World } from '../../platform/clock.ts';
import { backoffMs } from '../log/retry.ts';
import { type EncodedEntry, inRequests } from './bus-entry-size.ts';

export interface EventBridgeBus {
  client: Pick<EventBridgeClient, 'send'>;
  busName: string;
  world: Pick<World, 'timers' | 'random'>;
}

/** `index` counts in the entries that were given. */
export interface RefusedEntry {
  index: number;
  code: string;
  message: string;
}

/** Requests under way at once: 4 x 10 entries at 20 ms each are 2,000 entries a second. */
const REQUESTS_AT_ONCE = 4;
/** Tries of one entry, the first included: waits of at most 50 + 100 + 200 + 400 ms. */
export const ENTRY_TRIES = 5;
/** When this many entries in a row failed all their tries, the bus is down: the rest is returned at once. */
export const GIVE_UP_AFTER = 5;

/** Codes that say "later", not "never like this". */
const LATER = /throttl|internal|unavailable|timeout|timedout|limitexceeded|noresult|econn|epipe|network/i;

/** @param smaller another form of the entry, for one that is refused for what it holds; undefined = there is none */
export async function putEvents(
  bus: EventBridgeBus,
  entries: readonly EncodedEntry[],
  smaller: (index: number) => EncodedEntry | undefined = () => undefined,
): Promise<RefusedEntry[]> {
  const numbered = entries.map((entry, index) => ({ ...entry, index }));
  const requests = inRequests(numbered);
  const refused: RefusedEntry[] = [];
  for (let start = 0; start < requests.length; start += REQUESTS_AT_ONCE) {
    const underWay = requests.slice(start, start + REQUESTS_AT_ONCE);
    refused.push(...(await Promise.all(underWay.map((request) => send(bus, request)))).flat());
  }

  const failed: RefusedEntry[] = [];
  let inARow = 0;
  for (const first of refused) {
    let outcome: RefusedEntry | undefined = first;
    let entry = numbered[first.index] as Numbered;
    for (let tries = 1; outcome !== undefined && tries < ENTRY_TRIES && inARow < GIVE_UP_AFTER; tries += 1) {
      await bus.world.timers.sleep(backoffMs(tries, bus.world.random));
      if (!LATER.test(outcome.code)) entry = { ...(smaller(first.index) ?? entry), index: first.index };
      [outcome] = await send(bus, [entry]);
    }
    inARow = outcome === undefined ? 0 : inARow + 1;
    if (outcome !== undefined) failed.push(outcome);
  }
  return failed;
}

type Numbered = EncodedEntry & { index: number };

/** One request; answers the entries that were refused. A request that failed as a whole refused all of them. */
async function send(bus: EventBridgeBus, request: readonly Numbered[]): Promise<RefusedEntry[]> {
  let results: PutEventsResultEntry[];
  try {
    const answer = await bus.client.send(
      new PutEventsCommand({
        Entries: request.map(({ detailType, detail }) => ({
          EventBusName: bus.busName,
          Source: BUS_SOURCE,
          DetailType: detailType,
          Detail: detail,
        })),
      }),
    );
    results = answer.Entries ?? [];
  } catch (error) {
    const { name = 'Error', message = '', code } = error as { name?: string; message?: string; code?: string };
    return request.map(({ index }) => ({ index, code: code ?? name, message }));
  }
  // FailedEntryCount is not trusted: an entry was taken only if its own result says so, by an id and no error code.
  return request.flatMap(({ index }, place) => {
    const { EventId, ErrorCode, ErrorMessage = '' } = results[place] ?? {};
    if (EventId !== undefined && ErrorCode === undefined) return [];
    return [{ index, code: ErrorCode ?? 'NoResult', message: ErrorMessage }];
  });
}
