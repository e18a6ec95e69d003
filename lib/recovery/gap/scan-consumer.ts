// One consumer's part of a scan: the streams that moved, then the open-gap rows; answer, record, wake. Every stream that
// moved is looked at, whatever the time; rows that there is no time for stay rows and are counted as not looked at.

import type { Checkpoints } from '../../flow/checkpoint/port.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { Position, StreamId, Version } from '../../model/ids.ts';
import { errorFacts, type Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { decideStream, type OwedEvents, type ScanBounds, type StreamAnswer } from './decide-stream.ts';
import { type FillDeps, fill, toFill } from './fill.ts';
import type { OpenGap, OpenGaps } from './open-gaps.ts';
import type { PlanFill } from './plan-fill.ts';
import type { ConsumerScan, QueueSigns } from './port.ts';
import { count, newTally, stateOf } from './tally.ts';

export interface ConsumerScanDeps extends FillDeps {
  checkpoints: Pick<Checkpoints, 'getMany'>;
  openGaps: OpenGaps;
  queues: QueueSigns;
  planFill: PlanFill;
  logger: Logger;
  metrics: Metrics;
}

export interface ConsumerScanInput {
  consumer: RegisteredConsumer;
  owed: ReadonlyMap<StreamId, OwedEvents>;
  scannedTo: Position;
  isUnknown: boolean;
  bounds: ScanBounds;
  maxWakeUps: number;
  dryRun: boolean;
  /** Milliseconds that are left for looking at rows. */
  remainingMs(): number;
  /** Counts what was read. */
  reads: { checkpoints: number; openGaps: number };
}

/** Streams whose checkpoints are read at once: one BatchGetItem. */
const BATCH = 100;

export async function scanConsumer(deps: ConsumerScanDeps, input: ConsumerScanInput): Promise<ConsumerScan> {
  const { consumer, owed, reads } = input;
  const rows = new Map<StreamId, OpenGap>();
  for await (const row of deps.openGaps.list(consumer.name)) rows.set(row.streamId, row);
  reads.openGaps += rows.size;
  const moved = [...owed.keys()];
  const onlyRows = [...rows.values()].filter(({ streamId }) => !owed.has(streamId));
  // Least tried, then oldest first: when the time ends, the others are the next scan's.
  const waiting = toFill(onlyRows, onlyRows.length).map(({ streamId }) => streamId);
  const tally = newTally(consumer, input.scannedTo);
  const gaps: OpenGap[] = [];
  const anything = moved.length + waiting.length > 0;
  const queueActive = anything && ((await deps.queues.messages(consumer.queueUrl)) ?? 0) > 0;

  const look = async (streams: readonly StreamId[]): Promise<void> => {
    const keys = streams.map((streamId) => ({ consumer: consumer.name, streamId }));
    const found = new Map((await deps.checkpoints.getMany(keys)).map((one) => [one.streamId, one]));
    reads.checkpoints += streams.length;
    const opened = await Promise.all(
      streams.map(async (streamId) => {
        const row = rows.get(streamId);
        const now = deps.world.clock.now();
        const debt = joined(row, owed.get(streamId));
        const checkpoint = found.get(streamId);
        const answer = decideStream({ checkpoint, owed: debt, queueActive, now }, input.bounds);
        count(tally, answer, streamId, now);
        const isUnknown = debt.to > (checkpoint?.wanted ?? 0);
        const open = await record(deps.openGaps, consumer, { streamId, answer, row, debt, isUnknown, now });
        return answer.kind === 'gap' ? open : undefined;
      }),
    );
    gaps.push(...opened.filter((open) => open !== undefined));
  };

  for (let at = 0; at < moved.length; at += BATCH) await look(moved.slice(at, at + BATCH));
  for (let at = 0; at < waiting.length; at += BATCH) {
    if (input.remainingMs() <= 0) {
      tally.notLookedAt = waiting.length - at;
      break;
    }
    await look(waiting.slice(at, at + BATCH));
  }
  if (!input.dryRun) {
    const filled = await fillPlanned(deps, consumer, toFill(gaps, input.maxWakeUps));
    Object.assign(tally, filled);
  }
  const foundAt = gaps.map((gap) => gap.foundAt ?? gap.openedAt);
  if (gaps.length > 0) tally.foundFrom = foundAt.reduce((a, b) => Math.min(a, b));
  if (gaps.length > 0) tally.foundTo = foundAt.reduce((a, b) => Math.max(a, b));
  tally.state = stateOf(tally, input.isUnknown);
  return tally;
}

/** Nobody is woken up for what cannot be planned: the rows stay, and the next scan or round of a recovery plans again. */
async function fillPlanned(
  deps: ConsumerScanDeps,
  consumer: RegisteredConsumer,
  gaps: readonly OpenGap[],
): Promise<Pick<ConsumerScan, 'wakeUps' | 'planId' | 'notPlanned'>> {
  if (gaps.length <= 1) return { wakeUps: await fill(deps, consumer, gaps) };
  let planId: string;
  try {
    planId = await deps.planFill(consumer, gaps);
  } catch (error) {
    const { name, message } = errorFacts(error);
    deps.metrics.count('FillsNotPlanned', 1, 'Count', { consumer: consumer.name });
    deps.logger.error('fill not planned, it waits', { consumer: consumer.name, streams: gaps.length, error });
    return { wakeUps: 0, notPlanned: `${name}: ${message}` };
  }
  return { planId, wakeUps: await fill(deps, consumer, gaps) };
}

/** A row and a movement of the same stream are one debt; the row is the older part. */
function joined(row: OpenGap | undefined, moved: OwedEvents | undefined): OwedEvents {
  if (row === undefined) return moved as OwedEvents;
  const owed = { from: row.from, to: row.to, oldestAt: row.openedAt, newestAt: row.openedAt };
  if (moved === undefined) return owed;
  return { ...owed, to: Math.max(row.to, moved.to), newestAt: Math.max(row.openedAt, moved.newestAt) };
}

interface Looked {
  streamId: StreamId;
  answer: StreamAnswer;
  row: OpenGap | undefined;
  debt: OwedEvents;
  /** The checkpoint has not been asked for all of the debt. */
  isUnknown: boolean;
  now: number;
}

async function record(
  openGaps: OpenGaps,
  { name: consumer }: RegisteredConsumer,
  { streamId, answer, row, debt, isUnknown, now }: Looked,
): Promise<OpenGap | undefined> {
  if (answer.kind === 'resolved') {
    if (row !== undefined) await openGaps.close(row);
    return undefined;
  }
  // The row of a parked stream stays. Without one the un-park opens it, up to what the checkpoint was asked for: events of
  // which no delivery has told it would be forgotten there, so they are recorded here.
  if (answer.kind === 'parked' && !isUnknown) return row;
  const from = answer.kind === 'parked' ? answer.at : answer.from;
  // A row is as old as what it stands for, so that the bound on lag counts from there.
  const seenAt = row === undefined ? debt.oldestAt : now;
  return openGaps.seen({ consumer, streamId, from: from as Version, to: debt.to as Version }, seenAt, now);
}
