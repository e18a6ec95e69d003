// One hash over everything that a synth can read: all files of a project but generated folders, tests and docs.
// Equal hash, equal assembly: that is what makes the second start quick.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const LEFT_OUT = new Set(['node_modules', 'cdk.out', 'coverage', 'dist', 'docs', 'test']);

/** SHA-256 in hex, 20 digits. `salt` holds whatever else the synth depends on, for example context values. */
export function sourceHash(projectRoot: string, salt: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify(salt));
  for (const file of sourceFiles(projectRoot)) {
    const bytes = readFileSync(file);
    hash.update(`${relative(projectRoot, file)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex').slice(0, 20);
}

function sourceFiles(folder: string): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || LEFT_OUT.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...sourceFiles(path));
    else if (entry.isFile() && !entry.name.endsWith('.md')) files.push(path);
  }
  return files;
}
