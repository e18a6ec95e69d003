// The archive: a chain of exports of the Events table in S3, a full one as its beginning, then incremental ones, each from
// where the one before ended. Rows in the Recovery table say what it covers; the files are AWS's own format.

/** One export of the chain that has completed. */
export interface ArchivedExport {
  kind: 'full' | 'incremental';
  exportArn: string;
  /** Key of its manifest-summary.json. */
  manifestKey: string;
  /** Milliseconds since 1970, whole seconds. A full export holds the state at `to`; an incremental one from <= t < to. */
  from: number;
  to: number;
  items?: number;
  completedAt: number;
}

/** An export that was decided on; `exportArn` is there as soon as DynamoDB has answered. */
export interface PendingExport {
  kind: 'full' | 'incremental';
  from: number;
  to: number;
  /** Makes a repeated request the same export. */
  clientToken: string;
  requestedAt: number;
  exportArn?: string;
  /** Asked for by somebody, beside the chain: what the chain covers does not change by it. */
  isExtra?: boolean;
}

export interface ArchiveState {
  /** Everything up to here is in the archive. Absent: there is no baseline yet. */
  coveredTo?: number;
  /** Beginning of the chain: the `to` of its full export. */
  baselineAt?: number;
  pending?: PendingExport;
  /** Tries of the window that is due, which failed. */
  failures: number;
  lastFailure?: string;
  /** Rises with every write: each is conditional on the one that was read. */
  revision: number;
  updatedAt: number;
}

export interface ArchiveRows {
  state(): Promise<ArchiveState>;
  /** False: somebody else wrote first; read again. Completed exports are put in the same transaction. */
  save(state: ArchiveState, seenRevision: number, completed?: ArchivedExport): Promise<boolean>;
  /** Completed exports, newest first. */
  exports(): AsyncIterable<ArchivedExport>;
}

export type ExportStatus =
  | { kind: 'in-progress' }
  | { kind: 'completed'; manifestKey: string; items?: number }
  | { kind: 'failed'; reason: string };

/** Exports of one table to one place in S3. */
export interface TableExports {
  /** @throws EventRecoveryError `EXPORT_REFUSED` when the request can never succeed as it is */
  start(order: Pick<PendingExport, 'kind' | 'from' | 'to' | 'clientToken'>): Promise<string>;
  describe(exportArn: string): Promise<ExportStatus>;
  /** What can be exported and restored; undefined: point-in-time recovery is off. */
  window(): Promise<{ earliest: number; latest: number } | undefined>;
}
