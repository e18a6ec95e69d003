// Every command of the operator's program against arguments that nobody sane would type: a documented exit code, nothing on
// the terminal that acts, one JSON document with --json, and without --yes nothing is asked for that would change anything.

import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import fc from 'fast-check';
import { commands } from '../../lib/cli/commands/index.ts';
import { EXIT } from '../../lib/cli/exit-codes.ts';
import { EventRecoveryError } from '../../lib/model/errors.ts';
import { runCommands } from '../cli/run-commands.ts';
import { HOSTILE_NAMES, HOSTILE_TEXTS, isUnpolluted } from './values.ts';

/** Starts a system on this machine: its arguments are tested where that is meant. */
const NOT_HERE = new Set(['local']);
const NUMBERS = ['-1', '1e999', '9'.repeat(400), '0x10', 'NaN', '1.5', '٣', '-0', ''];
const RUNS = 80;

interface Surface {
  name: string;
  takesArguments: boolean;
  options: string[];
}

/** What the program offers, as it declares it. */
function surfaces(): Surface[] {
  const program = new Command();
  for (const register of commands) register(program, async () => undefined);
  return program.commands
    .filter((command) => !NOT_HERE.has(command.name()))
    .map((command) => ({
      name: command.name(),
      takesArguments: command.registeredArguments.length > 0,
      options: command.options.map(({ long }) => long ?? '').filter((long) => long !== ''),
    }));
}

const value = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS.filter((text) => !text.includes('\u0000'))),
  fc.constantFrom(...NUMBERS, ...HOSTILE_NAMES, '{"__proto__":{"polluted":true}}', '[]', 'null', '2026-13-45', 'a'),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

const argumentsOf = ({ name, takesArguments, options }: Surface): fc.Arbitrary<string[]> => {
  const option: fc.Arbitrary<string[]> =
    options.length === 0 ? fc.constant([]) : fc.tuple(fc.constantFrom(...options), value);
  return fc
    .tuple(fc.array(option, { maxLength: 4 }), fc.array(value, { maxLength: takesArguments ? 2 : 1 }), fc.boolean())
    .map(([chosen, positional, isJson]) => [
      '--no-input',
      ...(isJson ? ['--json'] : []),
      name,
      ...positional,
      ...chosen.flat(),
    ]);
};

/** Everything but line feeds and tabs: escape sequences, bells, carriage returns, changes of direction. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const ACTS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

async function run(argv: string[]) {
  const asked: Record<string, unknown>[] = [];
  // As a function answers that has refused the input, and says what it got.
  const ended = await runCommands(argv, (_name, input) => {
    asked.push(input as Record<string, unknown>);
    throw new EventRecoveryError('INVALID_INPUT', `got ${argv.join(' ')}; ${HOSTILE_TEXTS[0]}`, {});
  });
  return { ...ended, asked };
}

describe('hostile arguments', () => {
  it('are thought of for every command that talks to a deployment', () => {
    const names = surfaces().map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(8);
    expect(names).toEqual(expect.arrayContaining(['gaps', 'dead-letters', 'verify', 'replay', 'restore', 'scrub']));
  });

  it.each(surfaces().map((surface) => [surface.name, surface] as const))(
    'end "%s" with an exit code, print nothing that acts, and change nothing',
    async (_name, surface) => {
      await fc.assert(
        fc.asyncProperty(argumentsOf(surface), async (argv) => {
          const { code, asked, stdout, stderr } = await run(argv);
          expect(Object.values(EXIT)).toContain(code);
          expect([EXIT.internal as number, stderr]).not.toEqual([code, stderr]);
          expect(ACTS.exec(stdout)?.[0] ?? ACTS.exec(stderr)?.[0]).toBeUndefined();
          if (argv.includes('--json') && stdout !== '') JSON.parse(stdout);
          for (const input of asked) expect(input.dryRun).not.toBe(false);
          expect(isUnpolluted()).toBe(true);
        }),
        { numRuns: RUNS },
      );
    },
  );
});
