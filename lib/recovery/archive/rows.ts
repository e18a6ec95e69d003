// Rows of the archive in the Recovery table: its state (`archive` / `state`) and one row for each completed export
// (`archive#exports` / `<padded end>#<kind>#<export id>`).

import { cancellation } from '../../platform/dynamodb/failures.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo, Write } from '../../platform/dynamodb/port.ts';
import type { ArchivedExport, ArchiveRows, ArchiveState } from './port.ts';

const FORMAT = 1;
const STATE_KEY = { pk: 'archive', sk: 'state' };
const EXPORTS = 'archive#exports';
const DIGITS = 16;

export function createArchiveRows({ dynamo, table }: { dynamo: Dynamo; table: string }): ArchiveRows {
  return {
    async state() {
      const { Item } = await dynamo.get({ TableName: table, Key: STATE_KEY, ConsistentRead: true });
      if (Item === undefined) return { failures: 0, revision: 0, updatedAt: 0 };
      const { pk: _pk, sk: _sk, format: _format, ...state } = Item;
      return state as unknown as ArchiveState;
    },

    async save(state, seenRevision, completed) {
      const isAsSeen = seenRevision === 0 ? 'attribute_not_exists(pk)' : '#revision = :seen';
      const writes: Write[] = [
        {
          Put: {
            TableName: table,
            Item: { ...STATE_KEY, ...state, revision: seenRevision + 1, format: FORMAT },
            ConditionExpression: isAsSeen,
            ...(seenRevision > 0 && {
              ExpressionAttributeNames: { '#revision': 'revision' },
              ExpressionAttributeValues: { ':seen': seenRevision },
            }),
          },
        },
      ];
      if (completed !== undefined) {
        // An extra export may end in the same second as one of the chain: the export's own id tells them apart.
        const id = completed.exportArn.slice(completed.exportArn.lastIndexOf('/') + 1);
        const sk = `${String(completed.to).padStart(DIGITS, '0')}#${completed.kind}#${id}`;
        const neverBefore = 'attribute_not_exists(pk)';
        const Item = { pk: EXPORTS, sk, ...completed, format: FORMAT };
        writes.push({ Put: { TableName: table, Item, ConditionExpression: neverBefore } });
      }
      try {
        await dynamo.transactWrite({ TransactItems: writes });
        return true;
      } catch (error) {
        if (cancellation(error)?.kind === 'refused') return false;
        throw error;
      }
    },

    async *exports() {
      for await (const item of queryAll(dynamo, {
        TableName: table,
        KeyConditionExpression: 'pk = :exports',
        ExpressionAttributeValues: { ':exports': EXPORTS },
        ScanIndexForward: false,
        ConsistentRead: true,
      })) {
        const { pk: _pk, sk: _sk, format: _format, ...archived } = item;
        yield archived as unknown as ArchivedExport;
      }
    },
  };
}
