// Benchmark `verify`: what a verification in batches reads per stream, of 10,000 streams and of 100,000.

import type { Scenario } from '../scenario.ts';
import { measureVerifyCost } from '../verify-cost.ts';

const scenario: Scenario = {
  name: 'verify',
  what: 'requests, read units and CPU per stream of a verification, of 10,000 streams and of 100,000',
  run: ({ progress, effort }) =>
    measureVerifyCost(progress, [Math.ceil(10_000 * effort), Math.ceil(100_000 * effort)], Math.ceil(10_000 * effort)),
};

export default scenario;
