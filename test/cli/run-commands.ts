// The operator's program over functions of the test's own: what it sent comes as JSON, as a deployed function gets it.

import { commands } from '../../lib/cli/commands/index.ts';
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
  const code = await runProgram(argv, {
    commands: commands.map((register) => (register === registerRecover ? recover : register)),
    deploymentOf: () => deployment,
    streams: {
      stdout: { write: (text) => (written.stdout += text) },
      stderr: { write: (text) => (written.stderr += text) },
    },
  });
  return { code, ...written };
}
