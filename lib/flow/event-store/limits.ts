// The limits of the event store, each with where it comes from. Everything that is checked against them is checked before
// anything is written.

/** Developer Guide, "Quotas in Amazon DynamoDB": an item has at most 400 KB, attribute names included. */
export const COMMIT_MAX_BYTES = 409_600;
/** A page of the log must hold the types of a whole commit (`lib/flow/log/pages.ts` has the arithmetic). */
export const COMMIT_MAX_EVENTS = 1_000;
/**
 * Text of a commit's events before Brotli, in UTF-8 bytes: 16 MiB. It bounds what a reader must unpack for one item: a Lambda
 * function of 512 MB holds text and events of several such commits.
 */
export const COMMIT_MAX_TEXT_BYTES = 16 * 1024 * 1024;
/** jq 1.6 reads JSON up to 256 levels deep (src/jv_parse.c); the list of events, the event and its item take the rest. */
export const DATA_MAX_DEPTH = 250;
/** Bytes of a correlation or causation id: an X-Ray trace header with all its parts has about 120. */
export const TRACING_ID_MAX_BYTES = 256;
/** Most events of one `readAll`. */
export const READ_ALL_MAX_EVENTS = 1_000;
/** DynamoDB counts writes in units of 1 KB (Developer Guide, "DynamoDB read and write operations"). */
export const WRITE_UNIT_BYTES = 1_024;
