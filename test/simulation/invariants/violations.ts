// What can be wrong, by name, and where it is collected. The first violation of a run ends it: what follows one is noise.

export type ViolationKind =
  // The store.
  | 'lost-append'
  | 'invented-event'
  | 'event-stored-twice'
  | 'history-rewritten'
  | 'stream-hole'
  | 'broken-hash-chain'
  | 'recorded-at-decreases'
  // The log.
  | 'log-hole'
  | 'log-out-of-stream-order'
  | 'log-rewritten'
  | 'directory-wrong'
  | 'unsequenced-event'
  | 'false-incident'
  // Effects.
  | 'effect-doubled'
  | 'effect-repeated'
  | 'effect-out-of-order'
  | 'effect-unwanted'
  // Checkpoints.
  | 'checkpoint-past-unresolved'
  | 'checkpoint-backwards'
  | 'checkpoint-past-head'
  | 'wrong-digest'
  | 'wrong-count'
  | 'lease-stolen'
  | 'token-reused'
  | 'write-without-lease'
  // Dead letters.
  | 'parked-without-dead-letter'
  | 'innocent-parked'
  | 'dead-letter-lost'
  | 'wanted-left-behind'
  | 'gap-left-open'
  // Messages and tries.
  | 'acknowledged-without-trace'
  | 'nobody-comes'
  | 'marker-not-completed'
  | 'tries-without-end'
  // The scrub.
  | 'false-damage'
  | 'damage-left-open'
  // Snapshots.
  | 'snapshot-wrong'
  // The recovery.
  | 'recovery-wrong'
  // The verifier.
  | 'verify-wrong'
  | 'message-not-understood'
  // The end of a run.
  | 'not-quiet'
  | 'lost-event'
  | 'unhandled-rejection'
  | 'defect'
  | 'too-many-steps';

export interface Violation {
  kind: ViolationKind;
  detail: string;
  /** Milliseconds since the start of the run. */
  atMs: number;
}

export interface Violations {
  report(kind: ViolationKind, detail: string): void;
  readonly first: Violation | undefined;
}

export function createViolations(elapsedMs: () => number, onFirst: (violation: Violation) => void): Violations {
  let first: Violation | undefined;
  return {
    report: (kind, detail) => {
      if (first !== undefined) return;
      first = { kind, detail, atMs: elapsedMs() };
      onFirst(first);
    },
    get first() {
      return first;
    },
  };
}
