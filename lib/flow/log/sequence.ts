// The one write of the log: TransactWriteItems with the page at head + 1 and the directory item of each of its streams,
// each with its condition. Either everything moves or nothing does. A page that is already there is recognised as our
// own by its id, so that a lost response is not taken for a lost race; nothing depends on the SDK's request token.

import { EventRecoveryError } from '../../model/errors.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import { directoryKey, pageKey } from './keys.ts';
import { encodePage, PAGE_FORMAT, placeEntries } from './pages.ts';
import type { DirectoryEntry, Log, LogPage, SequenceResult } from './port.ts';
import { backoffMs, isTransient, TRIES, withRetries } from './retry.ts';
import type { LogTable } from './table.ts';

export type SequenceInput = Parameters<Log['sequence']>[0];

export async function sequencePage(table: LogTable, input: SequenceInput): Promise<SequenceResult> {
  const page = placeEntries(input);
  const pageId = table.world.ids.next();
  const TransactItems = [pageWrite(table, page, pageId), ...directoryWrites(table, page, input.expected)];
  for (let tries = 1; ; tries += 1) {
    try {
      await table.dynamo.transactWrite({ TransactItems });
      return { kind: 'sequenced', page };
    } catch (error) {
      const answer = readCancellation(error);
      if (answer.kind === 'refused') {
        const winner = answer.pageId ?? (await storedPageId(table, page));
        return winner === pageId ? { kind: 'sequenced', page } : { kind: 'lost-race' };
      }
      const again = answer.kind === 'busy' || (answer.kind === 'other' && isTransient(error));
      if (!again) throw error;
      if (tries >= TRIES) throw busy(page, error);
      await table.world.timers.sleep(backoffMs(tries, table.world.random));
    }
  }
}

function pageWrite(table: LogTable, page: LogPage, pageId: string): Write {
  const noPageThere = 'attribute_not_exists(#pk)';
  return {
    Put: {
      TableName: table.logTable,
      Item: { ...pageKey(page.firstPosition), ...encodePage(page), pageId },
      ConditionExpression: noPageThere,
      ExpressionAttributeNames: { '#pk': 'pk' },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

function directoryWrites(table: LogTable, page: LogPage, expected: SequenceInput['expected']): Write[] {
  const heads = new Map<string, DirectoryEntry>();
  for (const entry of page.entries) {
    heads.set(entry.streamId, {
      streamId: entry.streamId,
      version: (entry.version + entry.count - 1) as DirectoryEntry['version'],
      position: entry.position,
      hashPrefix: entry.hashPrefix,
      updatedAt: page.sequencedAt,
    });
  }
  return [...heads.values()].map(({ streamId, ...head }): Write => {
    const before = expected.get(streamId);
    const streamIsNew = 'attribute_not_exists(#version)';
    const streamIsWhereExpected = '#version = :expected';
    return {
      Put: {
        TableName: table.logTable,
        Item: { ...directoryKey(streamId), ...head, format: PAGE_FORMAT },
        ConditionExpression: before === undefined ? streamIsNew : streamIsWhereExpected,
        ExpressionAttributeNames: { '#version': 'version' },
        ...(before === undefined ? {} : { ExpressionAttributeValues: { ':expected': before.version } }),
      },
    };
  });
}

type Cancellation =
  /** A condition did not hold. `pageId` = id of the page that is there, when the answer carried it. */
  | { kind: 'refused'; pageId?: string }
  /** Another transaction held an item, or capacity was short. */
  | { kind: 'busy' }
  /** A reason that another try does not change. */
  | { kind: 'final' }
  | { kind: 'other' };

const BUSY = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

function readCancellation(error: unknown): Cancellation {
  const { name, CancellationReasons } = error as {
    name?: string;
    CancellationReasons?: { Code?: string; Item?: Record<string, unknown> }[];
  };
  if (name !== 'TransactionCanceledException') return { kind: 'other' };
  const reasons = CancellationReasons ?? [];
  if (reasons.some(({ Code }) => Code === 'ConditionalCheckFailed')) {
    const pageId = plainText(reasons[0]?.Item?.pageId);
    return pageId === undefined ? { kind: 'refused' } : { kind: 'refused', pageId };
  }
  // Reasons may be absent (a proxy, an old client): treated as busy, the next try tells.
  const allBusy = reasons.every(({ Code = 'None' }) => Code === 'None' || BUSY.has(Code));
  return { kind: allBusy ? 'busy' : 'final' };
}

/** The document client leaves items inside errors in AttributeValue form. */
const plainText = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : (value as { S?: string } | undefined)?.S;

async function storedPageId(table: LogTable, page: LogPage): Promise<string | undefined> {
  const { Item } = await withRetries(table.world, () =>
    table.dynamo.get({
      TableName: table.logTable,
      Key: { ...pageKey(page.firstPosition) },
      ProjectionExpression: 'pageId',
      ConsistentRead: true,
    }),
  );
  return Item?.pageId as string | undefined;
}

const busy = (page: LogPage, cause: unknown): EventRecoveryError =>
  new EventRecoveryError(
    'LOG_BUSY',
    `log: the page at position ${page.firstPosition} could not be written in ${TRIES} tries; remedy: the relay tries again by itself`,
    { retryable: true, facts: { firstPosition: page.firstPosition, tries: TRIES }, cause },
  );
