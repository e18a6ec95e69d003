// Runs a range of seeds on several worker threads. Seeds are independent of each other, so the result does not depend on
// which thread runs which seed or how many threads there are.

import { Worker } from 'node:worker_threads';
import type { Mutant } from '../mutants/plant.ts';
import { addSummary, emptySummary, type Summary } from './result.ts';
import type { Chunk } from './worker.ts';

export interface PoolOptions {
  firstSeed: number;
  seeds: number;
  workers: number;
  mutant?: Mutant;
  /** No further chunk is begun once so many violations were found. */
  stopAfterViolations: number;
  onProgress?: (total: Summary) => void;
}

/** A run leaves only garbage behind: with room for several runs, little of it is ever moved. */
const YOUNG_GENERATION_MB = 192;
/** Long enough that messages cost nothing, short enough that the last thread does not work alone for long. */
const CHUNK_SEEDS = 25;
/** The first chunks are small: most mutants die at once. */
const FIRST_CHUNK_SEEDS = 4;

export async function runPool(options: PoolOptions): Promise<Summary> {
  const { firstSeed, seeds, workers, mutant, stopAfterViolations, onProgress } = options;
  const total = emptySummary();
  let next = firstSeed;
  const takeChunk = (): Chunk | undefined => {
    const left = firstSeed + seeds - next;
    if (left <= 0 || total.violations.length >= stopAfterViolations) return undefined;
    const begun = next - firstSeed;
    const count = Math.min(left, begun < workers * FIRST_CHUNK_SEEDS ? FIRST_CHUNK_SEEDS : CHUNK_SEEDS);
    const chunk = { from: next, count, stopAtFirst: stopAfterViolations === 1 };
    next += count;
    return chunk;
  };

  const runWorker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./worker.ts', import.meta.url), {
        workerData: { mutant },
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      });
      const giveWork = (): void => {
        const chunk = takeChunk();
        if (chunk === undefined) worker.terminate().then(() => resolve(), reject);
        else worker.postMessage(chunk);
      };
      worker.on('error', reject);
      worker.on('message', (message: Summary | 'ready') => {
        if (message !== 'ready') {
          addSummary(total, message);
          onProgress?.(total);
        }
        giveWork();
      });
    });

  await Promise.all(Array.from({ length: Math.min(workers, seeds) }, runWorker));
  total.violations.sort((left, right) => left.seed - right.seed);
  return total;
}
