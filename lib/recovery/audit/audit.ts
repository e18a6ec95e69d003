// The audit trail: who asked for what, when, why, and what came of it. `requestedBy` is what the caller claims; the
// request id joins the row to CloudTrail, which knows who really called. Rows are put once and never changed.

import type { World } from '../../platform/clock.ts';
import type { Dynamo, Write } from '../../platform/dynamodb/port.ts';

const FORMAT = 1;

export interface AuditEntry {
  /** Verb of the operation, for example `redrive` or `discard`. */
  action: string;
  requestedBy: string;
  reason: string;
  /** Id of the invocation that did it, as CloudTrail and the function's log show it. */
  requestId: string;
  /** What it was asked to do, as given. */
  input: Record<string, unknown>;
  /** What came of it: counts, ids, an error code. */
  outcome: Record<string, unknown>;
}

export interface AuditRecord extends AuditEntry {
  at: number;
}

export interface Audit {
  record(entry: AuditEntry): Promise<void>;
  /** The same as a write, for a transaction with what it describes. */
  recordWrite(entry: AuditEntry): Write;
  /** Entries of one UTC month (`2026-11`), newest first, at most `limit`. */
  list(month: string, limit: number): Promise<AuditRecord[]>;
}

const pad = (ms: number): string => String(ms).padStart(16, '0');

export function createAudit({
  dynamo,
  table,
  world,
}: {
  dynamo: Dynamo;
  table: string;
  world: Pick<World, 'clock' | 'ids'>;
}): Audit {
  const itemOf = (entry: AuditEntry) => {
    const at = world.clock.now();
    const month = new Date(at).toISOString().slice(0, 7);
    return { pk: `audit#${month}`, sk: `${pad(at)}#${world.ids.next()}`, at, ...entry, format: FORMAT };
  };
  const neverBefore = 'attribute_not_exists(pk)';
  return {
    async record(entry) {
      await dynamo.put({ TableName: table, Item: itemOf(entry), ConditionExpression: neverBefore });
    },
    recordWrite: (entry) => ({ Put: { TableName: table, Item: itemOf(entry), ConditionExpression: neverBefore } }),
    async list(month, limit) {
      const { Items = [] } = await dynamo.query({
        TableName: table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': `audit#${month}` },
        ScanIndexForward: false,
        Limit: limit,
      });
      return Items.map(({ pk: _pk, sk: _sk, format: _format, ...record }) => record as AuditRecord);
    },
  };
}
