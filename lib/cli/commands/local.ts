// `event-recovery local`: runs the CDK app of this folder on one machine, keeps it up and says where it is, until Ctrl-C. Its
// engines are loaded when they are asked for: the other commands need none of them.

import { once } from 'node:events';
import { InvalidArgumentError } from 'commander';
import type { LocalSystem, LocalSystemOptions } from '../../local/index.ts';
import { colors } from '../colors.ts';
import type { RegisterCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { type Output, oneLine } from '../output.ts';

interface LocalOptions {
  port?: number;
  app?: string;
  logs?: boolean;
}

const PORT_MAX = 65_535;

/** What starts the system; it is loaded when the command runs. */
export type LoadStart = () => Promise<(options: LocalSystemOptions) => Promise<LocalSystem>>;

export const createLocalCommand =
  (load: LoadStart): RegisterCommand =>
  (program, run) => {
    program
      .command('local')
      .description('run the CDK app of this folder on this machine, without AWS, until Ctrl-C')
      .option('--port <n>', 'a fixed port (default: any free one)', portNumber)
      .option('--app <command>', 'what synthesizes (default: "app" of cdk.json)')
      .option('--logs', 'show what the functions print')
      .action(({ port, app, logs }: LocalOptions, command) =>
        run(command, async ({ output }) => {
          const startLocalSystem = await load();
          output.progress('starting DynamoDB Local, fauxqs and the functions of the CDK app ...');
          const system = await startLocalSystem({
            port,
            app,
            onProgress: output.progress,
            onWarning: (text) => output.progress(colors.yellow(text)),
            onLog: logs
              ? (line) => output.progress(`${colors.cyan(line.functionName)} ${line.pid} ${oneLine(line.text)}`)
              : undefined,
          });
          try {
            announce(system, output);
            await interrupted();
            output.progress('stopping ...');
            return EXIT.ok;
          } finally {
            await system.stop();
          }
        }),
      );
  };

export const registerLocal = createLocalCommand(async () => (await import('../../local/index.ts')).startLocalSystem);

function announce({ outputs: all, environment, endpoints, runFolder }: LocalSystem, output: Output): void {
  // With the stack's name before a dot each output stands there once more.
  const outputs = Object.fromEntries(Object.entries(all).filter(([name]) => !name.includes('.')));
  const logs = `${runFolder}/logs`;
  output.result({ endpoints, environment, outputs, logs }, () => {
    const width = Math.max(...Object.keys(outputs).map((name) => name.length));
    return [
      colors.bold('The local system is up.'),
      '',
      ...Object.entries(outputs).map(([name, value]) => `${name.padEnd(width)}  ${value}`),
      '',
      'In another shell:',
      ...Object.entries(environment).map(([name, value]) => `export ${name}=${value}`),
      'npx event-recovery --help',
      '',
      `Logs: ${logs}    Ctrl-C ends it and forgets everything.`,
    ].join('\n');
  });
}

/** Ctrl-C, or the end of the shell's session. */
async function interrupted(): Promise<void> {
  // Signal handlers alone do not keep a process alive.
  const keepAlive = setInterval(() => undefined, 2 ** 30);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  clearInterval(keepAlive);
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= PORT_MAX) return port;
  throw new InvalidArgumentError(`"${text}" is no whole number from 1 to ${PORT_MAX}.`);
}
