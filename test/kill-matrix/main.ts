// `npm run kill-matrix`: the long form. Data to stdout, progress to stderr; exit codes: 0 everything holds, 1 it does not,
// 2 wrong arguments, 4 the local system did not start.

import { parseArgs } from 'node:util';
import { startLocalSystem } from '../../lib/local/index.ts';
import { runMatrix } from './run-matrix.ts';

const USAGE = `npm run kill-matrix [-- options]

  --events N     events to append (default 100000)
  --streams N    streams that share them (default 200)
  --seed S       same seed, same victims in the same order (default 1)
  --every-ms T   mean time between two disturbances (default 1500)`;

function options() {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { events: text, streams: text, seed: text, 'every-ms': text } });
  const whole = (name: keyof typeof values, preset: number): number => {
    const value = values[name] === undefined ? preset : Number(values[name]);
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw new Error(`--${name}: got "${values[name]}", allowed: a whole number above 0`);
  };
  return {
    events: whole('events', 100_000),
    streams: whole('streams', 200),
    seed: whole('seed', 1),
    everyMs: whole('every-ms', 1_500),
  };
}

let parsed: ReturnType<typeof options> | undefined;
try {
  parsed = options();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
  process.exitCode = 2;
}
if (parsed !== undefined) {
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  const system = await startLocalSystem({ onProgress: progress }).catch((error: Error) => progress(error.message));
  if (system === undefined) process.exitCode = 4;
  else {
    try {
      const quietLimitMs = 600_000 + 10 * parsed.events;
      const result = await runMatrix({ ...parsed, system, runId: `m${parsed.seed}`, quietLimitMs, progress });
      process.stdout.write(`${JSON.stringify(result)}\n`);
      process.exitCode = result.ok ? 0 : 1;
    } finally {
      await system.stop();
    }
  }
}
