// A store with its log, and a scrub over it: for tests that damage something and ask what is found.

import { brotliCompressSync } from 'node:zlib';
import { createIncidents } from '../../../lib/flow/relay/incidents.ts';
import type { BackfillDetail } from '../../../lib/model/wake-up.ts';
import type { MemoryDynamo } from '../../../lib/platform/dynamodb/memory/index.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { composeScrub } from '../../../lib/recovery/scrub/compose.ts';
import { type ScrubDeps, type ScrubInput, type ScrubOutcome, scrub } from '../../../lib/recovery/scrub/scrub.ts';
import type { DamageFound, Finding } from '../../../lib/recovery/scrub/types.ts';
import type { Engine } from '../../support/engines.ts';
import { createSmallSystem, TABLES } from '../../support/small-system.ts';

export const DAY_MS = 24 * 60 * 60_000;
export type Item = Record<string, unknown>;
export const compressed = (text: string): Uint8Array => new Uint8Array(brotliCompressSync(text));

export const INPUT: ScrubInput = {
  rotationMs: 7 * DAY_MS,
  unitsPerSecond: 1_000_000,
  pageItems: 3,
  leaseMs: 60_000,
  timeMs: 60_000,
  rotateNow: true,
  requestId: 'request-1',
  requestedBy: 'test',
  reason: 'test',
};

export type ScrubBench = Awaited<ReturnType<typeof createScrubBench>>;

export async function createScrubBench(options: { engine?: Engine; wrap?: (dynamo: Dynamo) => Dynamo } = {}) {
  const system = await createSmallSystem(options);
  const handedOver: BackfillDetail[] = [];
  const announced: DamageFound[] = [];
  const lag: { ms: number | undefined } = { ms: 0 };
  const { world } = system;
  const parts = {
    ...TABLES,
    dynamo: system.dynamo,
    world,
    logger: system.logger,
    metrics: system.metrics,
    continuations: { send: async (detail: BackfillDetail) => void handedOver.push(detail) },
    announcements: { damageFound: async (detail: DamageFound) => void announced.push(detail) },
    logLag: { measure: async () => lag.ms },
  };
  const deps = composeScrub(parts);
  const open = async (): Promise<Finding[]> => {
    const rows = await deps.findings.open(1_000);
    const places = (a: Finding, b: Finding) => a.streamId.localeCompare(b.streamId) || a.from - b.from;
    return rows.sort((a, b) => places(a, b) || a.kind.localeCompare(b.kind));
  };
  const item = async (streamId: string, version: number): Promise<Item> => {
    const { Item } = await system.dynamo.get({ TableName: 'Events', Key: { streamId, version } });
    return Item as Item;
  };
  const putItem = async (Item: Item, TableName = 'Events'): Promise<void> => {
    await system.dynamo.put({ TableName, Item });
  };
  return {
    system,
    parts,
    deps,
    open,
    item,
    putItem,
    handedOver,
    announced,
    lag,
    incidents: createIncidents({ dynamo: system.dynamo, logTable: 'Log', world }),

    /** `order-1` to `order-3`, single and several events a commit, one of them compressed; all sequenced, in several pages. */
    async fill(): Promise<void> {
      const { eventStore, clock } = system;
      const event = (streamId: string, n: number, size = 0) => ({
        id: `${streamId}-${n}`,
        type: n % 2 === 0 ? 'OrderPaid' : 'OrderPlaced',
        data: { n, note: 'x'.repeat(size) },
      });
      const shape: [string, number[]][] = [
        ['order-1', [1, 2, 1]],
        ['order-2', [3]],
        ['order-3', [1, 1, 1, 1, 1]],
        ['order-4', [2, 2]],
      ];
      for (let round = 0; round < 5; round += 1) {
        for (const [streamId, counts] of shape) {
          const count = counts[round];
          if (count === undefined) continue;
          const before = counts.slice(0, round).reduce((sum, more) => sum + more, 0);
          const size = streamId === 'order-2' ? 3_000 : 0;
          const events = Array.from({ length: count }, (_, index) => event(streamId, before + index + 1, size));
          await eventStore.append(streamId, events, before);
          clock.advance(1_000);
        }
        await system.relay();
        clock.advance(10_000);
      }
    },

    /** Calls until the rotation has ended. */
    async rotate(input: Partial<ScrubInput> = {}, of: ScrubDeps = deps): Promise<Finding[]> {
      const outcomes = await rotateWith(of, input);
      expectScrubbed(outcomes);
      return open();
    },
    async found(): Promise<string[]> {
      return (await open()).map(({ kind, streamId, from, to }) => `${kind} ${streamId} ${from}-${to}`);
    },

    get memory(): MemoryDynamo {
      return system.dynamo as MemoryDynamo;
    },
    async drop(streamId: string, version: number): Promise<void> {
      await system.dynamo.delete({ TableName: 'Events', Key: { streamId, version } });
    },
    async change(streamId: string, version: number, attributes: Item): Promise<void> {
      await putItem({ ...(await item(streamId, version)), ...attributes });
    },
    async head(streamId: string): Promise<Item> {
      const { Item } = await system.dynamo.get({ TableName: 'Log', Key: { pk: `stream#${streamId}`, sk: 'head' } });
      return Item as Item;
    },
    async page(firstPosition: number): Promise<Item> {
      const sk = String(firstPosition).padStart(16, '0');
      const { Item } = await system.dynamo.get({ TableName: 'Log', Key: { pk: 'page#0#0', sk } });
      return Item as Item;
    },
    async pages(): Promise<Item[]> {
      const items = await system.items('Log');
      return items
        .filter(({ pk }) => String(pk).startsWith('page#'))
        .sort((a, b) => (String(a.sk) < String(b.sk) ? -1 : 1));
    },
  };
}

const CALLS_MAX = 500;

/** Begins a rotation and goes on until it has ended. */
export async function rotateWith(deps: ScrubDeps, input: Partial<ScrubInput> = {}): Promise<ScrubOutcome[]> {
  const outcomes: ScrubOutcome[] = [];
  for (let call = 0; call < CALLS_MAX; call += 1) {
    const outcome = await scrub(deps, { ...INPUT, ...input, rotateNow: call === 0 });
    outcomes.push(outcome);
    if (outcome.kind !== 'scrubbed' || outcome.result.state.pass === 'idle') return outcomes;
  }
  throw new Error(`the rotation did not end in ${CALLS_MAX} calls`);
}

function expectScrubbed(outcomes: readonly ScrubOutcome[]): void {
  const last = outcomes.at(-1);
  if (last?.kind !== 'scrubbed') throw new Error('the scrub was held up by another one');
}
