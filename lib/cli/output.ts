// How commands speak: data on stdout (with --json exactly one document), progress on stderr, and at the end of every human
// output the exact next command.

import { colors } from './colors.ts';

export interface Streams {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

export interface Output {
  readonly json: boolean;
  /** The result: the document itself with --json, otherwise what `human` makes of it. Call it once. */
  result<Data>(data: Data, human: (data: Data) => string): void;
  /** What goes on meanwhile. */
  progress(text: string): void;
  /** The exact next command, or what else to do. */
  next(command: string): void;
}

export function createOutput(json: boolean, streams: Streams): Output {
  return {
    json,
    result: (data, human) => void streams.stdout.write(json ? `${asJson(data)}\n` : `${human(data)}\n`),
    progress: (text) => void streams.stderr.write(`${colors.dim(text)}\n`),
    next: (command) => {
      if (!json) streams.stdout.write(`\nNext: ${colors.bold(command)}\n`);
    },
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text of unknown origin for one line of a terminal: no control characters and no changes of direction, so that data can
 * neither move the cursor nor read as something else.
 */
export const oneLine = (text: string): string => text.replace(CONTROL_CHARACTERS, '·');

/** One JSON document in one line; characters that act on a terminal are escaped, so the data is the same. */
export const asJson = (data: unknown): string =>
  JSON.stringify(data).replace(
    CONTROL_CHARACTERS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** `oneLine` for text that may have lines of its own. */
export const manyLines = (text: string): string => text.split('\n').map(oneLine).join('\n');

/** Rows as aligned columns under a header. Numbers stand right. */
export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => oneLine(String(cell))));
  const widths = header.map((name, column) => Math.max(name.length, ...cells.map((row) => (row[column] ?? '').length)));
  const isNumber = header.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [colors.bold(line(header)), ...cells.map(line)].join('\n');
}
