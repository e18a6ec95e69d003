// `npm run kill-matrix`: the long form. Data to stdout, progress to stderr; arguments.ts has the exit codes.

import { manyLines } from '../../lib/cli/output.ts';
import { startLocalSystem } from '../../lib/local/index.ts';
import { type MatrixArguments, parseMatrixArguments, USAGE } from './arguments.ts';
import { runMatrix } from './run-matrix.ts';
import { matrixTable } from './table.ts';

const EXIT = { ok: 0, violated: 1, usage: 2, notStarted: 4 } as const;
const progress = (text: string): void => void process.stderr.write(`${text}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Twelve minutes, and as much again for every 40,000 events. */
const quietLimitMs = (events: number): number => 720_000 + 18 * events;

async function run({ json, help: _, ...chosen }: MatrixArguments): Promise<number> {
  const system = await startLocalSystem({ keepData: true, onProgress: progress }).catch((error: Error) =>
    progress(error.message),
  );
  if (system === undefined) return EXIT.notStarted;
  try {
    const runId = `m${chosen.seed}`;
    const result = await runMatrix({ ...chosen, system, runId, quietLimitMs: quietLimitMs(chosen.events), progress });
    print(json ? JSON.stringify(result) : matrixTable(result));
    return result.ok ? EXIT.ok : EXIT.violated;
  } finally {
    await system.stop();
  }
}

function argumentsOrComplaint(): MatrixArguments | undefined {
  try {
    return parseMatrixArguments(process.argv.slice(2));
  } catch (error) {
    progress(`${manyLines((error as Error).message)}\n\n${USAGE}`);
    return undefined;
  }
}

const parsed = argumentsOrComplaint();
if (parsed === undefined) process.exitCode = EXIT.usage;
else if (parsed.help) print(USAGE);
else process.exitCode = await run(parsed);
