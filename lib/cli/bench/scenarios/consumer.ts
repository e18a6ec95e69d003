// Benchmark `consumer`: what leases, checkpoints and markers cost per stream and batch.

import { measureConsumerCost } from '../consumer-cost.ts';
import type { Scenario } from '../scenario.ts';

const scenario: Scenario = {
  name: 'consumer',
  what: 'write units of leases, checkpoints and markers per stream and batch',
  run: ({ progress }) => measureConsumerCost(progress),
};

export default scenario;
