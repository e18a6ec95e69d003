// What a scenario gets: the system, its own streams, a ledger, effect logs, and ways to kill, wait and complain. One
// context per scenario; everything that it injects is taken back at its end.

import type { Random } from '../../platform/clock.ts';
import type { RecoveryRun } from '../recover/run-recovery.ts';
import { approving } from './approve.ts';
import type { FaultHandle, ObservedCall, When } from './faults.ts';
import { createLedger, type Effect, type Ledger } from './ledger.ts';
import { seededRandom } from './random.ts';
import { recoverWhenFree, STARTS_BY_ITSELF } from './recover-when-free.ts';
import type { DrillSystem } from './system.ts';
import type { EffectLog, PlannedStream, WatchedConsumer, Workload } from './workload.ts';

/** One injected kill of a consumer at one event. */
export interface Kill {
  consumer: string;
  streamId: string;
  version: number;
  when: When;
  /** Where the consumer must go on; a later version would be a loss, an earlier one a repeat. */
  expectedResume: number;
  handle: FaultHandle;
  /** Effects of this consumer that had happened when it fired. */
  effectsBefore?: number;
}

export interface DrillContext {
  system: DrillSystem;
  workload: Workload;
  ledger: Ledger;
  random: Random;
  seed: number;
  /** How many events the scenario should append, in all. A workload with events of its own ignores it. */
  events: number;
  /** Stream ids and names of this scenario begin with it. */
  prefix: string;
  effectLog: EffectLog;
  /** Effects in the order in which the proxy saw them succeed, per consumer. */
  orderOf(consumer: string): readonly Effect[];
  planned: readonly PlannedStream[];
  kills: readonly Kill[];
  problems: readonly string[];
  facts: Readonly<Record<string, unknown>>;
  /** Recoveries of this scenario that ended with a report, in order. */
  recoveries: readonly RecoveryRun[];

  consumer(name: string): WatchedConsumer;
  /** New streams with all events of the scenario. A workload with streams of its own ignores the number. */
  plan(streams: number): PlannedStream[];
  /** Appends everything, one commit per event: streams side by side, each in order. */
  append(streams: readonly PlannedStream[], range?: { from: number; to: number }): Promise<void>;
  /** SIGKILL of the process whose effect call carries this event (0-based index in the stream). */
  killAt(consumer: string, stream: PlannedStream, index: number, when: When): Kill;
  /** A fault that the scenario is about: when it never fires, the scenario proves nothing and fails. */
  mustFire(description: string, handle: FaultHandle): FaultHandle;
  /**
   * The recovery's state machine, from its start to its report; when it asks for an approval, the drill gives it; asked for by the drill. Its result is the scenario's to judge.
   * @example
   * const { report } = await context.recover({ actions: ['fill-gaps'] });
   * if (report.result !== 'recovered') context.problem(`recovery: ${report.result}`);
   */
  recover(input?: Record<string, unknown>): Promise<RecoveryRun>;
  /** Events that a consumer skipped: given again, their effects come after later ones. Everything else must keep its order. */
  mayBeLate(consumer: string, eventIds: readonly string[]): void;
  /** Effects that happened again because the SDK did not get its answer in time and repeated the call. */
  repeatedCalls(consumer: string): number;
  /** Ids that `mayBeLate` was told. */
  lateOf(consumer: string): ReadonlySet<string>;
  progress(text: string): void;
  problem(text: string): void;
  /** Adds a field to the scenario's result. */
  fact(name: string, value: unknown): void;
  close(): Promise<void>;
}

export interface ContextOptions {
  system: DrillSystem;
  workload: Workload;
  scenario: string;
  /** Makes stream names of this run unique. */
  runId: string;
  seed: number;
  events: number;
  progress(text: string): void;
}

/** A drill looks at a system that stands still: what is missing after a second is missing. */
const RECOVERY = { requestedBy: 'drill', trigger: 'drill', graceSeconds: 1 } as const;
/** Appends that are in flight at once. */
const APPEND_CONCURRENCY = 8;
const PROGRESS_EVERY = 100;

