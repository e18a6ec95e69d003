// One batch of the DynamoDB stream: sequence what is new, fill in what is missing, check what is known, publish, and say
// exactly which records must be delivered again. A record or a stream that cannot be relayed never stops the others.

import type { Commit } from '../../model/commit.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import { WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { DirectoryEntry } from '../log/port.ts';
import { failureOf, publishMoved, type StreamFailure, sequenceAndPublish } from './advance.ts';
import { BATCH_LIMITS, type Budget, createBudget } from './budget.ts';
import { checkKnownCommits } from './check-known.ts';
import { RELAY_METRICS, type RelayDependencies } from './dependencies.ts';
import type { Damage } from './gather.ts';
import { gatherUnsequenced } from './known-to-log.ts';
import { type ParsedRecord, parseRecord } from './parse-record.ts';
import { recordDamages } from './record-damages.ts';
import { type CommitRecord, groupByStream, inBatchOrder, type StreamWork, splitAt } from './work.ts';

export interface RecordFailure extends StreamFailure {
  /** Place in the batch. */
  index: number;
  /** Absent when the record's own number could not be read. */
  sequenceNumber?: string;
  /** `malformed`: another try reads the same. `error`: another try can help. */
  reason: 'malformed' | 'error';
}

export interface BatchReport {
  commits: number;
  events: number;
  backfilled: number;
  /** Streams that go on in a wake-up of their own. */
  continued: StreamId[];
  damaged: StreamId[];
  /** In the order of the batch; at most one per stream, its first record. */
  failures: RecordFailure[];
}

/** Streams whose missing commits are read at the same time. */
const STREAMS_AT_ONCE = 8;

export async function relayBatch(
  deps: RelayDependencies,
  rawRecords: readonly unknown[],
  options: { remainingMs: () => number },
): Promise<BatchReport> {
  const parsed = rawRecords.map(parseRecord);
  const malformed = await reportUnreadable(deps, parsed);
  const records = parsed.filter((record): record is CommitRecord => record.kind === 'commit');
  const works = groupByStream(records, deps.verify);
  const failures = new Map<StreamId, StreamFailure>();
  const report: BatchReport = { commits: 0, events: 0, backfilled: 0, continued: [], damaged: [], failures: malformed };
  try {
    await relayStreams(deps, records, works, failures, report, options);
  } catch (error) {
    // Nothing is known about any stream: all of them are delivered again.
    deps.logger.error('the batch was not relayed', { error, records: records.length });
    for (const { streamId } of works) failures.set(streamId, failureOf(error));
  }
  const failed = works.flatMap(({ streamId, firstIndex }): RecordFailure[] => {
    const failure = failures.get(streamId);
    const record = records.find(({ index }) => index === firstIndex);
    if (failure === undefined || record === undefined) return [];
    return [{ ...failure, index: firstIndex, sequenceNumber: record.sequenceNumber, reason: 'error' }];
  });
  return { ...report, failures: [...malformed, ...failed].sort((a, b) => a.index - b.index) };
}

async function relayStreams(
  deps: RelayDependencies,
  records: readonly CommitRecord[],
  works: readonly StreamWork[],
  failures: Map<StreamId, StreamFailure>,
  report: BatchReport,
  options: { remainingMs: () => number },
): Promise<void> {
  if (works.length === 0) return;
  const directory = await deps.log.directory(works.map(({ streamId }) => streamId));
  const budget = createBudget({ ...BATCH_LIMITS, ...deps.limits?.batch }, options.remainingMs);
  const gathered = new Map<StreamId, readonly Commit[]>();
  const behind: [StreamId, Version][] = [];
  const moved = new Set<StreamId>();
  const damages = new Map<StreamId, Damage[]>();

  for (let start = 0; start < works.length; start += STREAMS_AT_ONCE) {
    await Promise.all(
      works.slice(start, start + STREAMS_AT_ONCE).map(async (work) => {
        const { streamId } = work;
        try {
          const prepared = await prepareStream(deps, work, directory.get(streamId), budget);
          gathered.set(streamId, prepared.commits);
          damages.set(streamId, prepared.damages);
          report.backfilled += prepared.backfilled;
          if (prepared.known) moved.add(streamId);
          if (prepared.behind !== undefined) behind.push([streamId, prepared.behind]);
        } catch (error) {
          deps.logger.error('a stream was not relayed', { streamId, error });
          failures.set(streamId, failureOf(error));
        }
      }),
    );
  }

  const advance = await sequenceAndPublish(deps, inBatchOrder(records, gathered), directory);
  report.commits = advance.commits;
  report.events = advance.events;
  deps.metrics.count(RELAY_METRICS.commitsBackfilled, report.backfilled);
  for (const [streamId, failure] of advance.failures) failures.set(streamId, failure);
  for (const streamId of advance.known) moved.add(streamId);
  for (const [streamId, found] of advance.damages) damages.set(streamId, [...(damages.get(streamId) ?? []), ...found]);

  const entries = [...moved].flatMap((streamId) => directory.get(streamId) ?? []);
  await publishMoved(deps, entries, failures);
  report.damaged = await recordDamages(deps, damages, failures);
  report.continued = await continueLater(deps, behind, failures);
}

