// Bundles are what runs: one ES module per function, everything inside, the same bytes for the same sources, and readable
// names in stack traces.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Duration, Stack } from 'aws-cdk-lib';
import type { AssetCode } from 'aws-cdk-lib/aws-lambda';
import { entryCode, PROJECT_FUNCTIONS, projectCode } from '../../lib/infra/constructs/bundling.ts';
import { EventFunction } from '../../lib/infra/constructs/event-function.ts';
import { resource, type TemplateJson, testApp } from './synth.ts';

const root = join(import.meta.dirname, '../..');
const entry = join(root, 'examples/order-fulfilment/inventory/handler.ts');
const run = promisify(execFile);

/** What the constructs give every function, in short: a handler may read its environment when it is imported. */
const ENVIRONMENT = {
  EVENTS_TABLE: 'Events',
  LOG_TABLE: 'Log',
  CHECKPOINTS_TABLE: 'Checkpoints',
  DEAD_LETTERS_TABLE: 'DeadLetters',
  RECOVERY_TABLE: 'Recovery',
  ARCHIVE_BUCKET: 'archive',
  ALERTS_TOPIC_ARN: 'arn:aws:sns:eu-central-1:111122223333:alerts',
  RELAY_FUNCTION_ARN: 'arn:aws:lambda:eu-central-1:111122223333:function:relay',
  RELAY_MAPPING_ARN: 'arn:aws:lambda:eu-central-1:111122223333:event-source-mapping:mapping',
  EVENT_BUS_NAME: 'bus',
  RELAY_FAILURES_BUCKET: 'failures',
  AWS_REGION: 'eu-central-1',
};

const workDirectories = new Set<string>();
// Jest's workers end without the `exit` event at which bundles are removed otherwise.
afterAll(() => {
  for (const directory of workDirectories) rmSync(directory, { recursive: true, force: true });
});

/** Synthesizes one function with its bundle and gives the folder of its asset. */
function assetOf(code: (stack: Stack) => ReturnType<typeof entryCode>): string {
  const app = testApp({ 'aws:cdk:bundling-stacks': ['**'] });
  const stack = new Stack(app, 'Test');
  const props = { service: 'test', description: 'test', timeout: Duration.seconds(5) };
  const bundled = code(stack);
  workDirectories.add(/^.*\/event-recovery-bundles-[^/]+/.exec((bundled as AssetCode).path)?.[0] as string);
  new EventFunction(stack, 'Fn', { ...props, code: bundled });
  const assembly = app.synth();
  const template = assembly.getStackByName('Test').template as TemplateJson;
  const { S3Key } = resource(template, 'AWS::Lambda::Function').Properties.Code as { S3Key: string };
  return join(assembly.directory, `asset.${S3Key.replace('.zip', '')}`);
}

describe('a bundle', () => {
  let folder: string;
  let code: string;
  beforeAll(() => {
    folder = assetOf((stack) => entryCode(stack, entry));
    code = readFileSync(join(folder, 'index.mjs'), 'utf8');
  });

  it('is one file that needs nothing but Node itself', () => {
    expect(readdirSync(folder)).toEqual(['index.mjs']);
    const imported = [...code.matchAll(/^\s*(?:import|export) [^'"]*?from ?["']([^"']+)["']/gm)].map(
      ([, from]) => from as string,
    );
    const others = imported.filter((from) => !from.startsWith('node:') && !builtinModules.includes(from));
    expect([...new Set(others)]).toEqual([]);
  });

  it('starts in Node as it lies there, and exports the handler', async () => {
    const script = `const { handler } = await import(${JSON.stringify(join(folder, 'index.mjs'))}); console.log(typeof handler);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder });
    expect(stdout.trim()).toBe('function');
  });

  it('keeps names and lines readable, because dead letters carry stack traces', () => {
    expect(code).toContain('function stockWrites(');
  });

  it('holds no path of the machine that made it, and the same sources make the same asset again', () => {
    expect(code).not.toContain(root);
    expect(assetOf((stack) => entryCode(stack, entry)).split('asset.')[1]).toBe(folder.split('asset.')[1]);
  });
});

describe('the functions of the project', () => {
  it.each(PROJECT_FUNCTIONS)('%s is bundled and exports its handler', async (name) => {
    const folder = assetOf((stack) => projectCode(stack, name));
    const script = `const { handler } = await import(${JSON.stringify(join(folder, 'index.mjs'))}); console.log(typeof handler);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: folder,
      env: { ...process.env, ...ENVIRONMENT },
    });
    expect(stdout.trim()).toBe('function');
  });
});
