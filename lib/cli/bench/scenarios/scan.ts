// Benchmark `scan`: what a gap scan reads when 100 streams moved, of 1,000 and of 100,000.

import { measureScanCost } from '../scan-cost.ts';
import type { Scenario } from '../scenario.ts';

const scenario: Scenario = {
  name: 'scan',
  what: 'reads of a gap scan when 100 streams moved, of 1,000 and of 100,000',
  run: ({ progress }) => measureScanCost(progress),
};

export default scenario;
