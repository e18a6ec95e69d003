// The README of the example is true, and the package is whole: packed, unpacked beside what it declares, and used from the
// README alone. A third consumer runs on this machine, as `event-recovery local` starts it, and gets its order.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '../../lib/recovery/drill/wait-until.ts';
import type { Verdict } from '../../lib/recovery/verify/types.ts';
import { createProject, type Project } from './newcomer.ts';

const run = promisify(execFile);
const START_LIMIT_MS = 180_000;

interface Announced {
  endpoints: Record<string, string>;
  environment: Record<string, string>;
  outputs: Record<string, string>;
}

let project: Project;
let cli: string;
let local: ChildProcess;
let announced: Announced;

/** Runs Node as the newcomer's shell would, and gives what it prints; a failure carries stderr. */
const node = async (args: string[], environment: Record<string, string> = {}): Promise<string> => {
  const { stdout } = await run(process.execPath, args, {
    cwd: project.folder,
    env: { ...process.env, ...environment },
  });
  return stdout;
};

function startLocal(): ChildProcess {
  const { NODE_OPTIONS: _, ...environment } = process.env;
  return spawn(process.execPath, [cli, 'local', '--json'], { cwd: project.folder, env: environment });
}

/** The first line on stdout is the whole document; an end before that says why on stderr. */
async function announcement(child: ChildProcess): Promise<Announced> {
  let printed = '';
  let said = '';
  let ended = false;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.once('exit', () => (ended = true));
  const line = await waitUntil(
    'the local system',
    async () => (ended || printed.includes('\n') ? printed : undefined),
    {
      timeoutMs: START_LIMIT_MS,
    },
  );
  if (ended) throw new Error(said);
  return JSON.parse(line);
}

beforeAll(async () => {
  project = await createProject();
  cli = join(project.folder, 'node_modules/event-recovery/bin/event-recovery.js');
}, START_LIMIT_MS);
afterAll(() => project?.remove());

describe('the package', () => {
  it('holds built files, their types and what users read, but no sources of its own and no tests', () => {
    expect(project.packed).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'docs/runbooks/README.md',
        'examples/order-fulfilment/stack.ts',
        'lambdas/relay-commits/handler.js',
        'lib/index.d.ts',
        'lib/local/engines/dynamodb-keeper.js',
      ]),
    );
    const sources = project.packed.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'));
    expect(sources.filter((path) => !path.startsWith('examples/'))).toEqual([]);
    expect(project.packed.filter((path) => /^(test|tools|node_modules)\//.test(path))).toEqual([]);
  });

  it.each([
    ['event-recovery', ['EventStore', 'EventBus', 'EventConsumer', 'createApp']],
    ['event-recovery/runtime', ['createEventStore', 'defineConsumer', 'ConcurrencyError']],
    ['event-recovery/local', ['startLocalSystem']],
  ])('is imported as %s', async (door, names) => {
    const script = `console.log(JSON.stringify(Object.keys(await import('${door}'))))`;
    expect(JSON.parse(await node(['--input-type=module', '--eval', script]))).toEqual(expect.arrayContaining(names));
  });

  it('brings the command, which helps', async () => {
    expect(await node([cli, '--help'])).toMatch(/^Usage: event-recovery .*dead-letters/s);
  });

  it('says what is missing where no CDK app is', async () => {
    const elsewhere = join(project.folder, 'node_modules');
    const failed = run(process.execPath, [cli, '--json', 'local'], { cwd: elsewhere });
    await expect(failed).rejects.toMatchObject({ code: 4, stdout: expect.stringContaining('"LOCAL_NO_APP"') });
  });
});

describe("the newcomer's project", () => {
  it('has no type error, neither in the example nor in the twelve lines of the main README', async () => {
    await node([join(import.meta.dirname, '../../node_modules/typescript/bin/tsc'), '--project', 'tsconfig.json']);
  });

  it('has in the twelve lines a consumer as stack and function need it', async () => {
    const script = `
      const { declaration, handler } = await import('./loyalty.ts');
      console.log(JSON.stringify({ ...declaration, handler: typeof handler }));`;
    expect(JSON.parse(await node(['--input-type=module', '--eval', script]))).toMatchObject({
      name: 'loyalty',
      eventTypes: ['OrderPlaced'],
      effects: 'transactional',
      handler: 'function',
    });
  });

  describe('on this machine', () => {
    beforeAll(async () => {
      local = startLocal();
      announced = await announcement(local);
    }, START_LIMIT_MS);
    afterAll(async () => {
      if (!local || local.exitCode !== null || local.signalCode !== null) return;
      const exited = once(local, 'exit');
      local.kill('SIGKILL');
      await exited;
    });

    const environment = () => ({
      ...announced.environment,
      EVENTS_TABLE: announced.outputs.EventsTableName ?? '',
      LOG_TABLE: announced.outputs.LogTableName ?? '',
    });

    it('gives the customer one point per piece', async () => {
      expect(await node(['place.ts', '4711', 'ada', 'tea', '2'], environment())).toContain('version: 1');
      const { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region } = announced.environment;
      const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
      const dynamodb = new DynamoDBClient({ endpoint, region, credentials });
      const points = await waitUntil(
        'points',
        async () => {
          const { Items = [] } = await dynamodb.send(
            new ScanCommand({ TableName: announced.outputs.LoyaltyTableName, ConsistentRead: true }),
          );
          return Items.length > 0 ? Items : undefined;
        },
        { timeoutMs: 60_000 },
      );
      expect(points).toEqual([{ customerId: { S: 'ada' }, points: { N: '2' } }]);
      dynamodb.destroy();
    });

    it('proves to the operator that all three consumers resolved it', async () => {
      const resolved = await waitUntil(
        'a proof with nothing on its way',
        async () => {
          const answer = await node([cli, '--json', 'verify', '--quiet'], announced.environment).catch(() => undefined);
          return answer === undefined ? undefined : (JSON.parse(answer) as Pick<Verdict, 'consumers'>).consumers;
        },
        { timeoutMs: 60_000 },
      );
      const books = resolved.map(({ consumer, conservation: of }) => [consumer, of.appended, of.resolved]);
      expect(books.sort()).toEqual([
        ['inventory', 1, 1],
        ['loyalty', 1, 1],
        ['notification', 1, 1],
      ]);
    });

    it('ends at Ctrl-C, and nothing answers any more', async () => {
      const exited = once(local, 'exit');
      local.kill('SIGINT');
      expect(await exited).toEqual([0, null]);
      await expect(fetch(announced.environment.AWS_ENDPOINT_URL as string)).rejects.toThrow();
      expect(existsSync(join(project.folder, '.local/runs'))).toBe(true);
    });
  });
});
