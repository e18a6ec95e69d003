// What a full replay holds in memory, plan, worker and consumer together, for some streams and for many more. A plan
// gathers streams up to a number and writes what is more away as sorted runs (lib/recovery/plan/sorted-streams.ts); here that
// number is small, so that the sizes are far above it, as millions of streams are above the real one. Then nothing may grow.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import {
  type BenchTables,
  createReplayUnderTest,
  type PlanMemory,
  type ReplayUnderTest,
  type WithDatabase,
} from './replay-under-test.ts';
import type { ScenarioOutcome } from './scenario.ts';

/** 1/50 of the real number, in pieces of 1/50: as many streams as there are here are 1.5 million there. */
const PLAN_MEMORY = { heldMax: 2_000, pieceBytes: 4_000 };
/**
 * Most bytes for each further stream. Of each run one piece is in memory while they are merged: 40 rows of 1,000, so 10 bytes
 * for each stream, and its key (together 10 with the real numbers); and up to 27,000 streams the answers of the log grow to
 * their 1 MB. A list of rows would be 250. A replay of fewer streams is measured less exactly.
 */
const KINDS = [
  { what: 'a plan', sizes: [10_000, 30_000], growthMax: 100, run: (test: ReplayUnderTest) => test.plan() },
  { what: 'a full replay', sizes: [500, 3_500], growthMax: 120, run: (test: ReplayUnderTest) => test.rebuild() },
] as const;
/** A collection takes tens of milliseconds. */
const CALLS_PER_LOOK = 50;

export interface MemoryOptions {
  progress(line: string): void;
  /** In another process: what it holds is not counted. */
  withDatabase: WithDatabase;
  /** Of both sizes. @default 1 */
  effort?: number;
  memory?: PlanMemory;
}

export async function measureReplayMemory({
  progress,
  withDatabase,
  effort = 1,
  memory = PLAN_MEMORY,
}: MemoryOptions): Promise<ScenarioOutcome> {
  const gc = collector();
  const common = { scenario: 'replay', subject: 'ours' } as const;
  const outcome: ScenarioOutcome = { results: [], broken: [] };
  for (const { what, sizes, growthMax, run } of KINDS) {
    const [few, many] = sizes.map((size) => Math.ceil(size * effort)) as [number, number];
    const peaks: number[] = [];
    for (const streams of [few, many]) {
      progress(`memory of ${what}, ${streams} streams`);
      const peak = await withDatabase((dynamo, tables) => peakOf(dynamo, tables, { gc, streams, memory, run }));
      peaks.push(peak);
      const metric = `live memory of ${what} at its peak, ${streams.toLocaleString('en')} streams`;
      outcome.results.push({ ...common, metric, unit: 'MB', value: Math.round(peak / 10_000) / 100 });
    }
    const growth = Math.round(((peaks[1] as number) - (peaks[0] as number)) / (many - few));
    const metric = `live memory of ${what}, for each further stream`;
    outcome.results.push({ ...common, metric, unit: 'bytes', value: growth });
    if (growth <= growthMax) continue;
    outcome.broken.push(`${what} holds ${growth} bytes for each further stream, at most ${growthMax} are wanted`);
  }
  return outcome;
}

interface Measured {
  gc(): void;
  streams: number;
  memory: PlanMemory;
  run(test: ReplayUnderTest): Promise<void>;
}

async function peakOf(dynamo: Dynamo, tables: BenchTables, { gc, streams, memory, run }: Measured): Promise<number> {
  const live = (): number => {
    gc();
    return process.memoryUsage().heapUsed;
  };
  let peak: number | undefined;
  let calls = 0;
  const look = (): void => {
    calls += 1;
    if (peak !== undefined && calls % CALLS_PER_LOOK === 0) peak = Math.max(peak, live());
  };
  const history = { streams, commits: 1, events: 1 };
  const test = await createReplayUnderTest(watched(dynamo, look), tables, history, memory);
  // The first run compiles code and opens connections.
  await run(test);
  live();
  const before = live();
  peak = before;
  await run(test);
  return peak - before;
}

function watched(dynamo: Dynamo, look: () => void): Dynamo {
  const methods = Object.entries(dynamo).map(([name, method]) => {
    const call = (input: unknown): Promise<unknown> => {
      look();
      return method(input);
    };
    return [name, call];
  });
  return Object.fromEntries(methods) as Dynamo;
}

/** The engine's collector, without a flag on the command line. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
