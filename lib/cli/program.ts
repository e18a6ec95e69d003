// The operator's program: `npx event-recovery <command>`. It parses, calls one operation of the deployment and prints. Every
// command has --json; data goes to stdout, progress to stderr; exit codes are in exit-codes.ts.

import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { Command, CommanderError } from 'commander';
import { isEventRecoveryError, shown } from '../model/errors.ts';
import { type CommandContext, exitCodeOf, type RegisterCommand } from './command.ts';
import { createDeployment, type Deployment } from './deployment.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { asJson, createOutput, manyLines, oneLine, type Streams } from './output.ts';

export interface ProgramOptions {
  commands: readonly RegisterCommand[];
  streams?: Streams;
  /** @default the deployment that the SSM parameters under --prefix tell */
  deploymentOf?: (prefix: string) => Deployment;
}

interface GlobalOptions {
  json?: boolean;
  yes?: boolean;
  input: boolean;
  prefix: string;
  requestedBy?: string;
}

/** Runs one command line (without `node` and script name) and resolves to its exit code; never throws. */
export async function runProgram(argv: readonly string[], options: ProgramOptions): Promise<ExitCode> {
  const streams = options.streams ?? process;
  let exitCode: ExitCode = EXIT.ok;

  const program = new Command('event-recovery')
    .description(
      'Finds what was lost, doubled, stuck or corrupted, and brings every consumer back to a provably complete state.',
    )
    .option('--json', 'exactly one JSON document on stdout')
    .option('--yes', 'apply without asking')
    .option('--no-input', 'never ask; without --yes nothing is changed')
    .option('--prefix <prefix>', 'SSM parameter prefix of the deployment', '/event-recovery')
    .option('--requested-by <name>', 'who asks, for the audit (default: the user of this shell)')
    .showHelpAfterError('(--help shows what is possible)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      // It repeats what was typed, and what was typed may come from elsewhere.
      writeErr: (text) => void streams.stderr.write(manyLines(text)),
    });

  const contextOf = (global: GlobalOptions): CommandContext => ({
    deployment: (options.deploymentOf ?? ((prefix) => createDeployment({ prefix })))(global.prefix),
    output: createOutput(global.json ?? false, streams),
    requestedBy: global.requestedBy ?? userInfo().username,
    yes: global.yes ?? false,
    input: global.input && process.stdin.isTTY === true,
    confirm,
  });

  for (const register of options.commands) {
    register(program, async (command, action) => {
      const global = command.optsWithGlobals<GlobalOptions>();
      try {
        exitCode = await action(contextOf(global));
      } catch (error) {
        exitCode = exitCodeOf(error);
        fail(error, global.json ?? false, streams);
      }
    });
  }
  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);

  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return exitCode;
}

function fail(error: unknown, json: boolean, streams: Streams): void {
  const code = isEventRecoveryError(error) ? error.code : error instanceof Error ? error.name : 'ERROR';
  const message = error instanceof Error ? error.message : shown(error);
  if (json) streams.stdout.write(`${asJson({ ok: false, error: { code, message } })}\n`);
  streams.stderr.write(`${code}: ${oneLine(message)}\n`);
}

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
