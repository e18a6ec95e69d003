// The faults that a drill injects, as an interface: the local system implements it, so that scenarios know neither
// processes nor proxies. A fault aims at calls that a deployed function makes to AWS, or at deliveries of the bus;
// product code holds no hooks for it.

/** Which calls a fault aims at. All given fields must match. */
export interface CallMatch {
  /** Physical name, logical id, construct id or consumer name; whatever names exactly one function. */
  functionName: string;
  /** Service as in the SDK's package name without `client-`: `dynamodb`, `sqs`, `sns`, `s3`, `eventbridge`, `lambda`, `ssm`, `sfn`. */
  service: string;
  /** For example `TransactWriteItems`; several names: any of them. */
  operation: string | readonly string[];
  /** Looks into the request body (UTF-8). */
  match?: (bodyText: string) => boolean;
  /** Fires from the nth matching call on, 1-based. @default 1 */
  nth?: number;
  /** How often it fires; then it is spent. @default 1 */
  times?: number;
}

export interface FaultHandle {
  /** How often it fired so far. */
  readonly fired: number;
  /** Resolves when it fired at least `count` times. @throws when that takes longer than `timeoutMs` */
  whenFired(options?: { count?: number; timeoutMs?: number }): Promise<void>;
  /** Calls the listener at every firing, before anything else happens. */
  onFire(listener: () => void): void;
  remove(): void;
}

/** `before`: the request never reaches AWS. `after`: AWS did it, the caller never learns. */
export type When = 'before' | 'after';

export interface BusFault {
  /**
   * `drop`: the delivery is lost. `duplicate`: delivered twice. `delay`: delivered after a random time up to `maxDelayMs`.
   * `reorder`: deliveries are held in groups of `window` and handed over shuffled.
   */
  kind: 'drop' | 'duplicate' | 'delay' | 'reorder';
  /** Rule whose deliveries it aims at (any name of it). @default every rule with an event pattern */
  rule?: string;
  /** Share of deliveries, 0 to 1. @default 1 */
  rate?: number;
  /** Same seed, same choices. @default 1 */
  seed?: number;
  /** Only for `delay`. @default 1000 */
  maxDelayMs?: number;
  /** Only for `reorder`. @default 10 */
  window?: number;
  /** Most deliveries that it touches. @default no limit */
  times?: number;
}

export interface RecordFault {
  functionName: string;
  /** Looks into the record (JSON). */
  match: (recordText: string) => boolean;
}

/** One call that a function made, and how AWS answered, as the proxy saw it. */
export interface ObservedCall {
  /** True when AWS carried it out, whether or not the caller lived to learn it. */
  ok: boolean;
  functionName: string;
  pid: number;
  service: string;
  operation: string;
  bodyText: string;
  at: number;
  /** The same for every try that the SDK makes of one call: it tries again when an answer comes too late. */
  callId?: string;
}

export interface Faults {
  /**
   * SIGKILL of the very process that makes the call. `alone`: other calls of this operation by the same process are held
   * back and everything else of it finishes first, so that exactly one effect is cut off.
   */
  killOn(target: CallMatch & { when: When; alone?: boolean }): FaultHandle;
  /** The call fails with this error code, for example `ProvisionedThroughputExceededException`. */
  failOn(target: CallMatch & { when?: When; code: string; message?: string; status?: number }): FaultHandle;
  /** The call gets no answer at all. */
  dropOn(target: CallMatch & { when: When }): FaultHandle;
  delayOn(target: CallMatch & { when?: When; delayMs: number }): FaultHandle;
  bus(fault: BusFault): FaultHandle;
  /** Matching records of the DynamoDB stream never reach this function, as when they were trimmed before it read them. */
  loseRecords(fault: RecordFault): FaultHandle;
  /** Calls the listener with every matching call, when its answer has arrived. Changes nothing. */
  observe(target: Omit<CallMatch, 'nth' | 'times'>, listener: (call: ObservedCall) => void): FaultHandle;
  disableRule(rule: string): void;
  enableRule(rule: string): void;
  /** Runs a scheduled rule now. */
  triggerRule(rule: string): Promise<void>;
  /** Stops the event source mappings of a function: its queue or DynamoDB stream fills up. */
  pauseMappings(functionName: string): Promise<void>;
  resumeMappings(functionName: string): void;
  purgeQueue(queue: string): Promise<void>;
  /** Takes every fault back and resumes what was disabled or paused. */
  clear(): void;
}
