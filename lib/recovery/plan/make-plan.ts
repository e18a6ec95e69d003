// Makes a plan: checks what was asked for, enumerates the streams from the log, joins them with their checkpoints, adds up
// what applying it would do and cost, and stores it. Changes nothing else.

import type { Checkpoints } from '../../flow/checkpoint/port.ts';
import type { Log } from '../../flow/log/port.ts';
import type { Registry } from '../../flow/registry/port.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import { EventRecoveryError, InvalidInputError } from '../../model/errors.ts';
import { consumerName } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { OpenGaps } from '../gap/open-gaps.ts';
import { blastRadius } from './blast-radius.ts';
import { add, replayUnits } from './cost.ts';
import { createFingerprint, registryFingerprint } from './fingerprint.ts';
import { gapStreams } from './gap-streams.ts';
import { newTally, plannedRows, type Tally } from './planned-rows.ts';
import { createRuns, PLAN_FORMAT } from './plans.ts';
import type { Plan, PlanMode, PlanOptions, Plans, PlanTotals, Selection } from './port.ts';
import { createSample, estimateReads } from './sample-reads.ts';
import { type StreamEvents, selectEvents } from './select-events.ts';
import { checkSelection } from './selection.ts';
import { sortedStreams } from './sorted-streams.ts';

export interface PlanDeps {
  dynamo: Dynamo;
  eventsTable: string;
  logTable: string;
  recoveryTable: string;
  /** Name of the deployment: a plan is applied where it was made. */
  deployment: string;
  registry: Pick<Registry, 'get'>;
  log: Pick<Log, 'head' | 'pages' | 'streamEntriesBackwards'>;
  checkpoints: Pick<Checkpoints, 'getMany'>;
  openGaps: Pick<OpenGaps, 'list'>;
  plans: Plans;
  /** `clock` = the server clock. */
  world: World;
  /** Parts of streams held in memory while planning, and bytes of a stored piece of them. @default HELD_MAX, PIECE_BYTES */
  heldMax?: number;
  pieceBytes?: number;
}

export interface PlanRequest {
  mode: PlanMode;
  consumer: string;
  selection: Selection;
  options: PlanOptions;
  requestedBy: string;
  reason: string;
  /** @default a new id */
  id?: string;
}

/**
 * @throws InvalidInputError `UNKNOWN_CONSUMER`, `NOTHING_TO_SUPPRESS`, and those of `checkSelection`; nothing was written then
 * @throws EventRecoveryError `CONSUMER_NOT_DEPLOYED`, `NO_BACKFILL_WAITS`
 */
export async function makePlan(deps: PlanDeps, request: PlanRequest): Promise<Plan> {
  const { mode, selection, options } = request;
  const consumer = await activeConsumer(deps.registry, request.consumer);
  const head = await deps.log.head();
  const now = deps.world.clock.now();
  checkMode(request, consumer);
  // What a fill and a backfill look at is recorded already.
  if (mode !== 'fill' && mode !== 'backfill') checkSelection(selection, head, now);

  const id = request.id ?? deps.world.ids.next();
  const registry = registryFingerprint(consumer);
  const fingerprint = createFingerprint(registry);
  const sample = createSample(deps.world.random);
  const tally = newTally();
  const { suppressEffects } = options;
  const runs = createRuns({ dynamo: deps.dynamo, table: deps.recoveryTable, world: deps.world }, id, deps.pieceBytes);
  const streams = streamsOf(deps, consumer, request, (parts) => sortedStreams(parts, runs, deps.heldMax));
  const rows = plannedRows(deps.checkpoints, streams, { consumer, mode, suppressEffects, tally, fingerprint, sample });
  // The estimate needs the sample, and the plan is stored after its rows: so the rows end with it.
  let eventReads = 0;
  const thenEstimate = (async function* () {
    yield* rows;
    eventReads = await estimateReads(deps, sample.rows, tally.rows);
  })();
  const plan = await deps.plans.save(id, thenEstimate, (count): Plan => {
    const totals = totalsOf(tally, options, eventReads);
    return {
      id,
      mode,
      consumer: consumer.name,
      selection,
      blastRadius: blastRadius(mode, consumer, totals, options),
      totals,
      madeFrom: { deployment: deps.deployment, head, registry, fingerprint: fingerprint.text() },
      options: { ...options, ...(mode === 'backfill' && { backfillOf: consumer.backfill?.requestedAt }) },
      requestedBy: request.requestedBy,
      reason: request.reason,
      createdAt: now,
      status: 'planned',
      rows: count,
      format: PLAN_FORMAT,
    };
  });
  await runs.remove();
  return plan;
}

