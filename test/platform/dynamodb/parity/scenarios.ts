// All scenarios of DynamoDB, in groups.

import { CONDITIONS } from './conditions.ts';
import { CAPACITIES, ITEMS } from './items.ts';
import { BATCHES, TRANSACTIONS } from './multi.ts';
import { READS } from './reads.ts';
import type { Scenario } from './scenario.ts';
import { UPDATES } from './updates.ts';

export const SCENARIOS: Readonly<Record<string, readonly Scenario[]>> = {
  conditions: CONDITIONS,
  updates: UPDATES,
  'items and keys': ITEMS,
  capacity: CAPACITIES,
  'queries and scans': READS,
  transactions: TRANSACTIONS,
  batches: BATCHES,
};
