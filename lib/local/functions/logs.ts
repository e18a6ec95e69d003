// What functions print, per function: the last lines in memory, everything in a file. Lines of several processes are
// told apart by their pid.

import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';

export interface LogLine {
  functionName: string;
  pid: number;
  at: number;
  text: string;
}

export interface FunctionLogs {
  write(functionName: string, pid: number, text: string): void;
  /** The last lines of a function (at most 5,000), oldest first. */
  lines(functionName: string): readonly LogLine[];
  folder: string;
  stop(): Promise<void>;
}

const KEPT_LINES = 5_000;

export function createFunctionLogs(folder: string, listener?: (line: LogLine) => void): FunctionLogs {
  mkdirSync(folder, { recursive: true });
  const kept = new Map<string, LogLine[]>();
  const files = new Map<string, WriteStream>();
  return {
    folder,
    write(functionName, pid, text) {
      const line = { functionName, pid, at: Date.now(), text };
      const lines = kept.get(functionName) ?? [];
      kept.set(functionName, lines);
      lines.push(line);
      if (lines.length > KEPT_LINES * 2) lines.splice(0, lines.length - KEPT_LINES);
      let file = files.get(functionName);
      if (!file) {
        file = createWriteStream(join(folder, `${functionName}.log`), { flags: 'a' });
        files.set(functionName, file);
      }
      file.write(`${new Date(line.at).toISOString()} ${pid} ${text}\n`);
      listener?.(line);
    },
    lines: (functionName) => (kept.get(functionName) ?? []).slice(-KEPT_LINES),
    async stop() {
      await Promise.all([...files.values()].map((file) => new Promise<void>((resolve) => file.end(resolve))));
    },
  };
}
