// The memory engine against DynamoDB Local, scenario by scenario: same results, errors, messages, reasons, items, pages,
// capacity, tables and stream records.

import { describe, expect, it } from '@jest/globals';
import { localEngine, memoryEngine } from '../../support/engines.ts';
import { CONDITIONS } from './parity/conditions.ts';
import { reconciled } from './parity/differences.ts';
import { CAPACITIES, ITEMS } from './parity/items.ts';
import { BATCHES, TRANSACTIONS } from './parity/multi.ts';
import { READS } from './parity/reads.ts';
import { observe, type Scenario } from './parity/scenario.ts';
import { UPDATES } from './parity/updates.ts';

const GROUPS: Readonly<Record<string, readonly Scenario[]>> = {
  conditions: CONDITIONS,
  updates: UPDATES,
  'items and keys': ITEMS,
  capacity: CAPACITIES,
  'queries and scans': READS,
  transactions: TRANSACTIONS,
  batches: BATCHES,
};

describe.each(Object.entries(GROUPS))('memory engine and DynamoDB Local agree on %s', (_, scenarios) => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', async (_name, scenario) => {
    const memory = await observe(memoryEngine, scenario);
    const local = reconciled(await observe(localEngine, scenario), memory);
    expect(memory).toEqual(local);
  });
});
