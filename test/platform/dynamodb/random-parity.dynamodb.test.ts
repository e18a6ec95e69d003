// Random sequences of operations leave the same results, tables and streams on both engines. The seed is fixed, so that a
// build does not fail by chance; PARITY_SEED and PARITY_RUNS explore further.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { localEngine, memoryEngine } from '../../support/engines.ts';
import { steps } from './parity/arbitrary-steps.ts';
import { reconciled } from './parity/differences.ts';
import { observe } from './parity/scenario.ts';

const seed = Number(process.env.PARITY_SEED ?? 20260101);
const numRuns = Number(process.env.PARITY_RUNS ?? 60);

describe('random sequences', () => {
  it('leave the same behind on the memory engine and on DynamoDB Local', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const scenario = { name: 'random', steps: sequence };
        const memory = await observe(memoryEngine, scenario);
        const local = reconciled(await observe(localEngine, scenario), memory);
        expect(withoutWording(memory)).toEqual(withoutWording(local));
      }),
      { seed, numRuns, interruptAfterTimeLimit: 300_000, markInterruptAsFailure: true },
    );
  }, 320_000);
});

/** A request with several faults is refused for one of them; which one is no promise. */
function withoutWording(observed: unknown): unknown {
  const { outcomes, ...rest } = observed as { outcomes: { error?: { name: string } }[] };
  return {
    ...rest,
    outcomes: outcomes.map((outcome) => (outcome.error?.name === 'ValidationException' ? 'refused' : outcome)),
  };
}
