// The JSON inputs of the documentation are run, in its order, against a system that has what they speak of.

import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { checkRedriveRequest } from '../../../lib/recovery/redrive/request.ts';
import { createBench } from './support.ts';

const page = readFileSync(new URL('../../../docs/operations/redrive-dead-letters.md', import.meta.url), 'utf8');
const inputs = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json as string) as unknown);

it('the documented inputs do what the page says', async () => {
  const bench = await createBench();
  await bench.fill({ 'order-1': 1, 'order-2': 1 }, 'order-1@1', 'order-2@1');
  const [dryRun, start, redrive, discard] = inputs;
  expect(inputs).toHaveLength(4);
  const { plan } = await bench.ask(dryRun);
  expect(plan?.totals).toMatchObject({ streams: 2, events: 2 });
  const looked = await bench.ask({ ...(start as object), planId: plan?.id, dryRun: true });
  expect(looked).toMatchObject({ result: 'would', count: 2 });
  expect(await bench.ask(discard)).toMatchObject({ result: 'done', count: 1 });
  await bench.system.settle();
  bench.poison.clear();
  expect(await bench.ask(redrive)).toMatchObject({ result: 'done', count: 1 });
  await bench.system.settle();
  await bench.expectProved({ resolved: 1, discarded: 1 });
});

it('the page names every field and every code of an answer', () => {
  const fields = [
    'action',
    'selection',
    'dryRun',
    'canary',
    'ratePerSecond',
    'force',
    'requestedBy',
    'reason',
    'planId',
    'replan',
    'runId',
  ];
  const selections = ['id', 'eventId', 'consumer', 'eventType', 'fingerprint', 'failedFrom', 'failedTo'];
  const answers = ['count', 'streams', 'listed', 'plan', 'exhausted', 'undeployed', 'truncated', 'runs', 'next'];
  const missing = [...fields, ...selections, ...answers].filter((name) => !page.includes(`\`${name}\``));
  expect(missing).toEqual([]);
  // What the schema knows is what the page names: a field more would be refused as unknown.
  const full = Object.fromEntries(selections.map((name) => [name, name.startsWith('failed') ? 1 : 'x']));
  const common = { dryRun: true, ratePerSecond: 1, requestedBy: 'a', reason: 'b', selection: full };
  expect(() => checkRedriveRequest({ action: 'redrive', canary: true, force: true, ...common })).not.toThrow();
  const codes = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code as string);
  const sources = ['../plan/check-plan', 'redrive', 'request', 'select', 'give-back'].map((name) =>
    readFileSync(new URL(`../../../lib/recovery/redrive/${name}.ts`, import.meta.url), 'utf8'),
  );
  const thrown = sources.flatMap((text) => [...text.matchAll(/'([A-Z]+(?:_[A-Z]+)+)'/g)].map(([, code]) => code));
  expect([...new Set([...thrown, 'INVALID_INPUT'])].filter((code) => !code?.endsWith('_MAX')).sort()).toEqual(
    codes.sort(),
  );
});
