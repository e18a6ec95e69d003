// The log as code sees it: one line per call, a message in fixed words and the facts as fields. `child` binds facts (the
// correlation id above all) to every line written through it. Logging never throws and never changes what happens.

import { shown } from '../model/errors.ts';

/** Fields of a log line. An `Error` is written with name, message, code, stack and causes. */
export type Facts = Readonly<Record<string, unknown>>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Logger {
  debug(message: string, facts?: Facts): void;
  info(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
  error(message: string, facts?: Facts): void;
  /** A logger that adds these facts to every line; facts of a single line win. Costs nothing until a line is written. */
  child(facts: Facts): Logger;
}

export interface LogLine {
  level: LogLevel;
  message: string;
  facts: Facts;
}

/**
 * A logger over one function. All loggers are made of it, so that `child` means the same everywhere.
 * @example const logger = loggerOf((line) => lines.push(line));
 */
export function loggerOf(write: (line: LogLine) => void, bound: Facts = {}): Logger {
  const at = (level: LogLevel) => (message: string, facts?: Facts) =>
    write({ level, message, facts: facts === undefined ? bound : { ...bound, ...facts } });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (facts) => loggerOf(write, { ...bound, ...facts }),
  };
}

/** Says nothing: for code that was given no logger. */
export const silentLogger: Logger = loggerOf(() => undefined);

export interface RecordingLogger extends Logger {
  /** Every line so far, also those of children, in order. Grows without bound: for tests. */
  readonly lines: LogLine[];
}

/** @example const logger = recordingLogger(); run(logger); expect(logger.lines).toMatchObject([{ level: 'warn' }]); */
export function recordingLogger(): RecordingLogger {
  const lines: LogLine[] = [];
  return { ...loggerOf((line) => lines.push(line)), lines };
}

/** CloudWatch Logs takes 1 MB per line; an error with its causes stays far below. */
const STACK_MAX_LENGTH = 8_000;
const CAUSES_MAX_DEPTH = 5;

/** Anything thrown, as fields of a log line. Never throws; a big input (`got`) stays in the message, where it is shortened. */
export function errorFacts(thrown: unknown): Record<string, unknown> {
  try {
    return describe(thrown, 0);
  } catch {
    return { name: 'Unreadable', message: 'the thrown value cannot be read' };
  }
}

function describe(thrown: unknown, depth: number): Record<string, unknown> {
  if (!(thrown instanceof Error)) return { name: typeof thrown, message: shown(thrown) };
  const { code, retryable } = thrown as { code?: unknown; retryable?: unknown };
  return {
    name: thrown.name,
    message: thrown.message.slice(0, STACK_MAX_LENGTH),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(typeof retryable === 'boolean' ? { retryable } : {}),
    stack: thrown.stack?.slice(0, STACK_MAX_LENGTH),
    ...(thrown.cause !== undefined && depth < CAUSES_MAX_DEPTH ? { cause: describe(thrown.cause, depth + 1) } : {}),
  };
}
