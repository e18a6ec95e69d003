// Entry of `npm run bench`.

import { findScenarios, runBench } from './bench/run-bench.ts';

process.exitCode = await runBench(process.argv.slice(2), process, await findScenarios());