export async function openContext(options: ContextOptions): Promise<DrillContext> {
  const { system, workload, seed, events, progress } = options;
  const prefix = `counter-${options.scenario}-${options.runId}-`;
  const ledger = createLedger(system.eventStore, (count) => {
    if (count % PROGRESS_EVERY === 0) progress(`${count} events acknowledged`);
  });
  const effectLog = await workload.openEffectLog(system, prefix);
  const orders = new Map<string, Effect[]>(workload.consumers.map((consumer) => [consumer.name, []]));
  const calls = new Map(workload.consumers.map((consumer) => [consumer.name, createCallCount()]));
  const observers = workload.consumers.map((consumer) =>
    observe(system, consumer, prefix, (effect, callId) => {
      orders.get(consumer.name)?.push(effect);
      calls.get(consumer.name)?.add(callId);
    }),
  );
  for (const rule of STARTS_BY_ITSELF) system.faults.disableRule(rule);
  const planned: PlannedStream[] = [];
  const kills: Kill[] = [];
  const required: { description: string; handle: FaultHandle }[] = [];
  const problems: string[] = [];
  const facts: Record<string, unknown> = {};
  const recoveries: RecoveryRun[] = [];
  const late = new Map<string, Set<string>>(workload.consumers.map(({ name }) => [name, new Set()]));

  const consumer = (name: string): WatchedConsumer => {
    const found = workload.consumers.find((one) => one.name === name);
    if (!found) throw new Error(`workload ${workload.name} has no consumer ${name}`);
    return found;
  };

  const context: DrillContext = {
    system,
    workload,
    ledger,
    random: seededRandom(seed),
    seed,
    events,
    prefix,
    effectLog,
    orderOf: (name) => orders.get(name) ?? [],
    planned,
    kills,
    get problems() {
      const unfired = required.filter(({ handle }) => handle.fired === 0);
      return [...problems, ...unfired.map(({ description }) => `${description} never happened, so nothing was proved`)];
    },
    facts,
    recoveries,
    consumer,
    plan(streams) {
      const plan = workload.plan({ prefix, streams, events, seed });
      planned.push(...plan);
      return plan;
    },
    async append(streams, range) {
      const queue = [...streams];
      const worker = async (): Promise<void> => {
        for (let stream = queue.shift(); stream; stream = queue.shift()) await appendOne(ledger, stream, range);
      };
      await Promise.all(Array.from({ length: APPEND_CONCURRENCY }, worker));
    },
    killAt(name, stream, index, when) {
      const event = stream.events[index];
      if (!event) throw new Error(`${stream.streamId} has no event ${index}`);
      const watched = consumer(name);
      const version = index + 1;
      const handle = system.faults.killOn({
        functionName: name,
        ...watched.effectCall,
        when,
        // One repeated effect per kill can be promised only when one effect is under way.
        alone: watched.effects === 'idempotent',
        match: (bodyText) => watched.isEffectOf(bodyText, event.id),
      });
      // A committed effect is behind the checkpoint; one outside DynamoDB is repeated when the marker was not completed.
      const isDone = when === 'after' && watched.effects === 'transactional';
      const kill: Kill = {
        consumer: name,
        streamId: stream.streamId,
        version,
        when,
        expectedResume: isDone ? version + 1 : version,
        handle,
      };
      kills.push(kill);
      required.push({
        description: `the kill of ${name} ${when} the effect of version ${version} of ${stream.streamId}`,
        handle,
      });
      handle.onFire(() => {
        kill.effectsBefore = orders.get(name)?.length ?? 0;
        progress(`killed ${name} ${when} the effect of version ${version} of ${stream.streamId}`);
      });
      return kill;
    },
    mustFire(description, handle) {
      required.push({ description, handle });
      return handle;
    },
    async recover(input = {}) {
      const started = performance.now();
      const { onState } = approving(system, progress);
      const run = await recoverWhenFree(() => system.recover({ ...RECOVERY, reason: prefix, ...input }, { onState }));
      recoveries.push(run);
      const causes = run.report.findings.map(({ cause }) => cause).join(', ');
      progress(
        `recovery ${run.result} after ${((performance.now() - started) / 1_000).toFixed(1)} s: ${causes || 'no findings'}`,
      );
      return run;
    },
    mayBeLate(name, eventIds) {
      for (const id of eventIds) late.get(name)?.add(id);
    },
    repeatedCalls: (name) => calls.get(name)?.repeated ?? 0,
    lateOf: (name) => late.get(name) ?? new Set(),
    progress,
    problem: (text) => void problems.push(text),
    fact: (name, value) => {
      facts[name] = value;
    },
    async close() {
      for (const observer of observers) observer.remove();
      system.faults.clear();
      await effectLog.stop();
    },
  };
  return context;
}

function observe(
  system: DrillSystem,
  consumer: WatchedConsumer,
  prefix: string,
  happened: (effect: Effect, callId: string | undefined) => void,
): FaultHandle {
  const listener = (call: ObservedCall): void => {
    const effect = call.ok ? consumer.effectOf(call) : undefined;
    if (effect?.streamId.startsWith(prefix)) happened(effect, call.callId);
  };
  return system.faults.observe({ functionName: consumer.name, ...consumer.effectCall }, listener);
}

/** Calls that AWS carried out more than once, because their caller tried again. */
function createCallCount() {
  const seen = new Set<string>();
  let repeated = 0;
  return {
    get repeated() {
      return repeated;
    },
    add(callId: string | undefined): void {
      if (callId === undefined) return;
      if (seen.has(callId)) repeated += 1;
      seen.add(callId);
    },
  };
}

async function appendOne(ledger: Ledger, stream: PlannedStream, range?: { from: number; to: number }): Promise<void> {
  let version = range?.from ?? 0;
  for (const event of stream.events.slice(range?.from, range?.to))
    version = await ledger.append(stream.streamId, [event], version);
}
