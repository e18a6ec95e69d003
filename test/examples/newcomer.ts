// A newcomer's project as the example's README makes one: the packed package beside its dependencies, the example copied,
// and every file of the README written down as it stands there.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { packageManifest } from '../../tools/package/manifest.ts';

const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'examples/order-fulfilment/README.md'), 'utf8');
const mainReadme = readFileSync(join(root, 'README.md'), 'utf8');
const run = promisify(execFile);

/** What the README tells to install beside the package. */
const INSTALLED = /^npm install (?!\.\.).*$/gm;

export interface Project {
  folder: string;
  /** Files of the package, as `npm pack` lists them. */
  packed: string[];
  remove(): void;
}

export async function createProject(): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), 'event-recovery-newcomer-'));
  const packed = await installPackage(folder);
  linkDependencies(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "shop", "private": true, "type": "module" }\n');
  cpSync(join(folder, 'node_modules/event-recovery/examples/order-fulfilment'), join(folder, 'order-fulfilment'), {
    recursive: true,
  });
  for (const [name, text] of filesOfReadme()) {
    const file = join(folder, name.startsWith('loyalty/') ? `order-fulfilment/${name}` : name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  addToStack(join(folder, 'order-fulfilment/stack.ts'));
  for (const [name, text] of twelveLines()) writeFileSync(join(folder, name), text);
  return { folder, packed, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Builds, packs and unpacks, as npm would install it. */
async function installPackage(folder: string): Promise<string[]> {
  const built = join(folder, '.built');
  await run(process.execPath, [join(root, 'tools/package/build.ts'), built]);
  const { stdout } = await run('npm', ['pack', built, '--json', '--pack-destination', folder], { cwd: folder });
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  const target = join(folder, 'node_modules/event-recovery');
  mkdirSync(target, { recursive: true });
  await run('tar', ['-xzf', join(folder, filename), '--strip-components=1', '-C', target]);
  rmSync(built, { recursive: true });
  return files.map(({ path }) => path);
}

/** Only what the package declares and the README installs: what is missing there is missing here. */
function linkDependencies(folder: string): void {
  const project = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const named = [...readme.matchAll(INSTALLED)].flatMap(([line]) => line.split(/\s+/).slice(2));
  const wanted = [
    ...Object.keys(packageManifest(project).dependencies),
    ...named.filter((name) => /^[@a-z]/.test(name)),
  ];
  for (const name of new Set(wanted)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
}

/** Code blocks under a line that begins with a file's name. */
function filesOfReadme(): [name: string, text: string][] {
  const blocks = readme.matchAll(/^`([\w/.-]+)`[^\n]*\n\n```(?:ts|json)\n([\s\S]*?)```/gm);
  return [...blocks].map(([, name, text]) => [name as string, text as string]);
}

/** The main README's consumer, and its lines for a stack inside of one. */
function twelveLines(): [name: string, text: string][] {
  const [, consumer, stack] = /```ts\n(\/\/ loyalty\.ts[\s\S]*?)(\/\/ stack\.ts[\s\S]*?)```/.exec(mainReadme) ?? [];
  if (consumer === undefined || stack === undefined) throw new Error('README.md has no consumer in twelve lines');
  const around = [
    "import { join } from 'node:path';",
    "import { Stack } from 'aws-cdk-lib';",
    "import type { Table } from 'aws-cdk-lib/aws-dynamodb';",
    "import type { Construct } from 'constructs';",
    "import { EventConsumer, type IEventBus, type IEventStore } from 'event-recovery';",
    "import { declaration } from './loyalty.ts';",
    'export class LoyaltyStack extends Stack {',
    '  constructor(scope: Construct, { eventStore, eventBus, points }: { eventStore: IEventStore; eventBus: IEventBus; points: Table }) {',
    "    super(scope, 'Loyalty');",
  ];
  return [
    ['loyalty.ts', consumer],
    ['loyalty-stack.ts', [...around, stack, '  }', '}', ''].join('\n')],
  ];
}

function addToStack(file: string): void {
  const [, imported, deployed] =
    /at the top:\n\n```ts\n([\s\S]*?)```\n\nand in the constructor:\n\n```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const stack = readFileSync(file, 'utf8');
  const end = "    new CfnOutput(this, 'InventoryTableName'";
  if (!stack.includes(end)) throw new Error(`stack.ts has no ${end}`);
  writeFileSync(
    file,
    stack.replace('import { inventory }', `${imported}import { inventory }`).replace(end, deployed + end),
  );
}
