// The JSON inputs of the documentation are what the function takes, and what its page says of them is what they do.

import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { composeScan } from '../../../lib/recovery/gap/compose.ts';
import { answerScan } from '../../../lib/recovery/gap/request.ts';
import { scanGaps } from '../../../lib/recovery/gap/scan.ts';
import { createSmallSystem, TABLES } from '../../support/small-system.ts';

const page = readFileSync(new URL('../../../docs/operations/scan-gaps.md', import.meta.url), 'utf8');
const inputs = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json as string) as unknown);

it('the documented inputs do what the page says', async () => {
  const system = await createSmallSystem();
  await system.addConsumer({ name: 'inventory', eventTypes: ['Placed'], effects: 'idempotent' });
  await system.append('order-1', ['Placed']);
  await system.settle(() => true);
  system.clock.advance(120_000);
  const announced: unknown[] = [];
  const deps = composeScan({
    ...TABLES,
    deployment: 'here',
    dynamo: system.dynamo,
    wakeUps: system.wakeUps,
    queues: { messages: async () => 0 },
    logLag: { measure: async () => 0 },
    announcements: { gapsFound: async (detail) => void announced.push(detail) },
    world: system.world,
    logger: system.logger,
    metrics: system.metrics,
  });
  const ask = (input: unknown) =>
    answerScan(input, 600_000, async (scan, { last }) =>
      last ? { kind: 'last', result: (await deps.states.results(1))[0] } : scanGaps(deps, scan),
    );
  expect(inputs).toHaveLength(3);
  const [last, dryRun, scan] = inputs;

  expect(await ask(dryRun)).toMatchObject({ kind: 'scanned', result: { consumers: [{ state: 'gaps', wakeUps: 0 }] } });
  expect([announced, system.queued('inventory')]).toEqual([[], []]);
  expect(await ask(last)).toMatchObject({ kind: 'last', result: { consumers: [{ state: 'gaps', gaps: 1 }] } });
  expect(await ask(scan)).toMatchObject({ kind: 'scanned', result: { consumers: [{ state: 'gaps', wakeUps: 1 }] } });
  expect(announced).toHaveLength(1);
  expect(await ask({ dryrun: true })).toMatchObject({ error: { code: 'INVALID_INPUT' } });
  await system.settle();
  expect(await ask(scan)).toMatchObject({ result: { consumers: [{ state: 'complete', gaps: 0 }] } });
});
