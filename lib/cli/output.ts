// How commands speak: data on stdout (with --json exactly one document), progress on stderr, and at the end of every human
// output the exact next command.

import pc from 'picocolors';

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
    result: (data, human) => void streams.stdout.write(json ? `${JSON.stringify(data)}\n` : `${human(data)}\n`),
    progress: (text) => void streams.stderr.write(`${pc.dim(text)}\n`),
    next: (command) => {
      if (!json) streams.stdout.write(`\nNext: ${pc.bold(command)}\n`);
    },
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/g;

/** Text of unknown origin for one line of a terminal: no control characters, so that data cannot move the cursor. */
export const oneLine = (text: string): string => text.replace(CONTROL_CHARACTERS, '·');

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
  return [pc.bold(line(header)), ...cells.map(line)].join('\n');
}
