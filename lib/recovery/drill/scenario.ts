// A scenario is a small module: a name, a sentence, and a function that injects and appends. Waiting for quiet, the
// verdict and the cleaning up are the runner's.

import type { DrillContext } from './context.ts';
import type { RecoveryResult, Wanted } from './judge-recoveries.ts';
import type { ConsumerVerdict } from './verdict.ts';

export interface Scenario {
  name: string;
  /** One sentence for `--list`. */
  summary: string;
  /** Events to append when nobody says how many. @default 400: four streams of a hundred */
  events?: number;
  /**
   * Injects and appends. When it asks for no recovery itself, the runner does when everything is quiet: one that is told
   * nothing, repairs what its diagnosis finds, and verifies.
   */
  run(context: DrillContext): Promise<void>;
  /** Causes that the diagnosis must name. @default none: what is injected heals by itself */
  finds?: readonly Wanted[];
  /** Looks at what only shows when everything is quiet. */
  verify?(context: DrillContext): Promise<void> | void;
  /** Dead-letter queues may hold messages afterwards. @default false */
  allowsDeadLetters?: boolean;
  /** Streams may be parked afterwards; their events do not count as lost. @default false */
  allowsParked?: boolean;
}

export interface KillResult {
  consumer: string;
  streamId: string;
  version: number;
  when: 'before' | 'after';
  /** Version of the first effect after the kill; null when there was none. */
  resumedAt: number | null;
}

export interface ConsumerResult extends Omit<ConsumerVerdict, 'lostEvents'> {
  resolved: number;
  parked: number;
}

/** One element of `scenarios` in the JSON output. Stable. */
export interface ScenarioResult {
  name: string;
  ok: boolean;
  input: string;
  seed: number;
  streams: number;
  appended: number;
  /** Events at or below the checkpoint of every consumer. */
  resolved: number;
  parked: number;
  lost: number;
  doubled: number;
  repeated: number;
  reordered: number;
  seconds: number;
  deadLetters: number;
  kills: KillResult[];
  consumers: ConsumerResult[];
  /** Each has a report. */
  recoveries: RecoveryResult[];
  problems: string[];
  /** What the scenario itself measured. */
  facts: Record<string, unknown>;
}

export interface DrillReport {
  ok: boolean;
  scenarios: ScenarioResult[];
}
