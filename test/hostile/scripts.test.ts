// The command lines of the npm scripts against arguments that nobody sane would type: they are taken as they are meant or refused
// with a message, and nothing that acts on a terminal is printed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runBench } from '../../lib/cli/bench/run-bench.ts';
import { parseDrillOptions } from '../../lib/cli/drill-options.ts';
import { manyLines } from '../../lib/cli/output.ts';
import { parseMatrixArguments } from '../kill-matrix/arguments.ts';
import { parseMutantArguments } from '../simulation/mutants/arguments.ts';
import { parseArguments } from '../simulation/runner/arguments.ts';
import { ACTS, HOSTILE_ARGUMENTS, isUnpolluted } from './values.ts';

const ROOT = join(import.meta.dirname, '../..');
const RUNS = 150;

/** How a command line ended: what was printed, and the numbers that were taken. */
interface End {
  printed: string;
  numbers: readonly (number | undefined)[];
}
type Parse = (argv: readonly string[]) => End | Promise<End>;

/** A parser that throws what its script prints. */
const throwing =
  (parse: (argv: readonly string[]) => readonly (number | undefined)[]): Parse =>
  (argv) => {
    try {
      return { printed: '', numbers: parse(argv) };
    } catch (error) {
      const { message } = error as Error;
      expect(message).not.toBe('');
      return { printed: manyLines(message), numbers: [] };
    }
  };

const recorder = () => {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  return { streams: { stdout: { write }, stderr: { write } }, text: () => text };
};

/** Script name -> its options, and how it reads them. */
const SCRIPTS: Readonly<Record<string, { options: readonly string[]; parse: Parse }>> = {
  drill: {
    options: ['--scenario', '--all', '--report', '--list', '--json', '--events', '--seed', '--input', '--help'],
    parse(argv) {
      const { streams, text } = recorder();
      const options = parseDrillOptions(argv, streams);
      if (typeof options !== 'number') return { printed: text(), numbers: [options.events, options.seed] };
      expect([0, 2]).toContain(options);
      return { printed: text(), numbers: [] };
    },
  },
  bench: {
    options: ['--only', '--list', '--effort', '--json', '--help'],
    async parse(argv) {
      const { streams, text } = recorder();
      const code = await runBench(argv, streams, []);
      expect([0, 2]).toContain(code);
      return { printed: text(), numbers: [] };
    },
  },
  simulate: {
    options: ['--seeds', '--seed', '--workers', '--json', '--trace', '--events', '--faults', '--from-ms', '--until-ms'],
    parse: throwing((argv) => {
      const { seeds, firstSeed, workers } = parseArguments(argv, 2);
      return [seeds, firstSeed, workers];
    }),
  },
  mutants: {
    options: ['--seeds', '--seed', '--workers', '--only', '--json'],
    parse: throwing((argv) => {
      const { seeds, firstSeed, workers } = parseMutantArguments(argv);
      return [seeds, firstSeed, workers];
    }),
  },
  'kill-matrix': {
    options: ['--events', '--streams', '--seed', '--every-ms', '--json'],
    parse: throwing((argv) => {
      const { events, streams, seed, everyMs } = parseMatrixArguments(argv);
      return [events, streams, seed, everyMs];
    }),
  },
};

/** Scripts of package.json that run our own sources: `local` is a command (cli.test.ts), `build` takes one path, `test` is jest's. */
const ELSEWHERE = ['local', 'build', 'test'];

describe('hostile arguments of npm scripts', () => {
  it('are thought of for every script', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const ours = Object.entries(scripts).flatMap(([name, command]) => (command.startsWith('node ') ? [name] : []));
    expect([...Object.keys(SCRIPTS), ...ELSEWHERE].sort()).toEqual(ours.sort());
  });

  it.each(Object.entries(SCRIPTS))('%s takes or refuses them, and prints nothing that acts', async (_, script) => {
    const word = fc.oneof(fc.constantFrom(...script.options), HOSTILE_ARGUMENTS);
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 5 }), async (argv) => {
        const { printed, numbers } = await script.parse(argv);
        expect(ACTS.exec(printed)?.[0]).toBeUndefined();
        for (const number of numbers) if (number !== undefined) expect(Number.isSafeInteger(number)).toBe(true);
        for (const number of numbers) if (number !== undefined) expect(number).toBeGreaterThanOrEqual(0);
        expect(isUnpolluted()).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });
});
