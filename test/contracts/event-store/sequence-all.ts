// The relay's part, for tests of the event store alone: gives the commits of a stream their positions.

import { createLog } from '../../../lib/flow/log/log.ts';
import { HASH_PREFIX_LENGTH } from '../../../lib/flow/log/pages.ts';
import { streamId as toStreamId } from '../../../lib/model/ids.ts';
import { collect, logTable } from '../../flow/event-store/support.ts';
import type { EventStoreFixture } from './fixture.ts';

/** Every commit of the stream that the log does not have yet, as one page. */
export async function sequenceAll({ store, dynamo, world }: EventStoreFixture, raw: string): Promise<void> {
  const streamId = toStreamId(raw);
  const log = createLog({ dynamo, logTable, world });
  const expected = await log.directory([streamId]);
  const commits = await collect(store.readCommits(streamId, (expected.get(streamId)?.version ?? 0) + 1));
  const result = await log.sequence({
    head: await log.head(),
    entries: commits.map(({ version, count, recordedAt, events, hash }) => ({
      streamId,
      version,
      count,
      recordedAt,
      types: events.map(({ type }) => type),
      hashPrefix: hash.slice(0, HASH_PREFIX_LENGTH),
    })),
    expected,
    sequencedAt: world.clock.now(),
  });
  if (result.kind !== 'sequenced') throw new Error('the page was not written');
}
