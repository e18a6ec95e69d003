// The memory engine against DynamoDB Local, scenario by scenario: same results, errors, messages, reasons, items, pages,
// capacity, tables and stream records.

import { describe, expect, it } from '@jest/globals';
import { localEngine, memoryEngine } from '../../support/engines.ts';
import { reconciled } from './parity/differences.ts';
import { observe } from './parity/scenario.ts';
import { SCENARIOS } from './parity/scenarios.ts';

describe.each(Object.entries(SCENARIOS))('memory engine and DynamoDB Local agree on %s', (_, scenarios) => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', async (_name, scenario) => {
    const memory = await observe(memoryEngine, scenario);
    const local = reconciled(await observe(localEngine, scenario), memory);
    expect(memory).toEqual(local);
  });
});
