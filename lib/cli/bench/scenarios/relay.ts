// Benchmark `relay`: extra write units per commit for the log, and the ceiling of one log partition.

import { measureCeiling } from '../relay-ceiling.ts';
import { measureCost } from '../relay-cost.ts';
import type { Scenario } from '../scenario.ts';

const scenario: Scenario = {
  name: 'relay',
  what: 'extra write units per commit, and the ceiling of one log partition with 1, 4 and 16 relays',
  async run({ effort, progress }) {
    const cost = await measureCost(progress);
    const ceiling = await measureCeiling(effort, progress);
    return { results: [...cost.results, ...ceiling], broken: cost.broken };
  },
};

export default scenario;
