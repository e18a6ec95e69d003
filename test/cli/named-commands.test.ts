// Remedies, next steps and pages name commands to type. Each of them exists, with the options that it is named with.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { commands } from '../../lib/cli/commands/index.ts';
import { runProgram } from '../../lib/cli/program.ts';

const root = join(import.meta.dirname, '../..');

const textsBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|md)$/.test(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));

const texts = [
  ...['lib', 'lambdas', 'bin', 'examples', 'docs'].flatMap(textsBelow),
  readFileSync(join(root, 'README.md'), 'utf8'),
];

/** `gaps --scan` of "npx event-recovery gaps --scan": words and options, up to what stands for a value. */
const named = new Set(
  texts.flatMap((text) =>
    [
      ...text.matchAll(/npx event-recovery ((?:[a-z][a-z-]*|--[a-z][a-z-]*)(?: (?:[a-z][a-z-]*|--[a-z][a-z-]*))*)/g),
    ].map(([, words]) => words as string),
  ),
);

async function helpOf(words: readonly string[]): Promise<string> {
  let help = '';
  const write = (text: string) => (help += text);
  await runProgram([...words, '--help'], { commands, streams: { stdout: { write }, stderr: { write } } });
  return help;
}

describe('a command that is named somewhere', () => {
  it('is found', () => expect([...named].sort()).toEqual(expect.arrayContaining(['gaps', 'gaps --scan', 'verify'])));

  it.each([...named].sort())('npx event-recovery %s', async (line) => {
    const [first, second] = line.split(' ').filter((word) => !word.startsWith('--'));
    let help = await helpOf([]);
    if (first !== undefined) {
      expect(help).toMatch(new RegExp(`^  ${first}\\b`, 'm'));
      help += await helpOf([first]);
      // A command of the command, or a value, which changes nothing.
      if (second !== undefined) help += await helpOf([first, second]);
    }
    for (const option of line.match(/--[a-z-]+/g) ?? []) expect(help).toMatch(new RegExp(`${option}\\b`));
  });
});
