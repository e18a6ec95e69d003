// Every command of the operator's program against arguments that nobody sane would type: a documented exit code, nothing on
// the terminal that acts, one JSON document with --json, and without --yes nothing is asked for that would change anything.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import fc from 'fast-check';
import { commands } from '../../lib/cli/commands/index.ts';
import { EXIT } from '../../lib/cli/exit-codes.ts';
import { EventRecoveryError } from '../../lib/model/errors.ts';
import { runCommands } from '../cli/run-commands.ts';
import { ACTS, HOSTILE_ARGUMENTS, HOSTILE_TEXTS, isUnpolluted } from './values.ts';

const COMMANDS = join(import.meta.dirname, '../../lib/cli/commands');
const RUNS = 80;

interface Surface {
  /** `replay start`. */
  path: string[];
  takesArguments: boolean;
  options: string[];
}

/** What the program offers, as it declares it: every command that does something. */
function surfaces(): Surface[] {
  const program = new Command();
  for (const register of commands) register(program, async () => undefined);
  return program.commands.flatMap((command) => leavesOf(command, []));
}

function leavesOf(command: Command, parents: readonly string[]): Surface[] {
  const path = [...parents, command.name()];
  if (command.commands.length > 0) return command.commands.flatMap((inner) => leavesOf(inner, path));
  const options = command.options.map(({ long }) => long ?? '').filter((long) => long !== '');
  return [{ path, takesArguments: command.registeredArguments.length > 0, options }];
}

const argumentsOf = ({ path, takesArguments, options }: Surface): fc.Arbitrary<string[]> => {
  const option: fc.Arbitrary<string[]> =
    options.length === 0 ? fc.constant([]) : fc.tuple(fc.constantFrom(...options), HOSTILE_ARGUMENTS);
  return fc
    .tuple(
      fc.array(option, { maxLength: 4 }),
      fc.array(HOSTILE_ARGUMENTS, { maxLength: takesArguments ? 2 : 1 }),
      fc.boolean(),
    )
    .map(([chosen, positional, isJson]) => [
      '--no-input',
      ...(isJson ? ['--json'] : []),
      ...path,
      ...positional,
      ...chosen.flat(),
    ]);
};

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
  it('are thought of for every command in the folder', async () => {
    const files = readdirSync(COMMANDS).filter((file) => file !== 'index.ts');
    const modules = await Promise.all(
      files.map(async (file) => (await import(join(COMMANDS, file))) as Record<string, unknown>),
    );
    const registered = modules.flatMap((module) =>
      Object.entries(module).flatMap(([name, value]) => (name.startsWith('register') ? [value] : [])),
    );
    expect(registered.length).toBeGreaterThanOrEqual(8);
    expect(new Set(registered)).toEqual(new Set(commands));
    const named = new Set(surfaces().map(({ path }) => path[0]));
    expect([...named]).toEqual(
      expect.arrayContaining(['gaps', 'dead-letters', 'replay', 'restore', 'archive', 'local']),
    );
  });

  it.each(surfaces().map((surface) => [surface.path.join(' '), surface] as const))(
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
