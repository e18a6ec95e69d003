// The JSON inputs of the documentation are run, in its order, against a system that has what they speak of.

import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { ats, createBench } from './support.ts';

const page = readFileSync(new URL('../../../docs/operations/replay.md', import.meta.url), 'utf8');
const inputs = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json as string) as object);

it('the documented inputs do what the page says', async () => {
  const bench = await createBench();
  await bench.fill({ 'order-1': 2, 'order-2': 2 });
  bench.take();
  const [plan, start, apply, status, pause, resume, cancel] = inputs;
  expect(inputs).toHaveLength(7);

  const planned = await bench.ask(plan);
  expect(planned).toMatchObject({ result: 'planned', plan: { totals: { streams: 2, events: 4, expectedRepeats: 4 } } });
  expect(await bench.ask(start)).toMatchObject({ result: 'done', replay: { events: { all: 3, done: 3 } } });
  // Order is promised inside a stream.
  expect(ats(bench.take()).toSorted()).toEqual(['order-1@1', 'order-1@2', 'order-2@1']);

  bench.onPause(async () => undefined);
  const begun = await bench.ask({ ...apply, planId: planned.plan?.id }, 6_000);
  expect(begun).toMatchObject({ result: 'running' });
  const replayId = begun.replay?.id;
  expect(await bench.ask(status)).toMatchObject({ replays: [{ id: replayId }] });
  expect(await bench.ask({ ...pause, replayId })).toMatchObject({ result: 'paused' });
  expect(await bench.ask({ ...resume, replayId }, 1)).toMatchObject({ result: 'running' });
  expect(await bench.ask({ ...cancel, replayId })).toMatchObject({ result: 'cancelled' });
  await bench.system.settle();
  await bench.expectProved();
});
