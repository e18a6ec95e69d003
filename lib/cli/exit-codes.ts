// The exit codes of every command, in one place. Scripts may rely on them.

export const EXIT = {
  /** Done; nothing is wrong. */
  ok: 0,
  /** The command ran, and what it looked at is not well: gaps found, a drill failed, a verification failed. */
  findings: 1,
  /** Bad input: unknown option, refused value, contradictory selection. Nothing was written. */
  usage: 2,
  /** Refused: it needs `--yes`, an approval, another plan, or somebody else is at work. Nothing was written. */
  refused: 3,
  /** AWS (or the local system) could not be reached or refused the credentials. Try again. */
  unreachable: 4,
  /** A bug of ours. */
  internal: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
