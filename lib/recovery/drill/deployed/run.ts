// One drill in AWS, on streams and a consumer of its own: append, let an event fail, let another one end the function, let
// deliveries vanish; then cure, start the recovery without telling it what is wrong, and compare the books.

import * as z from 'zod/mini';
import type { DeadLetters } from '../../../flow/dead-letter/port.ts';
import type { EventStore } from '../../../flow/event-store/port.ts';
import { EventRecoveryError } from '../../../model/errors.ts';
import type { World } from '../../../platform/clock.ts';
import { errorFacts, type Logger } from '../../../platform/logging.ts';
import type { Metrics } from '../../../platform/metrics.ts';
import { checkInput } from '../../input/check.ts';
import type { Leases } from '../../lease/leases.ts';
import type { RecoveryRun } from '../../recover/run-recovery.ts';
import type { Wanted } from '../judge-recoveries.ts';
import { createLedger, type Effect, type LedgerEntry } from '../ledger.ts';
import { isTaken } from '../recover-when-free.ts';
import type { DrillEffects } from './effects.ts';
import { type DrillOutcome, isOnTime, outcomeOf } from './outcome.ts';
import { EVENTS_EACH, planDrill, prefixOf, streamsOf, TROUBLE_VERSION, UNHEARD_FROM } from './plan.ts';
import type { DrillRecords } from './records.ts';
import { rehearsal } from './rehearsal.ts';

export interface DeployedDrillDeps {
  eventStore: Pick<EventStore, 'append'>;
  deadLetters: Pick<DeadLetters, 'list'>;
  effects: DrillEffects;
  records: DrillRecords;
  leases: Leases;
  /** Starts the recovery's state machine and waits for its report. */
  recover(input: unknown): Promise<RecoveryRun>;
  /** `clock` = the server clock. */
  world: Pick<World, 'clock' | 'timers' | 'ids'>;
  logger: Logger;
  metrics: Metrics;
}

export type DrillAnswer =
  | { kind: 'done'; outcome: DrillOutcome }
  | { kind: 'another-drill-runs'; until: number }
  | { kind: 'checked'; onTime: boolean };

/** As long as Lambda lets a function run. */
const LEASE_MS = 15 * 60_000;
/** Two failing tries take 5 s, three unclean ends three visibility timeouts of 30 s; as much again for a slow day. */
const TROUBLE_PATIENCE_MS = 5 * 60_000;
/** A recovery that a scan started wakes consumers and looks a few times. */
const RECOVERY_PATIENCE_MS = 3 * 60_000;
/** The recovery has given everything back by then; what is left are single events. */
const SETTLE_PATIENCE_MS = 2 * 60_000;
const POLL_MS = 2_000;
/** Two dead letters are two poison messages; so many failed invocations of so few are a consumer that fails. */
const GIVEN_UP: Wanted = ['poison-message', 'consumer-failing'];
/** What was sequenced less than a minute ago is on its way for the scan; the relay has half a minute to sequence it. */
const GRACE_MS = 90_000;

const REQUEST = z.strictObject({ action: z._default(z.enum(['run', 'check']), 'run') });

/** `{}` or what a schedule sends: a drill. `{ "action": "check" }`: says by metric whether drills are on time. */
export async function runDeployedDrill(deps: DeployedDrillDeps, raw: unknown): Promise<DrillAnswer> {
  const { action } = checkInput(REQUEST, raw, 'drill request');
  if (action === 'check') return check(deps);
  const { leases, world, metrics, logger, records } = deps;
  const lease = await leases.acquire('drill', world.ids.next(), world.clock.now(), LEASE_MS);
  if (lease.kind === 'held') return { kind: 'another-drill-runs', until: lease.until };
  try {
    await records.since(world.clock.now());
    const outcome = await drill(deps);
    await records.store(outcome);
    metrics.count('DrillRuns');
    metrics.count('DrillFailures', outcome.ok ? 0 : 1);
    metrics.count('DrillLostEvents', outcome.lost);
    metrics.count('DrillDoubledEffects', outcome.doubled);
    metrics.count('DrillDuration', outcome.endedAt - outcome.startedAt, 'Milliseconds');
    logger[outcome.ok ? 'info' : 'error']('drill ended', { ...outcome });
    return { kind: 'done', outcome };
  } finally {
    await leases.release(lease);
  }
}

async function check({ records, world, metrics }: DeployedDrillDeps): Promise<DrillAnswer> {
  const now = world.clock.now();
  const onTime = isOnTime(now, await records.since(now), await records.newest());
  metrics.count('DrillOnTime', onTime ? 1 : 0);
  return { kind: 'checked', onTime };
}

