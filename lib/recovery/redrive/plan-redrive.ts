// The plan of a redrive or a discard: which streams and events it moves, what that costs, how long it takes and whom it
// touches, bound to the dead letters that it was made from. Nothing is changed but that the plan is stored.

import type { CheckpointKey, Checkpoints } from '../../flow/checkpoint/port.ts';
import type { Log } from '../../flow/log/port.ts';
import type { Checkpoint } from '../../model/checkpoint.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { DeadLetter } from '../../model/dead-letter.ts';
import type { Version } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { add } from '../plan/cost.ts';
import { owedRanges } from '../plan/gap-streams.ts';
import { PLAN_FORMAT } from '../plan/plans.ts';
import type { PlannedStream, Plans, PlanTotals, StoredPlan } from '../plan/port.ts';
import { append, count, type Range, within } from '../plan/ranges.ts';
import { createSample, estimateReads } from '../plan/sample-reads.ts';
import { letterUnits, runUnits, waitingUnits } from './cost.ts';
import type { GiveBackDeps } from './give-back.ts';
import type { SelectingRequest } from './request.ts';
import { type Selected, selectionFingerprint, streamOf } from './select.ts';

export interface RedrivePlan extends StoredPlan {
  mode: SelectingRequest['action'];
  /** What was asked for: what is selected, and how it is given back. */
  request: SelectingRequest;
}

export const REDRIVE_MODES = ['redrive', 'discard'] as const satisfies readonly RedrivePlan['mode'][];

export interface PlanRedriveDeps extends Pick<GiveBackDeps, 'dynamo' | 'registry'> {
  eventsTable: string;
  /** Name of the deployment: a plan is applied where it was made. */
  deployment: string;
  checkpoints: Pick<Checkpoints, 'get'>;
  openGaps: Pick<GiveBackDeps['openGaps'], 'get'>;
  log: Pick<Log, 'head' | 'streamEntriesBackwards'>;
  plans: Plans<RedrivePlan>;
  world: Pick<World, 'clock' | 'ids' | 'random'>;
}

/** Streams looked at side by side: checkpoint, open gap, and the log's entries back to the dead letter. */
const STREAMS_AT_ONCE = 16;

export async function planRedrive(
  deps: PlanRedriveDeps,
  request: SelectingRequest,
  { letters }: Pick<Selected, 'letters'>,
): Promise<RedrivePlan> {
  const now = deps.world.clock.now();
  const head = await deps.log.head();
  const streams = await planStreams(deps, request, letters);
  const rows = streams.map(({ row }) => row);
  const id = deps.world.ids.next();
  const eventReads = await readsOf(deps, rows);
  const totals = totalsOf(request, letters, streams, eventReads);
  const { requestedBy, reason } = request;
  return deps.plans.save(
    id,
    asyncOf(rows),
    (rowCount): RedrivePlan => ({
      id,
      mode: request.action,
      request,
      blastRadius: blastRadius(request, letters, totals, streams),
      totals,
      madeFrom: { deployment: deps.deployment, head, fingerprint: selectionFingerprint(letters) },
      requestedBy,
      reason,
      createdAt: now,
      status: 'planned',
      rows: rowCount,
      format: PLAN_FORMAT,
    }),
  );
}

interface StreamPlan {
  row: PlannedStream;
  consumer: RegisteredConsumer;
  /** Events that wait behind the dead letter and go on with it. */
  waiting: number;
}

async function planStreams(
  deps: PlanRedriveDeps,
  request: SelectingRequest,
  letters: readonly DeadLetter[],
): Promise<StreamPlan[]> {
  const groups = [...Map.groupBy(letters, streamOf).values()];
  const consumers = new Map<string, RegisteredConsumer>();
  for (const { consumer } of letters) {
    if (!consumers.has(consumer)) consumers.set(consumer, (await deps.registry.get(consumer)) as RegisteredConsumer);
  }
  const plans: StreamPlan[] = [];
  for (let at = 0; at < groups.length; at += STREAMS_AT_ONCE) {
    const some = groups.slice(at, at + STREAMS_AT_ONCE);
    plans.push(
      ...(await Promise.all(
        some.map((group) => planStream(deps, request, group, consumers.get(group[0]?.consumer ?? '') as never)),
      )),
    );
  }
  return plans;
}

