// The three drills about what is stored, on the deployed functions: found by the scrub, repaired, and nothing else touched.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type LocalSystem, startLocalSystem } from '../../../lib/local/index.ts';
import { runDrill } from '../../../lib/recovery/drill/run-drill.ts';
import { corruptedEvent } from '../../../lib/recovery/drill/scenarios/corrupted-event.ts';
import { truncatedStream } from '../../../lib/recovery/drill/scenarios/truncated-stream.ts';
import { unsequencedCommit } from '../../../lib/recovery/drill/scenarios/unsequenced-commit.ts';
import { orders } from '../../../lib/recovery/drill/workloads/orders.ts';

const EVENTS = 24;
let system: LocalSystem;

beforeAll(async () => {
  system = await startLocalSystem();
}, 180_000);
afterAll(() => system?.stop());

describe('drills about what is stored', () => {
  it.each([corruptedEvent, truncatedStream, unsequencedCommit])(
    '$name: $summary',
    async (scenario) => {
      const { scenarios } = await runDrill({
        system,
        workload: orders,
        scenarios: [scenario],
        seed: 1,
        events: EVENTS,
        runId: 'stored',
        recover: false,
        progress: () => undefined,
      });
      const [result] = scenarios;
      expect(result).toMatchObject({ ok: true, appended: EVENTS, lost: 0, doubled: 0, reordered: 0, problems: [] });
      // All items of the table were compared with what they were.
      expect(result?.facts.itemsCompared).toBeGreaterThan(EVENTS / 2);
    },
    300_000,
  );
});
