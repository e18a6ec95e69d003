// What the local system and the keeper of its DynamoDB Local say to each other.

export type ToKeeper =
  | { kind: 'signal'; signal: 'SIGSTOP' | 'SIGCONT' }
  /** Kills it and starts it again `downMs` after it ended. */
  | { kind: 'restart'; downMs: number };

export type FromKeeper =
  | { kind: 'failed'; message: string }
  /** The new process was started; whether it answers already, nobody knows. */
  | { kind: 'restarted' };
