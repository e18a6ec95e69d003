// The operator's program over functions of the test's own: what it sent comes as JSON, as a deployed function gets it.

import { commands } from '../../lib/cli/commands/index.ts';
import { createLocalCommand, registerLocal } from '../../lib/cli/commands/local.ts';
import { createRecoverCommand, registerRecover } from '../../lib/cli/commands/recover.ts';
import type { Deployment } from '../../lib/cli/deployment.ts';
import { runProgram } from '../../lib/cli/program.ts';

/** Answers for the function `name`; `aws` is what a command asks AWS itself. */
export type Invoke = (name: string, input: unknown) => unknown;

/** @returns exit code, and what was written to stdout and stderr */
export async function runCommands(argv: readonly string[], invoke: Invoke) {
  const written = { stdout: '', stderr: '' };
  const deployment: Deployment = {
    value: async (key) => key,
    invoke: async <Answer>(name: string, input: unknown) =>
      (await invoke(name, JSON.parse(JSON.stringify(input ?? {})))) as Answer,
  };
  const aws = { send: async ({ input }: { input: unknown }) => invoke('aws', JSON.parse(JSON.stringify(input))) };
  const recover = createRecoverCommand({ sfn: () => aws as never, s3: () => aws as never });
  const local = createLocalCommand(async () => async (options) => {
    await invoke('local', JSON.parse(JSON.stringify(options)));
    throw new Error('no system is started here');
  });
  const standIns = new Map([
    [registerRecover, recover],
    [registerLocal, local],
  ]);
  const code = await runProgram(argv, {
    commands: commands.map((register) => standIns.get(register) ?? register),
    deploymentOf: () => deployment,
    streams: {
      stdout: { write: (text) => (written.stdout += text) },
      stderr: { write: (text) => (written.stderr += text) },
    },
  });
  return { code, ...written };
}
