// `npm run build`: the package as users install it, in `dist`. Node.js strips no types inside node_modules, so the sources
// become JavaScript with declarations; everything else keeps its place, because files find each other by relative paths.

import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Manifest, packageManifest } from './manifest.ts';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');

/** Beside the built files: what alarms and the README point to, and the example as it is copied. */
const COPIED = ['README.md', 'LICENSE', 'CHANGELOG.md', 'docs', 'examples'];

rmSync(dist, { recursive: true, force: true });
const compiler = join(root, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [compiler, '--project', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
for (const name of COPIED) cpSync(join(root, name), join(dist, name), { recursive: true });

const project = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
writeJson('package.json', packageManifest(project));
const app = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { app: string };
writeJson('cdk.json', { ...app, app: app.app.replace(/\.ts$/, '.js') });

function writeJson(name: string, value: unknown): void {
  writeFileSync(join(dist, name), `${JSON.stringify(value, null, 2)}\n`);
}
