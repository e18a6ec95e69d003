// What a scrub finds: which versions of which stream are not what was appended, or which place of the log or the directory
// does not say what the store holds. Restore, diagnosis and the bus read this shape. No bodies, so that it may be logged.

/**
 * The store (restored from the archive):
 * - `missing-commit`: nothing holds these versions, and the stream goes on after them.
 * - `truncated-stream`: the stream ends before versions that were sequenced; all of a stream can be gone.
 * - `hash-mismatch`: what is stored under this key is not what its hash was made of: changed, or copied from elsewhere.
 * - `foreign-item`: an item under a key that no commit can have: a version below 1 or inside another commit.
 * - `rewritten-history`: a commit that is whole in itself, but not the one that was sequenced at these versions.
 * - `fork`: a commit that is whole in itself, but does not follow the one before it.
 * - `time-order`: a commit that was recorded before the one before it.
 *
 * The log and the stream directory (written by the relay from the store):
 * - `unsequenced-commit`: stored, and never reached the log: the relay is woken up for it.
 * - `log-page-missing`: positions that no page holds.
 * - `log-page-damaged`: a page that cannot be read, or that is not under its own key.
 * - `log-mismatch`: an entry that differs from the commit that it names.
 * - `directory-missing`: the log knows the stream, its directory does not.
 * - `directory-mismatch`: the directory's head is not what log and store say.
 */
export const DAMAGE_KINDS = [
  'missing-commit',
  'truncated-stream',
  'hash-mismatch',
  'foreign-item',
  'rewritten-history',
  'fork',
  'time-order',
  'unsequenced-commit',
  'log-page-missing',
  'log-page-damaged',
  'log-mismatch',
  'directory-missing',
  'directory-mismatch',
] as const;
export type DamageKind = (typeof DAMAGE_KINDS)[number];

/** Kinds that a restore can repair: commits of the store. */
export const STORE_DAMAGE: readonly DamageKind[] = [
  'missing-commit',
  'truncated-stream',
  'hash-mismatch',
  'foreign-item',
  'rewritten-history',
  'fork',
  'time-order',
];

/** Stands for the stream of damage that belongs to no single one: `from` and `to` are then positions of the log. */
export const WHOLE_LOG = '$all';

export interface Damage {
  kind: DamageKind;
  streamId: string;
  /**
   * First and last version that are not as they should be, both included. For `WHOLE_LOG`: positions. 0 where no version is
   * meant: the directory item, or an item under a key that is no version.
   */
  from: number;
  to: number;
  /** Hash that a commit at `from` (of a missing range: at its end) must have: 64 hex digits, or the log's first 16. */
  expectedHash?: string;
  /** What the stored `hash` says, or what the stored bytes give: see `detail`. */
  foundHash?: string;
  /** One sentence: what was expected, what is there. */
  detail: string;
  /** What was looked at, as numbers and short texts: positions, the directory's head, the name of the bad attribute. */
  evidence: Readonly<Record<string, string | number | boolean>>;
}

export type FindingStatus =
  /** As it was found. */
  | 'open'
  /** A later look found nothing wrong there. */
  | 'repaired';

/** Row of the Recovery table (`finding` / `id`). */
export interface Finding extends Damage {
  /** The same damage has the same id: 40 hex digits over kind, stream, `from` and the key of a foreign item. */
  id: string;
  source: 'scrub';
  status: FindingStatus;
  /** Milliseconds since 1970. */
  firstSeenAt: number;
  lastSeenAt: number;
  /** Looks that met it. */
  seen: number;
  repairedAt?: number;
  /** When the bus was told. */
  announcedAt?: number;
  /** When the relay was woken up for it (`unsequenced-commit`). */
  handedOverAt?: number;
}

/** `detail` of the bus entry that tells the recovery. Source: `RECOVERY_SOURCE`, detail-type: `DAMAGE_FOUND`. */
export interface DamageFound {
  format: number;
  /** When it was found, milliseconds since 1970. */
  scrubbedAt: number;
  /** Findings that are announced with this entry. */
  findings: number;
  /** How many of each kind. */
  kinds: Partial<Record<DamageKind, number>>;
  /** The first few; all of them are rows of the Recovery table. */
  listed: Pick<Finding, 'id' | 'kind' | 'streamId' | 'from' | 'to'>[];
}
