// Everything that one run shares: virtual time, seeded faults, the DynamoDB engine, bus and queues, the ledger and the
// checks that watch every write. What runs on it (producers, relay, consumers) is composed in the other files here.

import { createMemoryDynamo, type MemoryDynamo } from '../../../lib/platform/dynamodb/memory/index.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { ALL_TABLES } from '../../../lib/platform/dynamodb/schemas.ts';
import type { TableSchema } from '../../../lib/platform/dynamodb/table-schema.ts';
import { type Logger, loggerOf } from '../../../lib/platform/logging.ts';
import type { Metrics } from '../../../lib/platform/metrics.ts';
import { createServerClock, type ServerClock } from '../../../lib/platform/server-clock.ts';
import { type Checks, createChecks } from '../invariants/checks.ts';
import { createObserver, type Observer } from '../invariants/observer.ts';
import { createViolations, type Violations } from '../invariants/violations.ts';
import { createProcess, type SimulatedProcess } from '../kernel/process.ts';
import { createScheduler, type Scheduler, START_OF_TIME } from '../kernel/scheduler.ts';
import { createTrace, type Trace } from '../kernel/trace.ts';
import type { Plan } from '../scenario/plan.ts';
import { createEventBus, type EventBus } from '../world/event-bus.ts';
import { createFaults, type Faults } from '../world/faults.ts';
import { createFaultyDynamo } from '../world/faulty-dynamo.ts';
import { type CallPort, createCallPort } from '../world/port-calls.ts';
import { createSleepers } from '../world/sleepers.ts';
import { createDisturbances, type Disturbances } from './disturbances.ts';

export const EFFECTS_TABLE: TableSchema = {
  name: 'Effects',
  partitionKey: { name: 'pk', type: 'S' },
  sortKey: { name: 'sk', type: 'S' },
};

/** The tables as one process reaches them, and the server's clock as it knows it. */
export interface Reach {
  dynamo: Dynamo;
  serverClock: ServerClock;
}

export interface Cloud {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly faults: Faults;
  readonly violations: Violations;
  readonly engine: MemoryDynamo;
  readonly observer: Observer;
  readonly checks: Checks;
  readonly bus: EventBus;
  readonly call: CallPort;
  readonly disturbances: Disturbances;
  /** Streams that the intake has left to the gap scan: somebody's queue gave up on them again and again. */
  readonly owedToScan: Set<string>;
  /** Recovery branches taken, by name. */
  readonly branches: Map<string, number>;
  reach(process: SimulatedProcess): Reach;
  logger(component: string): Logger;
  metrics(component: string): Metrics;
  /** Called after every new commit in the Events table. */
  onCommit(react: () => void): void;
  /** A process that is no Lambda function. */
  startProcess(name: string): SimulatedProcess;
}

export function createCloud(plan: Plan, drain: () => void, keepTrace: boolean): Cloud {
  const { seed } = plan;
  const scheduler = createScheduler(drain);
  const trace = createTrace(scheduler.now, START_OF_TIME, keepTrace);
  const faults = createFaults(plan.faults, scheduler.now, trace);
  const violations = createViolations(
    () => scheduler.now() - START_OF_TIME,
    ({ kind, detail }) => trace.note('VIOLATION', `${kind}: ${detail}`),
  );
  const disturbances = createDisturbances(scheduler.now);
  const sleepers = createSleepers(scheduler, disturbances.note);
  const { onTakeOver } = sleepers;
  const checks = createChecks({ plan, violations, disturbances, now: scheduler.now, onTakeOver });
  let committed = (): void => undefined;
  const observer = createObserver((change) => {
    checks.onChange(change);
    if (change.table === 'Events') committed();
  });
  const engine = createMemoryDynamo({
    clock: { now: scheduler.now },
    tables: [...ALL_TABLES, EFFECTS_TABLE],
    onChange: observer.onChange,
  });
  const call = createCallPort({ scheduler, faults, trace, seed, disturbed: disturbances.note, sleepers });
  const owedToScan = new Set<string>();
  const branches = new Map<string, number>();
  const take = (branch: string): void => void branches.set(branch, (branches.get(branch) ?? 0) + 1);

  return {
    plan,
    scheduler,
    trace,
    faults,
    violations,
    engine,
    observer,
    checks,
    call,
    disturbances,
    owedToScan,
    branches,
    bus: createEventBus(scheduler, faults, trace, seed),
    reach: (process) => {
      const serverClock = createServerClock(process.world.clock);
      const { observe } = serverClock;
      const faulty = createFaultyDynamo({
        process,
        engine,
        call,
        faults,
        observer,
        now: scheduler.now,
        onResponse: observe,
      });
      return { serverClock, dynamo: faulty };
    },
    logger: (component) =>
      loggerOf(({ level, message, facts }) => {
        if (level === 'debug') return;
        trace.note(component, `${message}${keepTrace ? factsText(facts) : ''}`);
        take(`${component}: ${message}`);
        checks.onLogLine(component, level, facts);
        const { decision, streamId } = facts as { decision?: { kind?: string }; streamId?: string };
        if (component === 'intake' && decision?.kind === 'owe') owedToScan.add(streamId ?? '');
      }),
    metrics: (component) => ({
      count: (name, value = 1, unit = 'Count') => {
        if (value > 0 && unit === 'Count') take(`${component}: ${name}`);
      },
      flush: () => undefined,
    }),
    onCommit: (react) => {
      committed = react;
    },
    startProcess: (name) => {
      const isOff = faults.strikes('clock-skew', name);
      const skewMs = isOff ? faults.details('clock-skew').int(-300_000, 300_000) : 0;
      return createProcess(scheduler, { name, seed, skewMs });
    },
  };
}

function factsText(facts: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(facts).filter(([, value]) => value !== undefined && value !== '');
  return ` ${JSON.stringify(Object.fromEntries(shown), (_, value) => (value instanceof Error ? String(value) : value))}`;
}
