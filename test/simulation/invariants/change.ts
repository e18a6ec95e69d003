// One item changed: what every check looks at. The changes of one transaction arrive together, causes before effects.

export type Item = Record<string, unknown>;

export interface Change {
  /** Logical name of the table. */
  table: string;
  before: Item | undefined;
  after: Item | undefined;
  /** Who sent the write; `ttl` for an expiry. */
  by: string;
}

/** Events, then what was given up, then effects (which follow both), then the checkpoints that rest on all of them. */
const TABLE_ORDER = ['Events', 'DeadLetters', 'Effects', 'Idempotency', 'Checkpoints', 'Log', 'Recovery'];

export const inOrderOfCause = (changes: readonly Change[]): Change[] =>
  [...changes].sort((left, right) => TABLE_ORDER.indexOf(left.table) - TABLE_ORDER.indexOf(right.table));
