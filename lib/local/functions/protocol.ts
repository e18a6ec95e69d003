// The messages between the local system and the child process of one Lambda execution environment.

/** To the process: run one invocation. */
export interface InvokeMessage {
  requestId: string;
  /** The event as JSON. */
  payload: string;
  /** Milliseconds since 1970 at which the process will be killed. */
  deadlineMs: number;
}

export interface FunctionError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

/** From the process. `failed` without `requestId`: the process is about to end itself. */
export type FromProcess =
  | { kind: 'ready' }
  | { kind: 'init-failed'; error: FunctionError }
  | { kind: 'done'; requestId: string; payload: string }
  | { kind: 'failed'; requestId?: string; error: FunctionError };
