// DynamoDB Local on a free port of the loopback interface, in memory or with data that outlive its process. Flags and
// environment are the measured best for short runs (start in 1.5 s, no telemetry).

import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventRecoveryError } from '../../model/errors.ts';
import type { FromKeeper, ToKeeper } from './dynamodb-protocol.ts';

export interface DynamoDbEngine {
  host: string;
  port: number;
  url: string;
  /** Where its data are, when they outlive its process. */
  dataFolder?: string;
  /** It answers nobody until it is resumed; what was sent meanwhile is carried out then. */
  pause(): void;
  resume(): void;
  /**
   * SIGKILL, then a new process over the same data, `downMs` after the old one ended. Resolves when it answers.
   * @throws EventRecoveryError `LOCAL_DATABASE_IN_MEMORY` when the data would be gone; `LOCAL_NO_JAVA`
   */
  restart(downMs?: number): Promise<void>;
  stop(): void;
}

export interface DynamoDbEngineOptions {
  /** Data are in files, so that it can be restarted. Slower: 380 writes a second instead of 1,200. @default false */
  keepData?: boolean;
}

/** `.ts` in a checkout, `.js` in the published package. */
const KEEPER = join(import.meta.dirname, `dynamodb-keeper${extname(import.meta.filename)}`);
const START_LIMIT_MS = 60_000;
const PROBE_MS = 50;
/** Files in memory: on a disk each write waits for it (38 a second were measured instead of 380). */
const MEMORY_FOLDER = '/dev/shm';

/** @throws EventRecoveryError `LOCAL_NO_JAVA` when there is none, or it does not come up within a minute */
export async function startDynamoDb({ keepData = false }: DynamoDbEngineOptions = {}): Promise<DynamoDbEngine> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const dataFolder = keepData ? newDataFolder() : undefined;
  const keeper = startKeeper(port, dataFolder);
  await keeper.answering(url);
  return {
    host: '127.0.0.1',
    port,
    url,
    dataFolder,
    pause: () => keeper.tell({ kind: 'signal', signal: 'SIGSTOP' }),
    resume: () => keeper.tell({ kind: 'signal', signal: 'SIGCONT' }),
    async restart(downMs = 0) {
      if (!keepData) throw inMemory();
      const restarted = keeper.restarted();
      keeper.tell({ kind: 'restart', downMs });
      await restarted;
      await keeper.answering(url);
    },
    stop: keeper.stop,
  };
}

const newDataFolder = (): string =>
  mkdtempSync(join(existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), 'event-recovery-dynamodb-'));

interface Keeper {
  tell(message: ToKeeper): void;
  /** Resolves when it answers at this address. */
  answering(url: string): Promise<void>;
  restarted(): Promise<void>;
  stop(): void;
}

function startKeeper(port: number, folder: string | undefined): Keeper {
  const child: ChildProcess = fork(KEEPER, [String(port), ...(folder === undefined ? [] : [folder])], {
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
  let onRestarted = (): void => undefined;
  child.on('message', (message: FromKeeper) => {
    if (message.kind === 'failed') failure = message.message;
    onRestarted();
  });
  child.once('exit', () => {
    failure ??= 'its keeper ended';
    onRestarted();
  });
  child.unref();
  child.channel?.unref();
  const stop = (): void => {
    if (child.connected) child.disconnect();
  };
  return {
    tell: (message) => void (child.connected && child.send(message)),
    async answering(url) {
      const deadline = Date.now() + START_LIMIT_MS;
      while (!(await answers(url))) {
        if (failure !== undefined || Date.now() > deadline) {
          stop();
          throw noEngine(failure ?? `no answer within ${START_LIMIT_MS} ms`);
        }
        await sleep(PROBE_MS);
      }
    },
    restarted: () =>
      new Promise((resolve) => {
        if (failure !== undefined) resolve();
        onRestarted = resolve;
      }),
    stop,
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

const inMemory = (): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_DATABASE_IN_MEMORY',
    'a database in memory loses its data when it is restarted; remedy: start the local system with keepData: true',
  );

const noEngine = (why: string): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_NO_JAVA',
    `DynamoDB Local did not start: ${why}; remedy: install Java 17 or newer (java -version) and try again`,
    {
      facts: { why },
    },
  );