async function planStream(
  { checkpoints, openGaps, log }: PlanRedriveDeps,
  { action }: SelectingRequest,
  letters: readonly DeadLetter[],
  consumer: RegisteredConsumer,
): Promise<StreamPlan> {
  const { streamId } = letters[0] as DeadLetter;
  const key: CheckpointKey = { consumer: consumer.name, streamId };
  const checkpoint = await checkpoints.get(key);
  const parked = letters.find(({ id }) => checkpoint?.parked?.deadLetterId === id);
  const chosen = letters.reduce<Range[]>((ranges, { version }) => append(ranges, version), []);
  // A discarded event is passed without a react; what waits behind it goes on all the same.
  const own = action === 'discard' ? 0 : letters.length;
  const behind = parked === undefined ? [] : await waitingBehind(parked, checkpoint, openGaps, log, consumer);
  const waiting = count(behind);
  const repeats = count(within(behind, 1, checkpoint?.replay?.until ?? 0));
  const from = letters[0]?.version as Version;
  const to = Math.max(letters.at(-1)?.version as number, behind.at(-1)?.[1] ?? 0) as Version;
  const { version = 0 as Version, generation = 0 } = checkpoint ?? {};
  const row = { streamId, from, to, events: own + waiting, repeats, versions: chosen, checkpoint: version, generation };
  return { row: { ...row, consumer: consumer.name }, consumer, waiting };
}

/** As give-back.ts wakes the consumer: up to whatever anybody has asked for. */
async function waitingBehind(
  parked: DeadLetter,
  checkpoint: Checkpoint | undefined,
  openGaps: PlanRedriveDeps['openGaps'],
  log: PlanRedriveDeps['log'],
  consumer: RegisteredConsumer,
): Promise<Range[]> {
  const { streamId, version } = parked;
  const recorded = await openGaps.get(consumer.name, streamId);
  const to = Math.max(checkpoint?.wanted ?? 0, version, recorded?.to ?? 0);
  return owedRanges(log, consumer, { streamId, from: (version + 1) as Version, to: to as Version });
}

/** What the consumers read: a stream from its parked event on, skipped events each by itself. */
function readsOf(deps: PlanRedriveDeps, rows: readonly PlannedStream[]): Promise<number> {
  const sample = createSample(deps.world.random);
  for (const row of rows) {
    const { versions, ...whole } = row;
    sample.see(row.to > (versions?.at(-1)?.[1] ?? 0) ? whole : row);
  }
  return estimateReads(deps, sample.rows, rows.length);
}

function totalsOf(
  request: SelectingRequest,
  letters: readonly DeadLetter[],
  streams: readonly StreamPlan[],
  eventReads: number,
): PlanTotals {
  const consumers = new Map(streams.map(({ consumer }) => [consumer.name, consumer]));
  const units = add(
    runUnits(request, letters),
    ...letters.map((letter) => letterUnits(request, letter, consumers.get(letter.consumer) as RegisteredConsumer)),
    ...streams.map(({ consumer, waiting }) => waitingUnits(consumer, waiting)),
  );
  const sum = (of: (stream: StreamPlan) => number) => streams.reduce((all, one) => all + of(one), 0);
  return {
    streams: streams.length,
    events: sum(({ row }) => row.events),
    expectedRepeats: sum(({ row }) => row.repeats),
    wakeUps: letters.length,
    parked: 0,
    readUnits: Math.ceil(units.read + eventReads),
    writeUnits: Math.ceil(units.write),
    etaSeconds: Math.ceil(letters.length / request.ratePerSecond),
  };
}

function blastRadius(
  { action }: SelectingRequest,
  letters: readonly DeadLetter[],
  { expectedRepeats }: PlanTotals,
  streams: readonly StreamPlan[],
): string[] {
  const names = [...new Set(letters.map(({ consumer }) => `"${consumer}"`))].sort();
  const waiting = streams.reduce((all, one) => all + one.waiting, 0);
  const verb = action === 'discard' ? 'are passed over for good' : 'are tried again';
  return [
    `consumers ${names.join(', ')} only: ${letters.length} dead letters of ${streams.length} streams ${verb}`,
    ...(waiting > 0 ? [`${waiting} events that wait behind them follow, in order`] : []),
    expectedRepeats === 0
      ? 'no event that succeeded is reacted to again'
      : `${expectedRepeats} events are reacted to again: they belong to a rewind that has not come to them yet`,
  ];
}

async function* asyncOf<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}
