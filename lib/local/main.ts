// `npm run local`: keeps the local system up and says where it is. Options: --port N (fixed port), --app "command" (another
// CDK app), --logs (show what functions print). Ctrl-C ends it.

import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { isEventRecoveryError } from '../model/errors.ts';
import { startLocalSystem } from './system.ts';

const { values } = parseArgs({
  options: { port: { type: 'string' }, app: { type: 'string' }, logs: { type: 'boolean', default: false } },
});

const say = (text: string): void => void process.stderr.write(`${text}\n`);

try {
  say(pc.dim('starting DynamoDB Local, fauxqs and the functions of the CDK app ...'));
  const system = await startLocalSystem({
    port: values.port === undefined ? undefined : Number(values.port),
    app: values.app,
    onProgress: (text) => say(pc.dim(text)),
    onWarning: (text) => say(pc.yellow(text)),
    onLog: values.logs
      ? (line) => say(`${pc.cyan(line.functionName)} ${pc.dim(String(line.pid))} ${line.text}`)
      : undefined,
  });
  const outputs = Object.entries(system.outputs).filter(([name]) => !name.includes('.'));
  const width = Math.max(...outputs.map(([name]) => name.length));
  const variables = Object.entries(system.environment).map(([name, value]) => `export ${name}=${value}`);
  process.stdout.write(
    [
      pc.bold('The local system is up.'),
      '',
      ...outputs.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
      '',
      'In another shell:',
      ...variables,
      'npx event-recovery --help',
      '',
      `Logs: ${system.runFolder}/logs    Ctrl-C ends it and forgets everything.`,
      '',
    ].join('\n'),
  );
  const keepAlive = setInterval(() => undefined, 2 ** 30);
  const end = (): void => {
    clearInterval(keepAlive);
    say(pc.dim('stopping ...'));
    void system.stop().then(() => process.exit(0));
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
} catch (error) {
  say(isEventRecoveryError(error) ? `${pc.red(error.code)}: ${error.message}` : String((error as Error).stack));
  process.exit(1);
}
