// DynamoDB Local in memory on a free port of the loopback interface. Flags and environment are the measured best for
// short runs (start in 1.5 s, no telemetry).

import { fork } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventRecoveryError } from '../../model/errors.ts';

export interface DynamoDbEngine {
  host: string;
  port: number;
  url: string;
  /** It answers nobody until it is resumed; what was sent meanwhile is carried out then. */
  pause(): void;
  resume(): void;
  stop(): void;
}

/** `.ts` in a checkout, `.js` in the published package. */
const KEEPER = join(import.meta.dirname, `dynamodb-keeper${extname(import.meta.filename)}`);
const START_LIMIT_MS = 60_000;
const PROBE_MS = 50;

/** @throws EventRecoveryError `LOCAL_NO_JAVA` when there is none, or it does not come up within a minute */
export async function startDynamoDb(): Promise<DynamoDbEngine> {
  const port = await freePort();
  const keeper = fork(KEEPER, [String(port)], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
    env: {
      ...process.env,
      JAVA_TOOL_OPTIONS: '-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1',
      DDB_LOCAL_TELEMETRY: '0',
      NODE_OPTIONS: '',
    },
  });
  let failure: string | undefined;
  keeper.on('message', (message: { kind: 'failed'; message: string }) => {
    failure = message.message;
  });
  keeper.once('exit', () => {
    failure ??= 'its keeper ended';
  });
  keeper.unref();
  keeper.channel?.unref();
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await answers(url))) {
    if (failure !== undefined || Date.now() > deadline) {
      if (keeper.connected) keeper.disconnect();
      throw noEngine(failure ?? `no answer within ${START_LIMIT_MS} ms`);
    }
    await sleep(PROBE_MS);
  }
  return {
    host: '127.0.0.1',
    port,
    url,
    pause: () => void keeper.send('SIGSTOP'),
    resume: () => void keeper.send('SIGCONT'),
    stop() {
      if (keeper.connected) keeper.disconnect();
    },
  };
}

/** An unsigned request is refused with 400 as soon as the server listens. */
const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

const noEngine = (why: string): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_NO_JAVA',
    `DynamoDB Local did not start: ${why}; remedy: install Java 17 or newer (java -version) and try again`,
    {
      facts: { why },
    },
  );
