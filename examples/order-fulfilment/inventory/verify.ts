// Does the stock say what the orders say? Two steps: each stream's events against the ledger of movements, event by event;
// and, once, the stock of each article against the sum of its movements.

import type { EffectViolation, Event, Verify, VerifyWhole } from 'event-recovery/runtime';
import type { StockLedger } from './ledger.ts';
import { MOVEMENT_PREFIX, movementOf, type StockMovement } from './react.ts';

/** Every order moved its pieces as often as it should have, and nothing else moved any. */
export const verifyMovements =
  (ledger: Pick<StockLedger, 'movementsOf'>): Verify =>
  async ({ streamId, events }, { signal }) => {
    const violations: EffectViolation[] = [];
    const movements = Map.groupBy(await ledger.movementsOf(streamId, signal), ({ version }) => version);
    for await (const { event, times } of events) {
      const { version } = event.metadata;
      const found = movements.get(version) ?? [];
      movements.delete(version);
      if (found.length < times.min || found.length > times.max) {
        violations.push({ version, detail: `${found.length} movements of ${event.id}, where ${times.min} is right` });
      }
      if (found.some((movement) => !isOf(movement, event))) {
        violations.push({ version, detail: `a movement is not that of ${event.id}: ${JSON.stringify(found)}` });
      }
    }
    for (const [version, [movement]] of movements) {
      violations.push({
        version,
        detail: `a movement of ${movement?.eventId}, which is not an event of this consumer`,
      });
    }
    return violations;
  };

/** The same pieces of the same article, for the same event. */
function isOf(movement: StockMovement, event: Event): boolean {
  const expected = movementOf(event);
  return (Object.keys(expected) as (keyof typeof expected)[]).every((fact) => movement[fact] === expected[fact]);
}

/** Looks at an article that is selling until its stock stands still for the time of a scan. */
const LOOKS_MAX = 3;

/** The stock of each article is the sum of its movements. */
export const verifyStock =
  (ledger: Pick<StockLedger, 'items' | 'available'>): VerifyWhole =>
  async ({ signal }) => {
    const differing = async () =>
      [...(await sumsOf(ledger, signal))].filter(([, { moved, available }]) => moved !== available);
    let suspects = (await differing()).map(([sku]) => sku);
    const violations: EffectViolation[] = [];
    for (let look = 1; look <= LOOKS_MAX && suspects.length > 0; look += 1) {
      const before = await stockOf(ledger, suspects, signal);
      const found = new Map(await differing());
      const after = await stockOf(ledger, suspects, signal);
      const isStill = (sku: string): boolean => before.get(sku) === after.get(sku);
      for (const sku of suspects.filter((sku) => found.has(sku) && isStill(sku))) {
        violations.push({
          detail: `${after.get(sku)} pieces of ${sku} in stock, ${found.get(sku)?.moved} by its movements`,
        });
      }
      suspects = suspects.filter((sku) => found.has(sku) && !isStill(sku));
    }
    return violations;
  };

async function sumsOf(ledger: Pick<StockLedger, 'items'>, signal: AbortSignal) {
  const sums = new Map<string, { moved: number; available: number }>();
  const add = (sku: string, part: 'moved' | 'available', pieces: number): void => {
    const sum = sums.get(sku) ?? { moved: 0, available: 0 };
    sum[part] += pieces;
    sums.set(sku, sum);
  };
  for await (const item of ledger.items(signal)) {
    const { pk, sku = '', pieces = 0, available = 0 } = item;
    if (pk.startsWith(MOVEMENT_PREFIX)) add(sku, 'moved', pieces);
    else add(pk.slice('stock#'.length), 'available', available);
  }
  return sums;
}

async function stockOf(ledger: Pick<StockLedger, 'available'>, skus: readonly string[], signal: AbortSignal) {
  const stock = new Map<string, number>();
  for (const sku of skus) stock.set(sku, await ledger.available(sku, signal));
  return stock;
}
