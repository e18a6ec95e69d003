// Evidence is what was measured; a finding is what it means and what would help.

/** What each look at the system saw. Absent = was not looked at (which is not the same as "is well"). */
export interface Evidence {
  /** Milliseconds since 1970: when it was collected. */
  at: number;
  consumers: ConsumerEvidence[];
  relay?: {
    /** Age of the oldest unread record of the DynamoDB stream. */
    iteratorAgeMs?: number;
    mappingState?: string;
    mappingId?: string;
    errors?: number;
    throttles?: number;
    /** Stored commits beyond the directory, from a sample or a scrub. */
    unsequencedCommits?: number;
    /** Batches that its event source mapping gave up on in the last minutes. */
    failedBatches?: number;
  };
  bus?: {
    /** PutEvents entries that failed. */
    failedEntries?: number;
  };
  /** Requests that DynamoDB refused for want of capacity, over all tables. */
  tables?: { throttles: number };
  integrity?: Integrity;
  /** Of schedules and of our own functions; only those that hold messages. */
  deadLetterQueues?: { queue: string; depth: number }[];
  /** What AWS did not answer: nobody knows whether it is well. */
  unanswered?: readonly string[];
}

export interface Integrity {
  damagedStreams: DamagedStream[];
  /** What the verification says about pages and order of the log. */
  logDamage?: number;
  /** Findings of the scrub that are open and that the verification, which has read everything, does not confirm. */
  unconfirmed?: { kind: string; streamId: string }[];
  /** Open findings of the scrub about the log or the directory. */
  logFindings?: { kind: string; streamId: string }[];
  /** By consumer: effects that its own verify() calls wrong, and looks that failed. */
  effects?: { consumer: string; wrong: number; failed: number; streamIds: string[] }[];
}

export interface DamagedStream {
  streamId: string;
  /** Versions that are missing or whose hash is broken. */
  kind:
    | 'missing-commit'
    | 'hash-mismatch'
    | 'truncated-stream'
    | 'fork'
    | 'rewritten-history'
    | 'unsequenced-commit'
    /** The stream directory does not say how far the log has sequenced it. */
    | 'directory-mismatch'
    | 'checkpoint-beyond-head';
  version: number;
}

export interface ConsumerEvidence {
  consumer: string;
  /** Events that nothing will deliver any more, by the gap scan. */
  gapEvents?: number;
  gapStreams?: number;
  oldestGapMs?: number;
  lagEvents?: number;
  lagSeconds?: number;
  parkedStreams?: number;
  /** Open dead letters, grouped. */
  deadLetters?: { fingerprint: string; count: number; errorName: string; rounds: number; newestAt: number }[];
  queue?: { visible: number; inFlight: number };
  /** Age of the oldest message that waits for it. */
  oldestMessageSeconds?: number;
  /** Messages in its dead-letter queue that the intake has not taken. */
  deadLetterQueueDepth?: number;
  /** Of its rule: messages that wait in the queue of what could not be delivered; deliveries of the last minutes that failed for good, and that went into that queue. */
  undelivered?: { waiting: number; failed: number; sent: number };
  mappingState?: string;
  mappingId?: string;
  /** Of the rule of the bus that is disabled, or the first one. */
  ruleState?: string;
  ruleName?: string;
  busName?: string;
  functionState?: { errors?: number; throttles?: number; invocations?: number };
  backfillWaiting?: boolean;
  /** The gap scan could not say: the log's own lag is above its bound. */
  unknown?: boolean;
  /** No gap scan of it has ended in time. */
  unscanned?: boolean;
}

export type Cause =
  | 'data-corruption'
  | 'truncated-stream'
  | 'unsequenced-commits'
  | 'checkpoint-beyond-head'
  | 'relay-down'
  | 'relay-behind'
  | 'relay-failing'
  | 'bus-unreachable'
  | 'broker-down'
  | 'delivery-lost'
  | 'consumer-down'
  | 'consumer-failing'
  | 'throttled'
  | 'poison-message'
  | 'behind'
  | 'backfill-waiting'
  | 'consumer-slow'
  | 'dead-letters-waiting'
  | 'log-damaged'
  | 'scrub-finding-open'
  | 'effect-wrong'
  | 'unknown';

export type ProposedAction =
  | 'restore'
  | 'repair-relay'
  | 'enable-mapping'
  | 'enable-rule'
  | 'fill-gaps'
  | 'resume'
  | 'redrive'
  | 'replay'
  | 'wait'
  /** A person looks; the verification at the end says whether it is well. */
  | 'inspect'
  | 'escalate';

export interface Finding {
  /** Stable for the same problem: cause, consumer and what identifies it, not its numbers. */
  id: string;
  cause: Cause;
  consumer?: string;
  severity: 'critical' | 'high' | 'medium' | 'low';
  /** 0 to 1: how sure the evidence makes us. */
  confidence: number;
  action: ProposedAction;
  /** One sentence with the numbers. */
  explanation: string;
  /** What an action needs: stream ids, fingerprints. */
  facts: Record<string, unknown>;
}
