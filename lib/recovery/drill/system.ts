// The system that a drill runs against, as the drill sees it. The local system is one; a deployment in AWS can be
// another, without processes to kill.

import type { EventStore } from '../../flow/event-store/port.ts';
import type { RecoveryRun, RunRecoveryOptions } from '../recover/run-recovery.ts';
import type { Faults } from './faults.ts';

export interface QueueDepth {
  name: string;
  url: string;
  /** Messages rest here: other queues' dead letters, or what no function reads. */
  isDeadLetterQueue: boolean;
  waiting: number;
  inFlight: number;
  delayed: number;
}

export interface DrillSystem {
  eventStore: EventStore;
  /** Outputs of all stacks. */
  outputs: Readonly<Record<string, string>>;
  /** Configuration for the drill's own SDK clients. */
  clientConfig: { endpoint?: string; region?: string; credentials?: { accessKeyId: string; secretAccessKey: string } };
  faults: Faults;
  /** SIGKILL of every process of a function. Returns how many there were. */
  kill(functionName: string): number;
  /** Invokes and waits for the answer. @throws EventRecoveryError when the function fails */
  invoke(functionName: string, payload: unknown): Promise<unknown>;
  /**
   * Starts the recovery's state machine (docs/operations/recover.md has the input) and waits for its report, whatever its
   * result is. @throws EventRecoveryError `RECOVERY_FAILED` when there is none: the input was refused, another one runs
   */
  recover(input: unknown, options?: RunRecoveryOptions): Promise<RecoveryRun>;
  /** Invocations of a function that were cut off although nobody asked for it: timeouts, crashes, reacts aborted at the deadline. */
  unplannedEnds(functionName: string): number;
  queues(): Promise<QueueDepth[]>;
  /** Invocations, deliveries and retries that are under way. */
  inFlight(): number;
}