/** What one stream has that the log does not, and whether what the log has is what arrived. */
async function prepareStream(
  deps: RelayDependencies,
  work: StreamWork,
  sequenced: DirectoryEntry | undefined,
  budget: Budget,
) {
  const { streamId } = work;
  if (work.failure !== undefined) throw work.failure;
  const { known, ahead, target } = splitAt(work, sequenced?.version ?? 0);
  const gathered = await gatherUnsequenced(deps, { streamId, sequenced, delivered: ahead, target, budget });
  const rewritten =
    sequenced === undefined || known.length === 0
      ? []
      : await checkKnownCommits({ streamId, sequenced, known, source: deps.source, log: deps.log });
  return { ...gathered, known: known.length > 0, damages: [...work.damages, ...rewritten, ...gathered.damages] };
}

async function continueLater(
  deps: RelayDependencies,
  behind: readonly [StreamId, Version][],
  failures: Map<StreamId, StreamFailure>,
): Promise<StreamId[]> {
  const continued: StreamId[] = [];
  for (const [streamId, target] of behind) {
    try {
      const now = deps.world.clock.now();
      if (!(await deps.backfills.isUnderWay(streamId, target, now))) {
        // Sent first, marked after: a crash in between sends it once more, and never leaves a mark without a chain.
        await deps.continuations.send({ format: WAKE_UP_FORMAT, streamId, target, hops: 0 });
        await deps.backfills.mark(streamId, target, now);
      }
      deps.logger.info('a backfill goes on in a wake-up of its own', { streamId, target });
      continued.push(streamId);
    } catch (error) {
      deps.logger.error('a backfill could not be continued', { streamId, error });
      failures.set(streamId, failureOf(error));
    }
  }
  return continued;
}

/** Counts what was ignored, and records what could not be read; each of those is a failure of its own. */
async function reportUnreadable(deps: RelayDependencies, parsed: readonly ParsedRecord[]): Promise<RecordFailure[]> {
  const failures: RecordFailure[] = [];
  for (const record of parsed) {
    if (record.kind === 'ignored' && record.reason === 'removed') {
      deps.metrics.count(RELAY_METRICS.removalsSeen);
      deps.logger.warn('a commit was removed from the Events table', {
        streamId: record.streamId,
        version: record.version,
      });
    }
    if (record.kind !== 'malformed') continue;
    const { index, sequenceNumber, streamId, version, problem } = record;
    deps.metrics.count(RELAY_METRICS.recordsMalformed);
    deps.logger.error('a record is malformed', { streamId, version, problem, sequenceNumber });
    const damage: Damage = {
      kind: 'malformed-record',
      version,
      detail: `record ${sequenceNumber ?? index}: ${problem}`,
    };
    await recordDamages(deps, new Map([[streamId as StreamId, [damage]]]), new Map());
    failures.push({
      index,
      ...(sequenceNumber === undefined ? {} : { sequenceNumber }),
      reason: 'malformed',
      code: 'MALFORMED_RECORD',
      message: problem,
    });
  }
  return failures;
}
