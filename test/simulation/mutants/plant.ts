// Plants one fault into the code under test: a module hook replaces one piece of text in one file while it is loaded. The
// text must be there exactly once, or the mutant no longer means what it says.

import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Mutant {
  /** What the fault is, in words. */
  name: string;
  /** Relative to the repository. */
  file: string;
  from: string;
  to: string;
  /** Further replacements in the same file, when the guard stands in two places. */
  also?: readonly { from: string; to: string }[];
}

export const REPOSITORY = join(import.meta.dirname, '../../..');

/** @throws Error when the text is not there exactly once */
export function mutatedSource({ name, file, from, to, also = [] }: Mutant): string {
  let source = readFileSync(join(REPOSITORY, file), 'utf8');
  for (const edit of [{ from, to }, ...also]) {
    const found = source.split(edit.from).length - 1;
    if (found !== 1) throw new Error(`mutant "${name}": expected its text once in ${file}, found it ${found} times`);
    source = source.replace(edit.from, () => edit.to);
  }
  return source;
}

/** Must be called before the file is loaded in this thread. */
export function plantMutant(mutant: Mutant): void {
  const path = join(REPOSITORY, mutant.file);
  const source = mutatedSource(mutant);
  registerHooks({
    load: (url, context, nextLoad) => {
      if (!url.startsWith('file:') || fileURLToPath(url) !== path) return nextLoad(url, context);
      return { format: 'module-typescript', shortCircuit: true, source };
    },
  });
}
