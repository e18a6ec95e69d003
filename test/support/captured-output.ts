// What functions print: JSON lines on stdout and stderr, parsed and kept from the terminal. Call it once in a test file.

import { afterEach, beforeEach, jest } from '@jest/globals';

/** The lines of the running test; emptied before each. */
export function captureOutput(): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const capture = (chunk: unknown) => {
    for (const line of String(chunk).split('\n')) if (line.startsWith('{')) lines.push(JSON.parse(line));
    return true;
  };
  beforeEach(() => {
    lines.length = 0;
    jest.spyOn(process.stdout, 'write').mockImplementation(capture);
    jest.spyOn(process.stderr, 'write').mockImplementation(capture);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  return lines;
}