function streamsOf(
  { log, openGaps }: PlanDeps,
  consumer: RegisteredConsumer,
  { mode, selection }: PlanRequest,
  sorted: (parts: AsyncIterable<readonly StreamEvents[]>) => AsyncIterable<StreamEvents>,
): AsyncIterable<StreamEvents> {
  // Rows of open gaps are stored in order of stream ids.
  if (mode === 'fill') return gapStreams(log, consumer, openGaps.list(consumer.name));
  return sorted(selectEvents(log, { consumer, mode, selection }));
}

function totalsOf(tally: Tally, options: PlanOptions, eventReads: number): PlanTotals {
  const units = add(tally.units, replayUnits({ ...tally, ratePerSecond: options.ratePerSecond }));
  return {
    streams: tally.streams,
    events: tally.events,
    expectedRepeats: tally.repeats,
    wakeUps: tally.rows,
    parked: tally.parked,
    readUnits: Math.ceil(units.read + eventReads),
    writeUnits: Math.ceil(units.write),
    etaSeconds: Math.ceil(tally.events / options.ratePerSecond),
  };
}

/** @throws InvalidInputError `UNKNOWN_CONSUMER` @throws EventRecoveryError `CONSUMER_NOT_DEPLOYED` */
export async function activeConsumer(registry: Pick<Registry, 'get'>, raw: string): Promise<RegisteredConsumer> {
  const name = consumerName(raw);
  const consumer = await registry.get(name);
  if (consumer === undefined) {
    throw new InvalidInputError('UNKNOWN_CONSUMER', {
      what: 'consumer',
      got: name,
      allowed: 'a consumer of the registry',
      remedy: 'list them: npx event-recovery gaps',
    });
  }
  if (consumer.status === 'active') return consumer;
  throw new EventRecoveryError(
    'CONSUMER_NOT_DEPLOYED',
    `consumer "${name}" is ${consumer.status}: nobody would receive the events; remedy: deploy it again`,
    { facts: { consumer: name } },
  );
}

function checkMode({ mode, options, selection }: PlanRequest, consumer: RegisteredConsumer): void {
  if (options.suppressEffects && (mode === 'redeliver' || mode === 'fill')) {
    throw new InvalidInputError('NOTHING_TO_SUPPRESS', {
      what: 'suppressEffects',
      got: mode,
      allowed: 'modes "resume", "rewind" and "backfill"',
      remedy:
        mode === 'fill'
          ? 'leave it out, or use mode "resume" with a selection: a gap is filled so that its effects happen'
          : 'leave it out: a redelivery moves no checkpoint, so without its effects nothing at all would happen',
    });
  }
  if ((mode === 'fill' || mode === 'backfill') && Object.values(selection).some((value) => value !== undefined)) {
    throw new InvalidInputError('CONTRADICTORY_SELECTION', {
      what: 'selection',
      got: selection,
      allowed: `nothing: mode "${mode}" takes what is recorded for the consumer`,
      remedy: 'leave the selection out, or use mode "resume" or "redeliver"',
    });
  }
  if (mode !== 'backfill' || consumer.backfill !== undefined) return;
  throw new EventRecoveryError(
    'NO_BACKFILL_WAITS',
    `consumer "${consumer.name}" has no event types whose history waits; remedy: none, it is complete`,
    { facts: { consumer: consumer.name } },
  );
}
