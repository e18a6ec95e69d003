// One seed from beginning to end: producers, relay, consumers and operators under faults; then faults off, and within 15
// minutes and three redrives nothing may wait, except for streams of which a record is lost: these the scrub heals. At last one
// more event per stream.

import { checkEnd } from '../invariants/end-checks.ts';
import { inspect } from '../invariants/inspection.ts';
import { asMacrotask } from '../kernel/drain.ts';
import { START_OF_TIME } from '../kernel/scheduler.ts';
import type { Trace } from '../kernel/trace.ts';
import type { SeedResult } from '../runner/result.ts';
import { type Cloud, createCloud } from '../system/cloud.ts';
import { startConsumers } from '../system/consumer-function.ts';
import { createExcuses } from '../system/excuses.ts';
import { planFolders } from '../system/folders.ts';
import { createProducers } from '../system/producers.ts';
import { startRecovery } from '../system/recovery-functions.ts';
import { startMachine } from '../system/recovery-machine.ts';
import { startRelay } from '../system/relay-function.ts';
import { startScrub } from '../system/scrub-function.ts';
import { planOperator, planSchedules, planScrubs, redriveAll } from './operations.ts';
import { EVENT_TYPES, type Overrides, type Plan, planOf } from './plan.ts';
import { createRecoveries } from './recoveries.ts';
import { planDamageAndRestore, RESTORED_WITHIN_MS } from './restore.ts';

export interface Run {
  result: SeedResult;
  trace: Trace;
}

export interface RunOptions {
  overrides?: Overrides;
  /** Keep the trace's text; the hash is always there. */
  keepTrace?: boolean;
}

/** "Faults off, then lag 0 within 15 simulated minutes." */
const QUIET_WITHIN_MS = 15 * 60_000;
/** Of what is appended at the end of the quiet time. */
const SETTLED_WITHIN_MS = 2 * 60_000;
const SETTLINGS_MAX = 3;
/** The second one closes what the first one has found, and meets nothing any more. */
const ROTATIONS_AFTER_MS = { first: 10_000, second: 6 * 60_000 };
/** At most three redrives, of everything. */
const REDRIVES_AFTER_MS = [2, 6, 10].map((minutes) => minutes * 60_000);
/** The scrub finds what is lost, the relay fills it in, consumers catch up, and the scrub closes its findings. */
const SCRUBBED_WITHIN_MS = 8 * 60_000;
const END_WITHIN_MS = 7 * 60_000;
const FOLDED_AFTER_FAULTS_MS = 60_000;
/** A run that needs more does not end by itself. */
const MAX_STEPS = 400_000;

/** Runs in one go, inside a macrotask: no real time passes in between. */
export const runSeed = (seed: number, options: RunOptions = {}): Promise<Run> =>
  asMacrotask((drain) => {
    const plan = planOf(seed, options.overrides);
    const cloud = createCloud(plan, drain, options.keepTrace ?? false);
    const { stackTraceLimit } = Error;
    // Expected refusals are errors: their stacks would cost a tenth of the time. The trace tells more.
    Error.stackTraceLimit = options.keepTrace ? 10 : 0;
    const onUnhandled = (error: unknown): void =>
      cloud.violations.report('unhandled-rejection', String((error as Error)?.stack ?? error));
    process.on('unhandledRejection', onUnhandled);
    try {
      play(cloud, plan);
      drain();
      if (plan.isInspected && cloud.violations.first === undefined) inspectEnd(cloud, drain);
    } finally {
      process.off('unhandledRejection', onUnhandled);
      Error.stackTraceLimit = stackTraceLimit;
    }
    return { result: resultOf(cloud), trace: cloud.trace };
  });

