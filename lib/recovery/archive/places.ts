// Where what lies in the archive bucket. Permissions name the same prefixes.

/** Exports: `archive/AWSDynamoDB/<export id>/...` and `archive/AWSDynamoDB/data/...`. Written by DynamoDB. */
export const ARCHIVE_PREFIX = 'archive';
/** Copies that a restore has found: `restore/<restore id>/copies-<n>.jsonl`. */
export const RESTORE_PREFIX = 'restore';
/** Items that a restore has overwritten or removed: `quarantine/<restore id>/<stream hash>/<version>-<digest>.json`. */
export const QUARANTINE_PREFIX = 'quarantine';
