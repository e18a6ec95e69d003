// The JSON inputs of the documentation are run, in its order, against a system that has what they speak of.

import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { createBench } from './support.ts';

const page = readFileSync(new URL('../../../docs/operations/redrive-dead-letters.md', import.meta.url), 'utf8');
const inputs = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json as string) as unknown);

it('the documented inputs do what the page says', async () => {
  const bench = await createBench();
  await bench.fill({ 'order-1': 1, 'order-2': 1 }, 'order-1@1', 'order-2@1');
  const [dryRun, redrive, discard] = inputs;
  expect(inputs).toHaveLength(3);
  expect(await bench.ask(dryRun)).toMatchObject({ result: 'would', count: 2 });
  expect(await bench.ask(discard)).toMatchObject({ result: 'done', count: 1 });
  await bench.system.settle();
  bench.poison.clear();
  expect(await bench.ask(redrive)).toMatchObject({ result: 'done', count: 1 });
  await bench.system.settle();
  await bench.expectProved({ resolved: 1, discarded: 1 });
});
