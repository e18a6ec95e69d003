// What every command shares: how it is declared, what it gets, and how an error becomes an exit code.

import type { Command } from 'commander';
import { isEventRecoveryError } from '../model/errors.ts';
import type { Deployment } from './deployment.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';

export interface CommandContext {
  deployment: Deployment;
  output: Output;
  /** Who asks, for the audit: `--requested-by`, else the user of the shell. */
  requestedBy: string;
  /** `--yes`: apply without asking. `--no-input`: never ask; without --yes the command refuses. */
  yes: boolean;
  input: boolean;
  /** Asks on stderr, reads one line; false without a terminal. */
  confirm(question: string): Promise<boolean>;
}

/** Adds one command to the program; `run` gives the context of the call and sets the exit code from its answer. */
export type RegisterCommand = (
  program: Command,
  run: (command: Command, action: (context: CommandContext) => Promise<ExitCode>) => Promise<void>,
) => void;

/** Codes of our own errors that mean "refused", not "bad input". */
const REFUSED =
  /^(PLAN_STALE|PLAN_|REPLAY_RUNNING|RECOVERY_RUNNING|APPROVAL_|ROUNDS_EXHAUSTED|CONFIRMATION_REQUIRED|LEASE_HELD|CONSUMER_BEING_RECOVERED|VERIFICATION_)/;

export function exitCodeOf(error: unknown): ExitCode {
  if (isEventRecoveryError(error)) {
    if (error.code === 'FUNCTION_FAILED' || error.code.startsWith('LOCAL_')) return EXIT.unreachable;
    if (REFUSED.test(error.code)) return EXIT.refused;
    return error.retryable ? EXIT.unreachable : EXIT.usage;
  }
  // SDK and network errors have `$metadata` or a system error code; an SDK that was told no region has neither.
  const { $metadata, code, name, message } = (error ?? {}) as Partial<Error> & { $metadata?: unknown; code?: unknown };
  const isUnconfigured = name === 'CredentialsProviderError' || message === 'Region is missing';
  return $metadata !== undefined || code !== undefined || isUnconfigured ? EXIT.unreachable : EXIT.internal;
}

/** Asks before something is changed. @returns true when the user agreed, or said `--yes` */
export async function agreed(context: CommandContext, question: string): Promise<boolean> {
  if (context.yes) return true;
  return context.input && !context.output.json && context.confirm(question);
}
