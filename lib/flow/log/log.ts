// The log over the Dynamo port. Guarantees: positions are contiguous from 1, each event has exactly one, in stream order,
// whoever writes at the same time; a page and its streams' directory items move together. Readers get every page once,
// in order, or an error: never a page too few.

import type { Position, StreamId, Version } from '../../model/ids.ts';
import { findHead, type HeadCache, remember } from './head.ts';
import type { Log, LogEntry, LogPage } from './port.ts';
import { sequencePage } from './sequence.ts';
import { type LogTable, pageAt, pagesFrom, readDirectory } from './table.ts';

/** Pages per Query: 16 x 64 KB fill DynamoDB's answer limit of 1 MB. */
const PAGES_PER_QUERY = 16;

/**
 * @example
 * const log = createLog({ dynamo, logTable: 'Log', world: createWorld() });
 * for await (const page of log.pages(0)) console.log(page.firstPosition, page.entries.length);
 */
export function createLog(table: LogTable): Log {
  const cache: HeadCache = {};

  const entryAt = async (position: number): Promise<LogEntry | undefined> => {
    const page = position < 1 ? undefined : await pageAt(table, position);
    return page && entryIn(page, position);
  };

  async function* pages(
    fromPosition: number,
    options: { maxPages?: number; readAhead?: boolean } = {},
  ): AsyncGenerator<LogPage> {
    const maxPages = options.maxPages ?? Number.POSITIVE_INFINITY;
    const first = maxPages < 1 ? undefined : await pageAt(table, fromPosition + 1);
    if (first === undefined) return;
    yield first;
    let left = maxPages - 1;
    if (left < 1) return;
    for await (const page of pagesFrom(table, first.lastPosition + 1, Math.min(left, PAGES_PER_QUERY), options)) {
      yield page;
      left -= 1;
      if (left < 1) return;
    }
  }

  async function* streamEntriesBackwards(streamId: StreamId, from?: number): AsyncGenerator<LogEntry> {
    let position: number = from ?? (await readDirectory(table, [streamId])).get(streamId)?.position ?? 0;
    let page: LogPage | undefined;
    while (position > 0) {
      if (page === undefined || position < page.firstPosition) page = await pageAt(table, position);
      const entry = page && entryIn(page, position);
      if (entry === undefined) return;
      yield entry;
      position = entry.previousPosition;
    }
  }

  return {
    async head(options = {}) {
      if (options.cached && cache.page !== undefined) return cache.page.lastPosition;
      return findHead(table, cache);
    },
    directory: (streamIds) => readDirectory(table, streamIds),
    pages,
    entryAt,
    streamEntriesBackwards,
    versionAtPosition: (streamId, position) => versionAt(streamEntriesBackwards(streamId), pages, streamId, position),
    async sequence(input) {
      const result = await sequencePage(table, input);
      const seen = result.kind === 'sequenced' ? result.page : result.winner;
      if (seen !== undefined) remember(cache, seen);
      return result;
    },
  };
}

const entryIn = (page: LogPage, position: number): LogEntry | undefined =>
  page.entries.find((entry) => position >= entry.position && position < entry.position + entry.count);

/**
 * Searches from both sides at once, so that the cost is the smaller one: backwards over the stream's own commits since
 * `position`, forwards over the pages of everybody until the stream's next commit.
 */
async function versionAt(
  backwards: AsyncGenerator<LogEntry>,
  pages: (fromPosition: number) => AsyncGenerator<LogPage>,
  streamId: StreamId,
  position: Position,
): Promise<Version> {
  const forwards = pages(position);
  try {
    for (;;) {
      const entry = await backwards.next();
      if (entry.done) return 0 as Version;
      const { position: first, version, count } = entry.value;
      if (first <= position) return (version + Math.min(count, position - first + 1) - 1) as Version;
      const page = await forwards.next();
      if (page.done) continue;
      for (const found of page.value.entries) {
        if (found.streamId !== streamId) continue;
        const last = found.position + found.count - 1;
        if (last > position) return (found.version + Math.max(0, position - found.position + 1) - 1) as Version;
      }
    }
  } finally {
    await Promise.all([backwards.return(undefined), forwards.return(undefined)]);
  }
}
