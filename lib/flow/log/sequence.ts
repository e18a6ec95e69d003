// The one write of the log: TransactWriteItems with the page at head + 1 and the directory item of each of its streams,
// each with its condition. Either everything moves or nothing does. A page that is already there and says the same is as
// good as ours, so that a lost response is not taken for a lost race; nothing depends on the SDK's request token.

import { cancellation } from '../../platform/dynamodb/failures.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import { isThrottle } from '../../platform/retry.ts';
import { directoryKey, pageKey } from './keys.ts';
import { decodePage, encodePage, PAGE_FORMAT, placeEntries } from './pages.ts';
import type { DirectoryEntry, Log, LogPage, SequenceResult } from './port.ts';
import { withRetries } from './retry.ts';
import type { LogTable } from './table.ts';

export type SequenceInput = Parameters<Log['sequence']>[0];

export async function sequencePage(table: LogTable, input: SequenceInput): Promise<SequenceResult> {
  const page = placeEntries(input);
  const item = { ...pageKey(page.firstPosition), ...encodePage(page) };
  const TransactItems = [pageWrite(table, item), ...directoryWrites(table, page, input.expected)];
  try {
    await withRetries(table.world, () => table.dynamo.transactWrite({ TransactItems }));
    return { kind: 'sequenced', page };
  } catch (error) {
    const cancelled = cancellation(error);
    if (cancelled?.kind === 'retryable' && !isThrottle(error)) return { kind: 'lost-race' };
    if (cancelled?.kind !== 'refused') throw error;
    const there = cancelled.writes.find(({ index }) => index === 0)?.item ?? (await storedPage(table, page));
    if (there === undefined) return { kind: 'lost-race' };
    return there.entries === item.entries
      ? { kind: 'sequenced', page }
      : { kind: 'lost-race', winner: decodePage(there) };
  }
}

function pageWrite(table: LogTable, item: Record<string, unknown>): Write {
  const noPageThere = 'attribute_not_exists(#pk)';
  return {
    Put: {
      TableName: table.logTable,
      Item: item,
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

/** The answer carries the page only when the page's own condition was among the reasons. */
async function storedPage(table: LogTable, page: LogPage): Promise<Record<string, unknown> | undefined> {
  const { Item } = await withRetries(table.world, () =>
    table.dynamo.get({
      TableName: table.logTable,
      Key: { ...pageKey(page.firstPosition) },
      ConsistentRead: true,
    }),
  );
  return Item;
}
