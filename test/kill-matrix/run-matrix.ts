// The kill matrix on real processes: while events are appended, functions are killed at random moments, the database gives no
// answer for seconds, queues stand still. Then quiet, a recovery, and the drill's own books: every acknowledged event has its
// effect, a transactional one exactly once, everything in order.

import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalSystem } from '../../lib/local/index.ts';
import { isEventRecoveryError } from '../../lib/model/errors.ts';
import { progressOf } from '../../lib/recovery/drill/checkpoints.ts';
import { type DrillContext, openContext } from '../../lib/recovery/drill/context.ts';
import { settle } from '../../lib/recovery/drill/settle.ts';
import { type ConsumerVerdict, judge, problemsOf } from '../../lib/recovery/drill/verdict.ts';
import type { PlannedStream } from '../../lib/recovery/drill/workload.ts';
import { orders } from '../../lib/recovery/drill/workloads/orders.ts';

export interface MatrixOptions {
  system: LocalSystem;
  events: number;
  streams: number;
  seed: number;
  /** Unique per run. */
  runId: string;
  /** Mean time between two disturbances. */
  everyMs: number;
  /** Longest time for becoming quiet. */
  quietLimitMs: number;
  progress(text: string): void;
}

export interface MatrixResult {
  ok: boolean;
  seed: number;
  events: number;
  streams: number;
  /** Disturbances by name: kills of each function, pauses of the database and of each queue. */
  disturbances: Record<string, number>;
  consumers: Omit<ConsumerVerdict, 'lostEvents'>[];
  recoveries: string[];
  problems: string[];
  seconds: number;
}

const VICTIMS = ['inventory', 'notification', 'RelayCommits', 'inventory', 'notification'] as const;
/** Longer than a consumer's calls may take (2 s), shorter than its function may (10 s): both sides are met. */
const DATABASE_PAUSE_MS = { min: 1_500, max: 4_000 };
const QUEUE_PAUSE_MS = 1_500;
/** Tries of one append; the store tells when another one is safe. */
const APPEND_TRIES = 30;
const APPENDS_AT_ONCE = 16;

export async function runMatrix(options: MatrixOptions): Promise<MatrixResult> {
  const { system, seed, progress } = options;
  const started = performance.now();
  const context = await openContext({ ...options, workload: orders, scenario: 'kill-matrix' });
  const consumers = orders.consumers.map(({ name }) => name);
  const endsBefore = new Map(consumers.map((name) => [name, system.unplannedEnds(name)]));
  const disturbances: Record<string, number> = {};
  try {
    const streams = context.plan(options.streams);
    const stop = new AbortController();
    const sabotage = disturb(context, options, disturbances, stop.signal);
    await appendAll(context, streams).catch((error: Error) => context.problem(`append: ${error.message}`));
    stop.abort();
    await sabotage;
    progress(`appended; ${JSON.stringify(disturbances)}; waiting until nothing is under way`);
    await settle(context, { limitMs: options.quietLimitMs });
    await recoverAll(context, consumers, options.quietLimitMs);
    const verdicts = await Promise.all(
      orders.consumers.map(async ({ name, effects, eventTypes }) =>
        judge(context.ledger.entries, {
          name,
          effects,
          eventTypes,
          applied: await context.effectLog.applied(name),
          order: context.orderOf(name),
          kills: 0,
          // A killed process may have had an effect of each of its streams under way.
          unplannedEnds: system.unplannedEnds(name) - (endsBefore.get(name) ?? 0) + (disturbances[`kill ${name}`] ?? 0),
          repeatedCalls: context.repeatedCalls(name),
        }),
      ),
    );
    const problems = [...context.problems, ...verdicts.flatMap((verdict) => problemsOf(verdict, streams.length))];
    const appended = context.ledger.entries.length;
    if (appended !== options.events) problems.push(`${appended} of ${options.events} events were acknowledged`);
    return {
      ok: problems.length === 0,
      seed,
      events: appended,
      streams: streams.length,
      disturbances,
      consumers: verdicts.map(({ lostEvents: _, ...verdict }) => verdict),
      recoveries: context.recoveries.map(({ report }) => report.result),
      problems,
      seconds: Math.round((performance.now() - started) / 1_000),
    };
  } finally {
    system.local.database.resume();
    await context.close();
  }
}

/** Streams side by side, each in order. An append of which nobody knows whether it took effect is tried again as it is. */
async function appendAll({ ledger }: DrillContext, streams: readonly PlannedStream[]): Promise<void> {
  const queue = [...streams];
  const worker = async (): Promise<void> => {
    for (let stream = queue.shift(); stream; stream = queue.shift()) {
      let version = 0;
      for (const event of stream.events) {
        for (let tries = 1; ; tries++) {
          try {
            version = await ledger.append(stream.streamId, [event], version);
            break;
          } catch (error) {
            if (!isEventRecoveryError(error) || !error.retryable || tries === APPEND_TRIES) throw error;
            await sleep(250);
          }
        }
      }
    }
  };
  await Promise.all(Array.from({ length: APPENDS_AT_ONCE }, worker));
}

async function disturb(
  { random, system }: DrillContext,
  { everyMs, system: { local } }: MatrixOptions,
  disturbances: Record<string, number>,
  signal: AbortSignal,
): Promise<void> {
  const count = (name: string): void => {
    disturbances[name] = (disturbances[name] ?? 0) + 1;
  };
  const wait = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
  const between = (min: number, max: number): number => min + Math.floor(random.next() * (max - min));
  while (!signal.aborted) {
    await wait(between(everyMs / 2, everyMs * 1.5));
    if (signal.aborted) return;
    const choice = random.next();
    if (choice < 0.15) {
      count('pause database');
      local.database.pause();
      await wait(between(DATABASE_PAUSE_MS.min, DATABASE_PAUSE_MS.max));
      local.database.resume();
    } else if (choice < 0.3) {
      const name = VICTIMS[between(0, 2)] as string;
      count(`pause queue of ${name}`);
      await system.faults.pauseMappings(name);
      await wait(QUEUE_PAUSE_MS);
      system.faults.resumeMappings(name);
    } else {
      const name = VICTIMS[between(0, VICTIMS.length)] as string;
      if (system.kill(name) > 0) count(`kill ${name}`);
    }
  }
}

/** What is lost is repaired; an event whose function was killed at each of its tries was given up, and is given back. */
async function recoverAll(context: DrillContext, consumers: readonly string[], limitMs: number): Promise<void> {
  const attempt = async (actions: string[]): Promise<void> => {
    await context.recover({ actions }).catch((error: Error) => context.problem(error.message));
    await settle(context, { limitMs });
  };
  await attempt(['repair']);
  let parked = 0;
  for (const name of consumers) parked += (await progressOf(context.system, name, context.ledger.entries)).parked;
  if (parked > 0) await attempt(['redrive', 'fill-gaps']);
}
