// Runs the project's CDK app in a process of its own and keeps the assembly under `.local/assembly/<hash of the
// sources>`, below the project so that bundles resolve `@aws-sdk/*` from its node_modules. Two starts at once are
// safe: each synthesizes into its own folder and the rename decides.

import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { EventRecoveryError } from '../../model/errors.ts';
import { sourceHash } from './source-hash.ts';

export interface SynthesizeOptions {
  projectRoot: string;
  /** Command that synthesizes. @default `app` of the project's cdk.json */
  app?: string;
  /** Added to the context of cdk.json. */
  context?: Record<string, unknown>;
}

export interface Synthesized {
  directory: string;
  cached: boolean;
}

const SYNTH_LIMIT_MS = 300_000;
/** An assembly that nobody used for a week is removed by the next synth, what a broken one left at once. */
const KEEP_UNUSED_MS = 7 * 24 * 3_600_000;

/** @throws EventRecoveryError `LOCAL_NO_APP`; `LOCAL_SYNTH_FAILED` with the end of what the app printed */
export async function synthesize(options: SynthesizeOptions): Promise<Synthesized> {
  const { projectRoot } = options;
  const configuration = readConfiguration(projectRoot);
  const app = options.app ?? configuration.app;
  if (app === undefined) throw noApp(projectRoot);
  // The CDK's own program sets it, too; construct ids then name resources in errors, and functions in faults.
  const context = { 'aws:cdk:enable-path-metadata': true, ...configuration.context, ...options.context };
  const folder = join(localFolder(projectRoot), 'assembly');
  const directory = join(folder, sourceHash(projectRoot, { app, context, node: process.version }));
  if (existsSync(join(directory, 'manifest.json'))) {
    utimesSync(directory, new Date(), new Date());
    return { directory, cached: true };
  }
  mkdirSync(folder, { recursive: true });
  removeUnused(folder);
  const temporary = `${directory}.${process.pid}`;
  rmSync(temporary, { recursive: true, force: true });
  await run(app, projectRoot, { CDK_OUTDIR: temporary, CDK_CONTEXT_JSON: JSON.stringify(context) });
  try {
    renameSync(temporary, directory);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(join(directory, 'manifest.json'))) throw error;
  }
  return { directory, cached: false };
}

/** `.local` of a project: generated, ignored by git. Its package.json keeps bundles with `.js` files CommonJS, as in Lambda. */
export function localFolder(projectRoot: string): string {
  const folder = join(projectRoot, '.local');
  const marker = join(folder, 'package.json');
  if (!existsSync(marker)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(marker, '{ "private": true, "type": "commonjs" }\n');
  }
  return folder;
}

function readConfiguration(projectRoot: string): { app?: string; context?: Record<string, unknown> } {
  const file = join(projectRoot, 'cdk.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

function run(command: string, cwd: string, variables: Record<string, string>): Promise<void> {
  const path = [join(cwd, 'node_modules', '.bin'), dirname(process.execPath), process.env.PATH].join(delimiter);
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(command, {
      shell: true,
      cwd,
      env: { ...inherited, ...variables, PATH: path },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: SYNTH_LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed = (printed + text).slice(-4_000);
      });
    }
    child.once('error', reject);
    child.once('close', (code, signal) => (code === 0 ? resolve() : reject(failed(command, code ?? signal, printed))));
  });
}

const noApp = (projectRoot: string): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_NO_APP',
    `what synthesizes the CDK app: ${join(projectRoot, 'cdk.json')} names none; remedy: start in the folder whose cdk.json has "app", or pass the command`,
    { facts: { projectRoot } },
  );

const failed = (command: string, end: unknown, printed: string): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_SYNTH_FAILED',
    `"${command}" ended with ${String(end)}; remedy: run it alone and repair the app. It printed:\n${printed.trim()}`,
    { facts: { command, end, printed } },
  );

function removeUnused(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const limitMs = /\.\d+$/.test(name) ? SYNTH_LIMIT_MS : KEEP_UNUSED_MS;
    if (Date.now() - statSync(path).mtimeMs > limitMs) rmSync(path, { recursive: true, force: true });
  }
}
