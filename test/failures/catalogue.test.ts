// Every failure of the catalogue has a test that exists under its title, and docs/failures.md says what the catalogue says.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { FAILURES, failuresTable } from './catalogue.ts';

const TESTS = join(import.meta.dirname, '..');
/** Titles in a test file as they stand in its source, quotes unescaped. */
const sourceOf = (file: string): string => {
  const path = join(TESTS, file);
  return existsSync(path) ? readFileSync(path, 'utf8').replaceAll("\\'", "'") : '';
};
const titleAsQuoted = (title: string): string[] => [`'${title}'`, `"${title}"`, `\`${title}\``];
const isRunThere = (source: string, title: string): boolean =>
  titleAsQuoted(title).some((quoted) => source.includes(quoted)) && !/\b(it|describe)\.(skip|only|todo)\b/.test(source);

describe('the catalogue of failures', () => {
  it('has all 40, each with what must hold and at least one test', () => {
    expect(FAILURES).toHaveLength(40);
    for (const { failure, mustHold, tests } of FAILURES) {
      expect([failure.length, mustHold.length, tests.length].every((length) => length > 0)).toBe(true);
    }
    expect(new Set(FAILURES.map(({ failure }) => failure)).size).toBe(40);
  });

  it.each(FAILURES.map((failure, index) => ({ number: index + 1, ...failure })))(
    'failure $number has its tests: $failure',
    ({ tests }) => {
      const missing = tests.filter(({ file, title }) => !isRunThere(sourceOf(file), title));
      expect(missing).toEqual([]);
    },
  );

  it('would notice a test that is gone', () => {
    expect(isRunThere("it('does one thing', () => {})", 'does one thing')).toBe(true);
    expect(isRunThere("it('does one thing', () => {})", 'does another thing')).toBe(false);
    expect(isRunThere("it.skip('does one thing', () => {})", 'does one thing')).toBe(false);
  });

  it('is what docs/failures.md says', () => {
    expect(readFileSync(join(TESTS, '../docs/failures.md'), 'utf8')).toContain(failuresTable());
  });
});
