// The example's README is true: its third consumer, copied as it stands there, is bundled, synthesized and reacts.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const example = join(root, 'examples/order-fulfilment');
const blocks = [...readFileSync(join(example, 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, code]) => code as string,
);
const run = promisify(execFile);

/** Runs TypeScript in a Node of its own, as a newcomer would, and gives what it prints. */
const script = async (folder: string, code: string): Promise<unknown> => {
  const file = join(folder, `script-${code.length}.ts`);
  writeFileSync(file, code);
  const { stdout } = await run(process.execPath, [file], {
    cwd: root,
    env: { ...process.env, LOYALTY_TABLE: 'Points' },
  });
  return JSON.parse(stdout);
};

describe('the third consumer of the README', () => {
  let folder: string;

  beforeAll(() => {
    mkdirSync(join(root, '.local'), { recursive: true });
    folder = mkdtempSync(join(root, '.local/example-'));
    cpSync(example, folder, { recursive: true });
    // A package of its own that depends on this one, as in a newcomer's repository.
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules/event-recovery'));
    mkdirSync(join(folder, 'loyalty'));
    const [consumer, handler, imported, deployed] = blocks as [string, string, string, string];
    writeFileSync(join(folder, 'loyalty/consumer.ts'), consumer);
    writeFileSync(join(folder, 'loyalty/handler.ts'), handler);
    const stack = readFileSync(join(folder, 'stack.ts'), 'utf8');
    const end = "    new CfnOutput(this, 'InventoryTableName'";
    expect(stack).toContain(end);
    writeFileSync(
      join(folder, 'stack.ts'),
      stack.replace('import { inventory }', `${imported}import { inventory }`).replace(end, deployed + end),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('reacts to an order with one point per piece', async () => {
    const writes = await script(
      folder,
      `import { react } from './loyalty/handler.ts';
       const data = { orderId: '1', customerId: 'ada', sku: 'tea', quantity: 3 };
       console.log(JSON.stringify(await react({ type: 'OrderPlaced', data } as never, {} as never)));`,
    );
    expect(writes).toMatchObject([
      { Update: { TableName: 'Points', Key: { customerId: 'ada' }, ExpressionAttributeValues: { ':quantity': 3 } } },
    ]);
  });

  it('is bundled and synthesized with the stack, cdk-nag included', async () => {
    const outputs = await script(
      folder,
      `import { createApp } from '../../lib/infra/create-app.ts';
       import { OrderFulfilmentStack } from './stack.ts';
       const { app, flow } = createApp({ outdir: '${folder}/out', analyticsReporting: false, builtinCloudFormationValidation: false, context: { 'aws:cdk:bundling-stacks': ['Copy'] } });
       new OrderFulfilmentStack(app, 'Copy').addStackDependency(flow);
       console.log(JSON.stringify(Object.keys(app.synth().getStackByName('Copy').template.Outputs)));`,
    );
    expect(outputs).toEqual(expect.arrayContaining(['LoyaltyQueueUrl', 'LoyaltyFunctionName', 'InventoryQueueUrl']));
  });
});
