// The kill matrix on real processes: while events are appended, functions are killed at random moments, the database gives no
// answer for seconds or is killed and started again, queues stand still. Then quiet, recoveries whose own functions are killed, a last one in peace, and the drill's own books: every acknowledged event has its
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
import { disturb, disturbRecovery } from './disturb.ts';

export interface MatrixOptions {
  /** Its database is restarted too when it keeps its data (`keepData`). */
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
  /** Disturbances by name: kills of each function, pauses and restarts of the database, pauses of each queue. */
  disturbances: Record<string, number>;
  consumers: Omit<ConsumerVerdict, 'lostEvents'>[];
  /** How the recoveries ended whose functions were killed: their results, or the names of their Fail states. */
  underFire: string[];
  recoveries: string[];
  problems: string[];
  seconds: number;
}

/** Tries of one append, 250 ms apart: longer than a restart takes on a busy machine. The store tells when another one is safe. */
const APPEND_TRIES = 120;
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
    const sabotage = disturb(context, options, disturbances, stop.signal).catch((error: Error) =>
      context.problem(`disturbing: ${error.message}`),
    );
    await appendAll(context, streams).catch((error: Error) => context.problem(`append: ${error.message}`));
    stop.abort();
    await sabotage;
    progress(`appended; ${JSON.stringify(disturbances)}; waiting until nothing is under way`);
    await settle(context, { limitMs: options.quietLimitMs });
    progress('quiet; recovering, while the functions of the recovery are killed');
    const underFire = await recoverUnderFire(context, options, disturbances);
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
      underFire,
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

/** A recovery may fail under fire, by name; another one then finds what it left. */
async function recoverUnderFire(
  context: DrillContext,
  options: MatrixOptions,
  disturbances: Record<string, number>,
): Promise<string[]> {
  const ends: string[] = [];
  for (const actions of [['repair'], ['resume', 'fill-gaps']]) {
    const stop = new AbortController();
    const sabotage = disturbRecovery(context, options, disturbances, stop.signal).catch((error: Error) =>
      context.problem(`disturbing a recovery: ${error.message}`),
    );
    try {
      ends.push((await context.recover({ actions })).report.result);
    } catch (error) {
      const { error: end } = isEventRecoveryError(error) ? error.facts : {};
      ends.push(String(end));
      if (!NAMED_ENDS.has(String(end))) context.problem(`a recovery under fire: ${(error as Error).message}`);
    }
    stop.abort();
    await sabotage;
    await settle(context, { limitMs: options.quietLimitMs });
  }
  return ends;
}

/** Fail states that say that a function did not get to its end (lib/infra/constructs/recovery/recovery-definition.ts). */
const NAMED_ENDS: ReadonlySet<string> = new Set(['ValidationFailed', 'RepairFailed', 'VerificationFailed']);

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
