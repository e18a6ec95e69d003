// Side tables: the Events table as it was at a past second, made by DynamoDB beside the live one. Only tables that carry this
// deployment's prefix AND that DynamoDB says were restored from its Events table are read or dropped.

import {
  DeleteTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  RestoreTableToPointInTimeCommand,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { EventRecoveryError } from '../../model/errors.ts';
import { continuousBackups } from '../archive/table-exports.ts';

/** Restores name their tables `<events table>-restore-<id>`; IAM allows no other names. */
export const sideTableName = (eventsTable: string, id: string): string => `${eventsTable}-restore-${id}`;

/** Between two looks at a side table that is being made or dropped. */
export const SIDE_TABLE_POLL_MS = 2_000;

export interface PointInTime {
  /** Undefined: point-in-time recovery is off. Milliseconds since 1970. */
  window(): Promise<{ earliest: number; latest: number } | undefined>;
  /** Begins to make the side table; one that exists already is left to itself. */
  restore(sideTable: string, to: number): Promise<void>;
  /** @throws EventRecoveryError `NOT_A_SIDE_TABLE` */
  state(sideTable: string): Promise<'absent' | 'creating' | 'ready' | 'deleting'>;
  /** @throws EventRecoveryError `NOT_A_SIDE_TABLE` */
  drop(sideTable: string): Promise<void>;
}

export interface PointInTimeOptions {
  client: Pick<DynamoDBClient, 'send'>;
  eventsTable: string;
}

export function createPointInTime({ client, eventsTable }: PointInTimeOptions): PointInTime {
  async function describe(sideTable: string): Promise<TableDescription | undefined> {
    if (!sideTable.startsWith(sideTableName(eventsTable, ''))) throw notOurs(sideTable, 'it has another name');
    let table: TableDescription | undefined;
    try {
      table = (await client.send(new DescribeTableCommand({ TableName: sideTable }))).Table;
    } catch (error) {
      if ((error as Error).name === 'ResourceNotFoundException') return undefined;
      throw error;
    }
    const source = table?.RestoreSummary?.SourceTableArn;
    if (source?.endsWith(`:table/${eventsTable}`)) return table;
    throw notOurs(sideTable, `it was restored from ${source ?? 'nothing'}`);
  }

  return {
    window: () => continuousBackups(client, eventsTable),
    async restore(sideTable, to) {
      try {
        await client.send(
          new RestoreTableToPointInTimeCommand({
            SourceTableName: eventsTable,
            TargetTableName: sideTable,
            RestoreDateTime: new Date(to),
            BillingModeOverride: 'PAY_PER_REQUEST',
          }),
        );
      } catch (error) {
        // One that was asked for already; the other name is for a table that is being made or dropped at this moment.
        if (['TableAlreadyExistsException', 'TableInUseException'].includes((error as Error).name)) return;
        throw asOurs(error as Error, to);
      }
    },
    async state(sideTable) {
      const table = await describe(sideTable);
      if (table === undefined) return 'absent';
      if (table.TableStatus === 'DELETING') return 'deleting';
      return table.TableStatus === 'ACTIVE' && table.RestoreSummary?.RestoreInProgress !== true ? 'ready' : 'creating';
    },
    async drop(sideTable) {
      if ((await describe(sideTable)) === undefined) return;
      try {
        await client.send(new DeleteTableCommand({ TableName: sideTable }));
      } catch (error) {
        if (!['ResourceNotFoundException', 'ResourceInUseException'].includes((error as Error).name)) throw error;
      }
    },
  };
}

/** What another try cannot help against has a code; everything else stays as it is, and is tried again. */
function asOurs(error: Error, to: number): Error {
  const { name, message } = error;
  const facts = { to, awsError: name };
  if (name === 'InvalidRestoreTimeException') {
    return new EventRecoveryError(
      'RESTORE_TIME_OUTSIDE_WINDOW',
      `DynamoDB cannot restore to ${new Date(to).toISOString()}: ${message}; remedy: plan again with another restoreTo`,
      { facts, cause: error },
    );
  }
  if (name === 'PointInTimeRecoveryUnavailableException') {
    return new EventRecoveryError(
      'POINT_IN_TIME_RECOVERY_OFF',
      `the Events table has no point-in-time recovery: ${message}; remedy: switch it on, and plan from the archive what was lost before`,
      { facts, cause: error },
    );
  }
  if (name === 'AccessDeniedException') {
    return new EventRecoveryError(
      'RESTORE_NOT_ALLOWED',
      `the function may not restore the Events table: ${message}; remedy: give the permission back, then apply the plan again`,
      { facts, cause: error },
    );
  }
  return error;
}

const notOurs = (sideTable: string, why: string): EventRecoveryError =>
  new EventRecoveryError(
    'NOT_A_SIDE_TABLE',
    `table ${sideTable} is not touched: ${why}; remedy: drop it by hand when it is not needed`,
    { facts: { sideTable, why } },
  );