async function drill(deps: DeployedDrillDeps): Promise<DrillOutcome> {
  const { world, effects, logger } = deps;
  const startedAt = world.clock.now();
  const runId = new Date(startedAt)
    .toISOString()
    .slice(0, 19)
    .replaceAll(/[^0-9]/g, '');
  const ledger = createLedger(deps.eventStore);
  const recoveries: RecoveryRun[] = [];
  const problems: string[] = [];
  let finds: Wanted[] = [];
  try {
    await appendAll(ledger, runId);
    const appendedAt = world.clock.now();
    await untilTrouble(deps, runId, ledger.entries);
    const rest = GRACE_MS - (world.clock.now() - appendedAt);
    if (rest > 0) await world.timers.sleep(rest);
    await effects.cure(runId, world.clock.now());
    const isOver = world.clock.now() + RECOVERY_PATIENCE_MS;
    while (recoveries.length === 0) {
      finds = await found(deps, runId, ledger.entries);
      const run = await recoverUnlessTaken(deps, runId, world.clock.now() >= isOver);
      if (run === undefined) await world.timers.sleep(POLL_MS);
      else recoveries.push(run);
    }
    await untilApplied(deps, runId, ledger.entries);
  } catch (error) {
    logger.error('the drill could not go on', { runId, error: errorFacts(error) });
    problems.push((error as Error).message);
  }
  return outcomeOf({
    runId,
    startedAt,
    endedAt: world.clock.now(),
    entries: ledger.entries,
    effects: await effects.applied(runId, ledger.entries),
    recoveries,
    finds,
    openLetters: (await openLetters(deps, runId)).length,
    problems,
  });
}

async function appendAll(ledger: ReturnType<typeof createLedger>, runId: string): Promise<void> {
  // Version by version over all streams, so that they share batches: whoever dies has others in its batch.
  const streams = streamsOf(planDrill(runId));
  for (let version = 1; version <= EVENTS_EACH; version++) {
    await Promise.all(
      streams.map(({ streamId, events }) => {
        const event = events[version - 1];
        return event && ledger.append(streamId, [event], version - 1);
      }),
    );
  }
}

/** Everything that can happen before the cure has happened: both streams are parked, the others as far as they get. */
async function untilTrouble(deps: DeployedDrillDeps, runId: string, entries: readonly LedgerEntry[]): Promise<void> {
  const { failing, deadly } = planDrill(runId);
  await until(deps, 'two parked streams', TROUBLE_PATIENCE_MS, async () => {
    const parked = new Set((await openLetters(deps, runId)).map(({ streamId }) => streamId as string));
    const applied = (await deps.effects.applied(runId, entries)).length;
    // 8 of the clean stream, 3 before each trouble, 5 of the one whose end nobody hears of.
    const reachable = EVENTS_EACH + 2 * (TROUBLE_VERSION - 1) + (UNHEARD_FROM - 1);
    return parked.has(failing.streamId) && parked.has(deadly.streamId) && applied >= reachable;
  });
}

/** Undefined: a scan has started another one that is at work on the rehearsal, and will be over soon. */
async function recoverUnlessTaken(
  { recover }: DeployedDrillDeps,
  runId: string,
  isLastTry: boolean,
): Promise<RecoveryRun | undefined> {
  const who = { requestedBy: 'drill', reason: `drill ${runId}`, trigger: 'drill' };
  try {
    return await recover({ actions: ['repair'], consumers: [rehearsal.name], ...who });
  } catch (error) {
    if (isTaken(error) && !isLastTry) return undefined;
    throw error;
  }
}

/** What the recovery must name: parked streams; and lost deliveries, unless a wake-up of the relay healed them by chance. */
async function found(deps: DeployedDrillDeps, runId: string, entries: readonly LedgerEntry[]): Promise<Wanted[]> {
  const { unheard } = planDrill(runId);
  const isHeard = ({ streamId, version }: Effect): boolean => streamId === unheard.streamId && version >= UNHEARD_FROM;
  const isHealed = (await deps.effects.applied(runId, entries)).some(isHeard);
  return isHealed ? [GIVEN_UP] : [GIVEN_UP, 'delivery-lost'];
}

async function untilApplied(deps: DeployedDrillDeps, runId: string, entries: readonly LedgerEntry[]): Promise<void> {
  await until(deps, 'all effects', SETTLE_PATIENCE_MS, async () => {
    const applied = await deps.effects.applied(runId, entries);
    return new Set(applied.map(({ eventId }) => eventId)).size >= entries.length;
  });
}

async function openLetters({ deadLetters }: DeployedDrillDeps, runId: string) {
  const found = [];
  for await (const letter of deadLetters.list({ consumer: rehearsal.name })) {
    const isOpen = letter.status === 'parked' || letter.status === 'redriving';
    if (isOpen && letter.streamId.startsWith(prefixOf(runId))) found.push(letter);
  }
  return found;
}

/** @throws EventRecoveryError `WAITED_IN_VAIN` */
async function until(
  { world }: DeployedDrillDeps,
  what: string,
  patienceMs: number,
  isThere: () => Promise<boolean>,
): Promise<void> {
  const endsAt = world.clock.now() + patienceMs;
  while (!(await isThere())) {
    if (world.clock.now() >= endsAt) {
      throw new EventRecoveryError('WAITED_IN_VAIN', `waited ${patienceMs / 1_000} s for ${what}`, { facts: { what } });
    }
    await world.timers.sleep(POLL_MS);
  }
}
