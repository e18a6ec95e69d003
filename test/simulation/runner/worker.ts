// One worker thread: runs the chunks of seeds that it is given and answers with a summary of each. A mutant, when given,
// replaces text in one source file before anything of the system is loaded.

import { parentPort, workerData } from 'node:worker_threads';
import { type Mutant, plantMutant } from '../mutants/plant.ts';
import { addResult, emptySummary } from './result.ts';

export interface Chunk {
  from: number;
  count: number;
  /** End the chunk at the first violation. */
  stopAtFirst: boolean;
}

const port = parentPort;
if (port === null) throw new Error('test/simulation/runner/worker.ts runs as a worker thread only');
const { mutant } = workerData as { mutant?: Mutant };
if (mutant !== undefined) plantMutant(mutant);
// After the mutant is planted: a static import would load the unchanged source.
const { runSeed } = await import('../scenario/run.ts');

port.on('message', async (chunk: Chunk) => {
  const summary = emptySummary();
  for (let seed = chunk.from; seed < chunk.from + chunk.count; seed++) {
    addResult(summary, (await runSeed(seed)).result);
    if (chunk.stopAtFirst && summary.violations.length > 0) break;
  }
  port.postMessage(summary);
});
port.postMessage('ready');
