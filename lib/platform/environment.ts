// Environment variables, read once at the edge and checked while reading. A missing or malformed one is an error that
// names the variable and who sets it: a function must not start half configured.

import { InvalidInputError } from '../model/errors.ts';

export interface Environment {
  /** @throws InvalidInputError `MISSING_ENVIRONMENT` when absent or empty */
  required(name: string): string;
  /** Absent and empty are the same. */
  optional(name: string): string | undefined;
  optional(name: string, fallback: string): string;
  /**
   * A whole number between `min` and `max`, both included; absent: the default.
   * @throws InvalidInputError `INVALID_ENVIRONMENT` when it is anything else, `MISSING_ENVIRONMENT` when there is no default
   */
  integer(name: string, range: { min: number; max: number; default?: number }): number;
  /** `true` or `false`; absent: the default. @throws InvalidInputError `INVALID_ENVIRONMENT` */
  boolean(name: string, fallback: boolean): boolean;
}

/** Decimal digits only: Number('') is 0 and Number('0x10') is 16, and neither is what an operator meant. */
const WHOLE_NUMBER = /^-?\d{1,16}$/;

/**
 * @param source the edge passes `process.env`
 * @example const eventsTable = environmentOf(process.env).required('EVENTS_TABLE');
 */
export function environmentOf(source: Readonly<Record<string, string | undefined>>): Environment {
  const read = (name: string): string | undefined => source[name] || undefined;
  function optional(name: string): string | undefined;
  function optional(name: string, fallback: string): string;
  function optional(name: string, fallback?: string): string | undefined {
    return read(name) ?? fallback;
  }
  return {
    optional,
    required: (name) => read(name) ?? missing(name, 'a non-empty value'),
    integer(name, { min, max, default: fallback }) {
      const allowed = `a whole number from ${min} to ${max}`;
      const raw = read(name);
      if (raw === undefined) return fallback ?? missing(name, allowed);
      const value = WHOLE_NUMBER.test(raw) ? Number(raw) : Number.NaN;
      if (value >= min && value <= max) return value;
      return invalid(name, raw, allowed);
    },
    boolean(name, fallback) {
      const raw = read(name);
      if (raw === undefined) return fallback;
      if (raw === 'true' || raw === 'false') return raw === 'true';
      return invalid(name, raw, '"true" or "false"');
    },
  };
}

function missing(name: string, allowed: string): never {
  throw new InvalidInputError('MISSING_ENVIRONMENT', {
    what: `environment variable ${name}`,
    got: undefined,
    allowed,
    remedy: `set ${name} on the function; the constructs of this project set it for the functions that they make`,
  });
}

function invalid(name: string, got: string, allowed: string): never {
  throw new InvalidInputError('INVALID_ENVIRONMENT', {
    what: `environment variable ${name}`,
    got,
    allowed,
    remedy: `change ${name} in the function's configuration`,
  });
}
