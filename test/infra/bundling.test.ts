// Bundles are what runs: one ES module per function, everything inside, the same bytes for the same sources, and readable
// names in stack traces.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type CfnElement, Duration, Stack } from 'aws-cdk-lib';
import type { AssetCode, Code } from 'aws-cdk-lib/aws-lambda';
import { entryCode, PROJECT_FUNCTIONS, projectCode } from '../../lib/infra/constructs/bundling.ts';
import { EventFunction } from '../../lib/infra/constructs/event-function.ts';
import { type Resource, type TemplateJson, testApp } from './synth.ts';

const root = join(import.meta.dirname, '../..');
const entry = join(root, 'examples/order-fulfilment/inventory/handler.ts');
const run = promisify(execFile);

/** What the constructs give every function, in short: a handler may read its environment when it is imported. */
const ENVIRONMENT = {
  DEPLOYMENT: 'deployment',
  EVENTS_TABLE: 'Events',
  EVENTS_TABLE_ARN: 'arn:aws:dynamodb:eu-central-1:111122223333:table/Events',
  ARCHIVE_SPAN_MINUTES: '60',
  LOG_TABLE: 'Log',
  CHECKPOINTS_TABLE: 'Checkpoints',
  DEAD_LETTERS_TABLE: 'DeadLetters',
  RECOVERY_TABLE: 'Recovery',
  DRILL_TABLE: 'Drill',
  STATE_MACHINE_ARN: 'arn:aws:states:eu-central-1:111122223333:stateMachine:recovery',
  ARCHIVE_BUCKET: 'archive',
  ALERTS_TOPIC_ARN: 'arn:aws:sns:eu-central-1:111122223333:alerts',
  RELAY_FUNCTION_ARN: 'arn:aws:lambda:eu-central-1:111122223333:function:relay',
  RELAY_MAPPING_ARN: 'arn:aws:lambda:eu-central-1:111122223333:event-source-mapping:mapping',
  EVENT_BUS_NAME: 'bus',
  POWERTOOLS_METRICS_NAMESPACE: 'EventRecovery',
  RELAY_FAILURES_BUCKET: 'failures',
  AWS_REGION: 'eu-central-1',
};

const workDirectories = new Set<string>();
// Jest's workers end without the `exit` event at which bundles are removed otherwise.
afterAll(() => {
  for (const directory of workDirectories) rmSync(directory, { recursive: true, force: true });
});

/** Synthesizes one function per code and gives the folders of their assets. */
function assetsOf(codes: Readonly<Record<string, (stack: Stack) => Code>>): Record<string, string> {
  const app = testApp({ 'aws:cdk:bundling-stacks': ['**'] });
  const stack = new Stack(app, 'Test');
  const props = { service: 'test', description: 'test', timeout: Duration.seconds(5) };
  const made = Object.entries(codes).map(([name, codeOf]) => {
    const code = codeOf(stack) as AssetCode;
    workDirectories.add(/^.*\/event-recovery-bundles-[^/]+/.exec(code.path)?.[0] as string);
    const { function: fn } = new EventFunction(stack, name, { ...props, code });
    return [name, stack.getLogicalId(fn.node.defaultChild as CfnElement)] as const;
  });
  const assembly = app.synth();
  const { Resources } = assembly.getStackByName('Test').template as TemplateJson;
  const assetOf = (logicalId: string) => {
    const { S3Key } = (Resources[logicalId] as Resource).Properties.Code as { S3Key: string };
    return join(assembly.directory, `asset.${S3Key.replace('.zip', '')}`);
  };
  return Object.fromEntries(made.map(([name, logicalId]) => [name, assetOf(logicalId)]));
}

const consumerCode = (stack: Stack): Code => entryCode(stack, entry);

/** One synth for all tests: the project's functions are bundled together. */
const assets = assetsOf({
  consumer: consumerCode,
  ...Object.fromEntries(PROJECT_FUNCTIONS.map((name) => [name, (stack: Stack) => projectCode(stack, name)])),
});

describe('a bundle', () => {
  const folder = assets.consumer as string;
  const code = readFileSync(join(folder, 'index.mjs'), 'utf8');

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
    expect(assetsOf({ consumer: consumerCode }).consumer?.split('asset.')[1]).toBe(folder.split('asset.')[1]);
  });
});

describe('the functions of the project', () => {
  it.each(PROJECT_FUNCTIONS)('%s is bundled and exports its handler', async (name) => {
    const folder = assets[name] as string;
    const script = `const { handler } = await import(${JSON.stringify(join(folder, 'index.mjs'))}); console.log(typeof handler);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: folder,
      env: { ...process.env, ...ENVIRONMENT },
    });
    expect(stdout.trim()).toBe('function');
  });
});
