// Style that a machine can check: time, randomness and ids come in from the edge; every file says what it is for; files
// stay small.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const files = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');

describe('style', () => {
  it('lets no global clock, randomness or id into the model, the ground floor and the upper floor', () => {
    const global = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bsetTimeout\(|\bsetInterval\(|\brandomUUID\(/;
    const found = [...files('lib/model'), ...files('lib/flow'), ...files('lib/recovery')].filter((file) =>
      global.test(withoutComments(read(file))),
    );
    expect(found).toEqual([]);
  });

  it('opens every file with a comment that says what it is for', () => {
    const found = [...files('lib'), ...files('lambdas'), ...files('bin'), ...files('examples')].filter(
      (file) => !/^(#!.*\n)?(\/\/ |\/\*\*)/.test(read(file)),
    );
    expect(found).toEqual([]);
  });

  it('keeps every source file under 350 lines', () => {
    const found = [...files('lib'), ...files('lambdas'), ...files('bin'), ...files('examples')].filter(
      (file) => read(file).split('\n').length > 350,
    );
    expect(found).toEqual([]);
  });
});
