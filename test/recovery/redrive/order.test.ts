// Which runs the schedule goes on with: ten at a time, those that wait longest first, and no run holds up the others.

import { beforeEach, expect, it } from '@jest/globals';
import type { RedriveRun } from '../../../lib/recovery/redrive/runs.ts';
import { type Bench, createBench } from './support.ts';

const RUNS = 12;
/** A dead letter every 10 s: whoever gives back the first of a run has no time for the second. */
const SLOW = { ratePerSecond: 0.1, canary: false };
const SHORT_MS = 12_000;

let bench: Bench;

/** Unfinished runs of two dead letters each, begun one after the other; each has given back none. */
beforeEach(async () => {
  bench = await createBench();
  const failed: { failedFrom: number; failedTo: number }[] = [];
  for (let number = 1; number <= RUNS; number += 1) {
    const streams = [`order-${number}-a`, `order-${number}-b`];
    const failedFrom = bench.system.clock.now();
    await bench.fill(Object.fromEntries(streams.map((stream) => [stream, 1])), ...streams.map((one) => `${one}@1`));
    failed.push({ failedFrom, failedTo: bench.system.clock.now() - 1 });
  }
  bench.poison.clear();
  const acquire = bench.deps.leases.acquire;
  bench.deps.leases.acquire = async () => ({ kind: 'held', owner: 'another', until: 0 });
  for (const selection of failed) {
    bench.system.clock.advance(1_000);
    await bench.go({ selection: { consumer: 'billing', ...selection }, ...SLOW });
  }
  bench.deps.leases.acquire = acquire;
});

async function unfinished(): Promise<RedriveRun[]> {
  const runs: RedriveRun[] = [];
  for await (const run of bench.runs.unfinished()) runs.push(run);
  return runs.toSorted((a, b) => a.startedAt - b.startedAt);
}

/** The runs in the order in which a worker turned to them. */
function turns(fails: string | undefined = undefined): string[] {
  const { acquire } = bench.deps.leases;
  const names: string[] = [];
  bench.deps.leases.acquire = async (name, ...rest) => {
    const id = name.slice('redrive#'.length);
    names.push(id);
    if (id === fails) throw new Error('its lease is out of order');
    return acquire(name, ...rest);
  };
  return names;
}

it('turns to the run that waits longest first, whatever its id, and to every one', async () => {
  const [first, ...others] = (await unfinished()).map(({ id }) => id);
  bench.system.clock.advance(1_000);
  // The oldest has just been worked on.
  await bench.runs.progress(first as string, { done: 0, changed: 0 }, bench.system.clock.now());
  const order = turns();
  await bench.ask({ action: 'continue' }, SHORT_MS);
  expect(order).toEqual([...others, first]);
  expect((await unfinished()).map(({ done }) => done)).toEqual(Array<number>(RUNS).fill(1));
});

it('leaves the worker of a run that fails to the next one, and throws when all had their turn', async () => {
  const [bad] = await unfinished();
  const order = turns(bad?.id);
  await expect(bench.ask({ action: 'continue' }, SHORT_MS)).rejects.toThrow('out of order');
  expect(order).toHaveLength(RUNS);
  expect((await unfinished()).map(({ done }) => done)).toEqual([0, ...Array<number>(RUNS - 1).fill(1)]);
});
