// The import rules must bite: each one is broken once, in a throw-away tree, and must be named by the checker.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../..');

const broken: [rule: string, file: string, importing: string][] = [
  ['the model imports nothing of ours', 'lib/model/a.ts', 'lib/platform/b.ts'],
  ['the platform knows only the model', 'lib/platform/a.ts', 'lib/flow/b.ts'],
  ['the ground floor does not know the upper floor', 'lib/flow/relay/a.ts', 'lib/recovery/gap/b.ts'],
  ['the upper floor does not know the doors', 'lib/recovery/gap/a.ts', 'lib/cli/b.ts'],
  ['the scrub shares no code with verify', 'lib/recovery/scrub/a.ts', 'lib/recovery/verify/b.ts'],
  ['verify shares no code with the repair', 'lib/recovery/verify/a.ts', 'lib/recovery/redrive/b.ts'],
  ['verify shares no code with the repair', 'lib/recovery/verify/a.ts', 'lib/flow/checkpoint/b.ts'],
  ['lambdas import no infrastructure and no local system', 'lambdas/scan-gaps/a.ts', 'lib/infra/b.ts'],
  ['production code imports no test', 'lib/flow/a.ts', 'test/support/b.ts'],
  ['only infra and the app import the CDK', 'lib/flow/a.ts', 'aws-cdk-lib'],
  ['only infra and the app import the CDK', 'lambdas/scan-gaps/a.ts', 'constructs'],
  ['every imported package is declared in package.json', 'lib/flow/a.ts', 'undeclared'],
];
const packages = ['aws-cdk-lib', 'constructs', 'undeclared'];

describe('import rules', () => {
  let tree: string;

  beforeAll(async () => {
    tree = await mkdtemp(join(tmpdir(), 'imports-'));
  });
  afterAll(() => rm(tree, { recursive: true }));

  const cruise = (): Promise<string> =>
    new Promise((resolve) => {
      const args = [
        join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
        '--config',
        join(root, '.dependency-cruiser.mjs'),
        'lib',
        'lambdas',
        'test',
      ];
      execFile(process.execPath, args, { cwd: tree }, (_error, stdout, stderr) => resolve(stdout + stderr));
    });

  it('names every rule that is broken, also by a type-only import', async () => {
    const put = async (file: string, text: string) => {
      await mkdir(dirname(join(tree, file)), { recursive: true });
      await writeFile(join(tree, file), text);
    };
    await Promise.all(['lib', 'lambdas', 'test'].map((folder) => mkdir(join(tree, folder), { recursive: true })));
    await put('package.json', '{ "dependencies": { "aws-cdk-lib": "1.0.0", "constructs": "1.0.0" } }');
    for (const name of packages) {
      await put(`node_modules/${name}/package.json`, `{ "name": "${name}", "version": "1.0.0", "main": "index.js" }`);
      await put(`node_modules/${name}/index.js`, '');
    }
    for (const [index, [, file, imported]] of broken.entries()) {
      const from = file.replace('a.ts', `a${index}.ts`);
      if (packages.includes(imported)) {
        await put(from, `import * as b from '${imported}';\nexport const a = b;\n`);
        continue;
      }
      const up = '../'.repeat(from.split('/').length - 1);
      await put(imported, 'export type B = string;\nexport const b: B = "b";\n');
      await put(from, `import type { B } from '${up}${imported}';\nexport const a: B = 'a';\n`);
    }
    const output = await cruise();
    const missed = broken.filter(([rule, file], index) => {
      const from = file.replace('a.ts', `a${index}.ts`);
      return !output.split('\n').some((line) => line.includes(rule) && line.includes(from));
    });
    expect(missed).toEqual([]);
  });
});
