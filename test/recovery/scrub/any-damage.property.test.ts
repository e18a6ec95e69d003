// Whatever happens to stored bytes, attributes and items: it is found, and nobody else is accused. Each case is one rotation
// over a small store that was damaged by a seeded hand, with pages and invocations of random size.

import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createMemoryDynamo } from '../../../lib/platform/dynamodb/memory/index.ts';
import { ALL_TABLES } from '../../../lib/platform/dynamodb/schemas.ts';
import { silentLogger } from '../../../lib/platform/logging.ts';
import { silentMetrics } from '../../../lib/platform/metrics.ts';
import { composeScrub } from '../../../lib/recovery/scrub/compose.ts';
import type { Finding } from '../../../lib/recovery/scrub/types.ts';
import { createManualClock, createTestWorld } from '../../support/world.ts';
import { createHand, type Hand, targetOf, textOf, WAY_NAMES, WAYS, type WayName } from './damage.ts';
import { createScrubBench, type Item, rotateWith } from './support.ts';

const TIMEOUT_MS = 300_000;
const EVENT_CASES = 8_500;
const LOG_CASES = 3_000;

let stored: { Events: Item[]; Log: Item[] };
let now: number;
const hits = new Map<string, number>();

beforeAll(async () => {
  const bench = await createScrubBench();
  await bench.fill();
  stored = { Events: await bench.system.items('Events'), Log: await bench.system.items('Log') };
  now = bench.system.clock.now();
  expect(stored.Events.some(({ encoding }) => encoding === 'br')).toBe(true);
});

const otherEventKey = (item: Item, hand: Hand): Item => {
  const streamId = hand.one([item.streamId, 'order-1', 'order-2', 'order-3', 'order-4', 'order-5', 'order']);
  return { streamId, version: hand.one([1, 2, 3, 4, 5, 6, 7, 9, 50, 1_000, 0, -1, 2.5, Number.MAX_SAFE_INTEGER]) };
};
const otherLogKey = (item: Item, hand: Hand): Item => {
  if (String(item.pk).startsWith('stream#')) return { pk: `stream#order-${1 + hand.number(6)}`, sk: 'head' };
  return { pk: hand.one(['page#0#0', 'page#0#1']), sk: String(1 + hand.number(30)).padStart(16, '0') };
};

interface Case {
  way: WayName;
  seed: number;
  pageItems: number;
  /** Invocations that do one page each. */
  isSplit: boolean;
}
const aCase = fc.record<Case>({
  way: fc.constantFrom(...WAY_NAMES),
  seed: fc.nat(),
  pageItems: fc.constantFrom(1, 3, 5, 30),
  isSplit: fc.boolean(),
});

/** Damages a copy and scrubs it. `touched`: keys under which something else stands now; `changed`: without mere times. */
async function scrubDamaged(table: 'Events' | 'Log', { way, seed, pageItems, isSplit }: Case) {
  const clock = createManualClock(now);
  const dynamo = createMemoryDynamo({ clock, tables: ALL_TABLES });
  for (const item of stored.Events) dynamo.replaceItem('Events', item);
  for (const item of stored.Log) dynamo.replaceItem('Log', item);
  const hand = createHand(seed);
  const target =
    table === 'Events'
      ? targetOf(dynamo, table, ['streamId', 'version'], otherEventKey, stored.Events)
      : targetOf(dynamo, table, ['pk', 'sk'], otherLogKey, stored.Log);
  WAYS[way](target, hand);
  const touched = target.changed((a, b) => isSame(a, b));
  const changed = target.changed((a, b) => isSame(a && withoutTimes(a), b && withoutTimes(b)));
  const deps = composeScrub({
    dynamo,
    eventsTable: 'Events',
    logTable: 'Log',
    recoveryTable: 'Recovery',
    continuations: { send: async () => undefined },
    announcements: { damageFound: async () => undefined },
    logLag: { measure: async () => 0 },
    world: { ...createTestWorld({ startMs: now }), clock },
    logger: silentLogger,
    metrics: silentMetrics,
  });
  await rotateWith(deps, { pageItems, timeMs: isSplit ? 0 : 60_000 });
  return { touched, changed, findings: await deps.findings.open(1_000) };
}

/** When a page was sequenced is said nowhere else, unless a stream ends in it: another plausible time is no damage. */
const withoutTimes = (item: Item): Item => {
  const isTime = Number.isSafeInteger(item.sequencedAt) && (item.sequencedAt as number) >= 0;
  return isTime ? { ...item, sequencedAt: 0 } : item;
};
const isSame = (a: Item | undefined, b: Item | undefined): boolean =>
  a === undefined || b === undefined ? a === b : textOf(a) === textOf(b);

const count = (way: string, isChanged: boolean) => {
  const name = isChanged ? way : 'nothing changed';
  hits.set(name, (hits.get(name) ?? 0) + 1);
};
const places = (findings: readonly Finding[]) =>
  findings.map(({ kind, streamId, from, to }) => `${kind} ${streamId} ${from}-${to}`);

describe('any damage', () => {
  it(
    'of the Events table is found, and only in the streams that it was done to',
    async () => {
      await fc.assert(
        fc.asyncProperty(aCase, async (one) => {
          const { changed, findings } = await scrubDamaged('Events', one);
          count(one.way, changed.length > 0);
          const touched = new Set(changed.map(({ streamId }) => streamId));
          const innocent = findings.filter(({ streamId }) => !touched.has(streamId));
          const unnoticed = [...touched].filter((id) => findings.every(({ streamId }) => streamId !== id));
          if (innocent.length + unnoticed.length > 0) expect({ innocent: places(innocent), unnoticed }).toEqual({});
        }),
        { numRuns: EVENT_CASES, seed: 20_261_125 },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'of the log and its directory is found',
    async () => {
      await fc.assert(
        fc.asyncProperty(aCase, async (one) => {
          const { touched, changed, findings } = await scrubDamaged('Log', one);
          count(one.way, changed.length > 0);
          const isWrong = changed.length > 0 ? findings.length === 0 : findings.length > 0 && touched.length === 0;
          if (isWrong) expect({ touched, findings: places(findings) }).toEqual({});
        }),
        { numRuns: LOG_CASES, seed: 20_261_125 },
      );
    },
    TIMEOUT_MS,
  );

  it('was real damage in more than 10,000 cases, in every way', () => {
    const real = [...hits].filter(([way]) => way !== 'nothing changed').reduce((sum, [, cases]) => sum + cases, 0);
    expect(real).toBeGreaterThanOrEqual(10_000);
    for (const way of WAY_NAMES) expect(hits.get(way) ?? 0).toBeGreaterThan(400);
  });
});