function play(cloud: Cloud, plan: Plan): void {
  const { scheduler, faults, checks, violations, trace } = cloud;
  const excuses = createExcuses((why) => trace.note('excuse', why));
  const producers = createProducers(cloud);
  const source = startRelay(cloud, excuses);
  const { queues, running } = startConsumers(cloud);
  const recovery = startRecovery(cloud, queues, running);
  const scrub = startScrub(cloud, source);
  const recoveries = createRecoveries(cloud, () => machine);
  const machine = startMachine(cloud, queues, recovery, recoveries.onState, recoveries.endOf);
  cloud.onCommit(source.notify);

  const failed = (): boolean => violations.first !== undefined;
  const run = (until: number): void => {
    if (failed()) return;
    const end = scheduler.run({ until, maxSteps: MAX_STEPS - scheduler.steps, done: failed });
    if (end === 'too-many-steps') violations.report('too-many-steps', `more than ${MAX_STEPS} steps`);
  };

  const lastAppendAt = START_OF_TIME + Math.max(0, ...plan.appends.map(({ atMs }) => atMs));
  const faultsEndAt = Math.max(plan.faults.until, lastAppendAt);
  producers.start();
  planSchedules(cloud, recovery, faultsEndAt, !plan.isWithoutScans);
  planOperator(cloud, recovery, faultsEndAt);
  if (plan.isScrubbed) planScrubs(cloud, scrub, faultsEndAt);
  if (plan.isRecovered) recoveries.plan(faultsEndAt);
  if (plan.isFolded) planFolders(cloud, faultsEndAt + FOLDED_AFTER_FAULTS_MS);
  run(faultsEndAt);
  faults.stop();
  trace.note('run', 'faults are off');
  // An outage of the relay that began under faults still takes its 25 hours.
  run(source.downUntil());

  trace.note('run', 'quiet begins');
  const quietAt = scheduler.now() + QUIET_WITHIN_MS;
  planSchedules(cloud, recovery, quietAt, !plan.isWithoutScans);
  if (plan.isRecovered) recoveries.plan(quietAt);
  for (const ms of REDRIVES_AFTER_MS) scheduler.after(ms, () => redriveAll(cloud, recovery));
  run(quietAt);
  // A producer that tries again after more than ten minutes may append just before the end: that gets its time, too.
  for (let more = 0; more < SETTLINGS_MAX && checks.ledger.newestAt() > scheduler.now() - SETTLED_WITHIN_MS; more++) {
    run(scheduler.now() + SETTLED_WITHIN_MS);
  }
  if (failed()) return;
  const waitsForScan = (streamId: string): boolean => plan.isWithoutScans && cloud.owedToScan.has(streamId);
  const isExcused = (streamId: string): boolean => excuses.covers(streamId) || waitsForScan(streamId);
  checks.quiet.check('not-quiet', { mayBeParked: false, isExcused });
  if (excuses.count > 0 || plan.isScrubbed) {
    trace.note('run', 'the scrub heals what lost a record');
    const scrubbedAt = scheduler.now() + SCRUBBED_WITHIN_MS;
    planSchedules(cloud, recovery, scrubbedAt, true);
    scheduler.after(ROTATIONS_AFTER_MS.first, scrub.rotateNow);
    scheduler.after(ROTATIONS_AFTER_MS.second, () => {
      if (checks.scrub.hasFound()) scrub.rotateNow();
    });
    run(scrubbedAt);
    if (failed()) return;
    checks.scrub.judge(excuses.hasLost);
    checks.quiet.check('not-quiet', { mayBeParked: false, isExcused: () => false });
    checks.scrub.finish(cloud.engine.items('Recovery'));
  }

  if (plan.isDamaged) {
    trace.note('run', 'the store is damaged and restored');
    planDamageAndRestore(cloud, scrub);
    run(scheduler.now() + RESTORED_WITHIN_MS);
    if (failed()) return;
    checks.store.finish();
    checks.scrub.finish(cloud.engine.items('Recovery'));
  }

  trace.note('run', 'one more event in every stream');
  const types = lastTypes(plan);
  plan.streams.forEach((streamId, index) => {
    producers.append({
      atMs: 0,
      streamId,
      producer: 1,
      eventIds: types.map((type) => `last-${index}-${type}`),
      types,
      bytes: 0,
      expect: 'read-first',
    });
  });
  const endAt = scheduler.now() + END_WITHIN_MS;
  // Whatever was owed meanwhile is paid: the scan closes its rows.
  planSchedules(cloud, recovery, endAt, true);
  run(endAt);
  if (failed()) return;
  checks.store.finish();
  checks.log.finish();
  checks.quiet.check('lost-event', { mayBeParked: false, isExcused: () => false });
  recoveries.finish();
  run(recoveries.planEnd());
  recoveries.finish();
  const { engine } = cloud;
  checkEnd({ deadLetters: engine.items('DeadLetters'), recovery: engine.items('Recovery') }, violations);
}

function inspectEnd({ plan, engine, checks, violations, scheduler, branches, trace }: Cloud, drain: () => void): void {
  branches.set('verify: sound', 1);
  inspect({
    seed: plan.seed,
    engine,
    ledger: checks.ledger,
    violations,
    now: scheduler.now(),
    drain,
    onDamage: (name) => {
      branches.set('verify: damage', 1);
      trace.note('damage', name);
    },
  });
}

/** As few types as wake up every consumer. */
function lastTypes({ consumers }: Plan): string[] {
  const shared = EVENT_TYPES.find((type) => consumers.every(({ eventTypes }) => eventTypes.includes(type)));
  return shared === undefined ? consumers.map(({ eventTypes }) => eventTypes[0] as string) : [shared];
}

function resultOf({ plan, trace, violations, faults, branches, checks, scheduler }: Cloud): SeedResult {
  return {
    seed: plan.seed,
    traceHash: trace.hash(),
    violation: violations.first,
    faults: Object.fromEntries(faults.struck),
    branches: Object.fromEntries(branches),
    events: [...checks.ledger.stored.values()].reduce((sum, events) => sum + events.length, 0),
    steps: scheduler.steps,
    simulatedMs: scheduler.now() - START_OF_TIME,
  };
}
