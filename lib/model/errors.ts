// Every error that leaves the project: a stable code, whether a retry can help, and the facts as fields.
// Callers switch on `code`, never on the message.

export interface InputFacts {
  /** What was checked, for example "stream id". */
  what: string;
  /** What was given. Shortened in the message, so that a log line stays a line. */
  got: unknown;
  /** What would have been accepted. */
  allowed: string;
  /** What to do next. */
  remedy: string;
}

/**
 * Base of all errors.
 * @example if (isEventRecoveryError(error) && error.retryable) await tryAgain();
 */
export class EventRecoveryError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    options: { retryable?: boolean; facts?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.facts = options.facts ?? {};
  }
}

/** Bad input: nothing was written. Never retryable. */
export class InvalidInputError extends EventRecoveryError {
  readonly what: string;
  readonly got: unknown;
  readonly allowed: string;
  readonly remedy: string;

  constructor(code: string, facts: InputFacts) {
    super(code, `${facts.what}: got ${shown(facts.got)}; allowed: ${facts.allowed}; remedy: ${facts.remedy}`, {
      facts: { ...facts },
    });
    this.what = facts.what;
    this.got = facts.got;
    this.allowed = facts.allowed;
    this.remedy = facts.remedy;
  }
}

/** The stream is not at the version that the append expected. Read it again, decide again, append again. */
export class ConcurrencyError extends EventRecoveryError {
  readonly streamId: string;
  readonly expectedVersion: number | string;
  readonly actualVersion: number;

  constructor(streamId: string, expectedVersion: number | string, actualVersion: number) {
    super(
      'CONCURRENCY_CONFLICT',
      `stream "${streamId}": expected version ${expectedVersion}, actual version ${actualVersion}; remedy: read the stream again and decide on what it holds now`,
      { facts: { streamId, expectedVersion, actualVersion } },
    );
    this.streamId = streamId;
    this.expectedVersion = expectedVersion;
    this.actualVersion = actualVersion;
  }
}

/** What is stored is not what was appended (hash, hole, truncation). Appends and reads of this stream are refused. */
export class StreamDamagedError extends EventRecoveryError {
  readonly streamId: string;
  readonly version: number;
  readonly damage: string;

  constructor(streamId: string, version: number, damage: string) {
    super(
      'STREAM_DAMAGED',
      `stream "${streamId}" is damaged at version ${version}: ${damage}; remedy: npx event-recovery verify --stream-prefix ${JSON.stringify(streamId)}`,
      { facts: { streamId, version, damage } },
    );
    this.streamId = streamId;
    this.version = version;
    this.damage = damage;
  }
}

export const isEventRecoveryError = (error: unknown): error is EventRecoveryError =>
  error instanceof EventRecoveryError;

const SHOWN_LENGTH = 80;

/** A value as it stands in a message: one line, at most 80 characters, never throws. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value));
  } catch {
    text = `a value of type ${typeof value} that JSON cannot hold`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) text = String(value);
  return text.length <= SHOWN_LENGTH ? text : `${text.slice(0, SHOWN_LENGTH)}… (${text.length} characters)`;
}
