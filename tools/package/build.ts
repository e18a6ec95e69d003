// `npm run build`: the package as users install it, in `dist` or the folder that is named. Node.js strips no types inside node_modules, so the sources
// become JavaScript with declarations; everything else keeps its place, because files find each other by relative paths.

import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Manifest, packageManifest } from './manifest.ts';

const root = join(import.meta.dirname, '../..');
const target = resolve(process.argv[2] ?? join(root, 'dist'));

/** Beside the built files: what alarms and the README point to, the example as it is copied, and the flags of the CDK. */
const COPIED = ['README.md', 'LICENSE', 'CHANGELOG.md', 'docs', 'examples'];

rmSync(target, { recursive: true, force: true });
const compiler = join(root, 'node_modules/typescript/bin/tsc');
const options = ['--project', join(root, 'tsconfig.build.json'), '--outDir', target];
execFileSync(process.execPath, [compiler, ...options], { cwd: root, stdio: 'inherit' });
for (const name of COPIED) cpSync(join(root, name), join(target, name), { recursive: true });

const project = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
writeJson('package.json', packageManifest(project));
// The app of the checkout is not part of the package: only the CDK's flags are.
const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { context: unknown };
writeJson('cdk.json', { context });

function writeJson(name: string, value: unknown): void {
  writeFileSync(join(target, name), `${JSON.stringify(value, null, 2)}\n`);
}
