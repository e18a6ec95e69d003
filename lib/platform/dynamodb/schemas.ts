// The seven tables of docs/architecture.md as data. The CDK constructs, the memory engine and the tests are compared with it.

import type { IndexSchema, TableSchema } from './table-schema.ts';

const byField = (name: string, field: string, time = 'firstFailedAt'): IndexSchema => ({
  name,
  partitionKey: { name: field, type: 'S' },
  sortKey: { name: time, type: 'N' },
  projection: 'ALL',
});

const PK_AND_SK = {
  partitionKey: { name: 'pk', type: 'S' },
  sortKey: { name: 'sk', type: 'S' },
} as const;

/** One item per commit. The relay reads its DynamoDB stream. */
export const EVENTS_TABLE: TableSchema = {
  name: 'Events',
  partitionKey: { name: 'streamId', type: 'S' },
  sortKey: { name: 'version', type: 'N' },
  stream: 'NEW_IMAGE',
};

/** Pages, stream directory, incidents. */
export const LOG_TABLE: TableSchema = { name: 'Log', ...PK_AND_SK };

/** Checkpoints and the consumers' registry. */
export const CHECKPOINTS_TABLE: TableSchema = { name: 'Checkpoints', ...PK_AND_SK };

export const DEAD_LETTERS_TABLE: TableSchema = {
  name: 'DeadLetters',
  partitionKey: { name: 'id', type: 'S' },
  indexes: [
    byField('byConsumer', 'consumer'),
    byField('byType', 'eventType'),
    byField('byFingerprint', 'fingerprint'),
    byField('byStatus', 'status'),
    byField('byEvent', 'eventId'),
    // Sparse: a row leaves it when people were told.
    byField('byUntold', 'untold', 'lastFailedAt'),
  ],
};

export const IDEMPOTENCY_TABLE: TableSchema = {
  name: 'Idempotency',
  partitionKey: { name: 'key', type: 'S' },
  timeToLiveAttribute: 'expiresAt',
};

/** Folded states of streams: a cache. */
export const SNAPSHOTS_TABLE: TableSchema = {
  name: 'Snapshots',
  partitionKey: { name: 'streamId', type: 'S' },
  sortKey: { name: 'name', type: 'S' },
};

/** Open gaps, scans, plans, replays, findings, recoveries, audit. */
export const RECOVERY_TABLE: TableSchema = { name: 'Recovery', ...PK_AND_SK };

export const ALL_TABLES: readonly TableSchema[] = [
  EVENTS_TABLE,
  LOG_TABLE,
  CHECKPOINTS_TABLE,
  DEAD_LETTERS_TABLE,
  IDEMPOTENCY_TABLE,
  SNAPSHOTS_TABLE,
  RECOVERY_TABLE,
];
