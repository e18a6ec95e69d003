// Runs scenarios one after the other on one system: inject and append, wait for quiet, compare the books, report.

import { progressOf } from './checkpoints.ts';
import { type DrillContext, type Kill, openContext } from './context.ts';
import { recoveryProblems, recoveryResult } from './judge-recoveries.ts';
import type { DrillReport, KillResult, Scenario, ScenarioResult } from './scenario.ts';
import { settle } from './settle.ts';
import type { DrillSystem } from './system.ts';
import { judge, problemsOf } from './verdict.ts';
import type { Workload } from './workload.ts';

export interface RunOptions {
  system: DrillSystem;
  workload: Workload;
  scenarios: readonly Scenario[];
  seed: number;
  /** Events per scenario, in all; overrides the scenario's own number. */
  events?: number;
  /** Unique per run: part of the streams' names. */
  runId: string;
  /** False: no recovery after a scenario that runs none itself, and none is asked for. For tests of the verdict. @default true */
  recover?: boolean;
  progress(text: string): void;
}

const DEFAULT_EVENTS = 400;

export async function runDrill(options: RunOptions): Promise<DrillReport> {
  const results: ScenarioResult[] = [];
  for (const scenario of options.scenarios) results.push(await runScenario(scenario, options));
  return { ok: results.every((result) => result.ok), scenarios: results };
}

async function runScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const { system, workload, seed } = options;
  const started = performance.now();
  const progress = (text: string): void => {
    const seconds = ((performance.now() - started) / 1_000).toFixed(1).padStart(6);
    options.progress(`${scenario.name} ${seconds} s  ${text}`);
  };
  const deadLettersBefore = await deadLetterCount(system);
  const endsBefore = new Map(workload.consumers.map(({ name }) => [name, system.unplannedEnds(name)]));
  const events = options.events ?? scenario.events ?? DEFAULT_EVENTS;
  const context = await openContext({
    system,
    workload,
    scenario: scenario.name,
    runId: options.runId,
    seed,
    events,
    progress,
  });
  try {
    // A scenario that cannot go on has failed; what it did until then is judged all the same.
    await scenario.run(context).catch((error: Error) => context.problem(error.message));
    progress('waiting until nothing is under way');
    await settle(context);
    if (context.recoveries.length === 0 && options.recover !== false) {
      await context.recover({ actions: ['repair'] }).catch((error: Error) => context.problem(error.message));
      await settle(context);
    }
    await scenario.verify?.(context);
    const deadLetters = (await deadLetterCount(system)) - deadLettersBefore;
    const result = await resultOf(scenario, context, deadLetters, endsBefore, options.recover !== false);
    return { ...result, seconds: Math.round((performance.now() - started) / 100) / 10 };
  } finally {
    await context.close();
  }
}

async function resultOf(
  scenario: Scenario,
  context: DrillContext,
  deadLetters: number,
  endsBefore: ReadonlyMap<string, number>,
  mustRecover: boolean,
): Promise<Omit<ScenarioResult, 'seconds'>> {
  const { workload, ledger, system } = context;
  const problems = [...context.problems];
  const streams = new Set(ledger.entries.map((entry) => entry.streamId)).size;
  const consumers: ScenarioResult['consumers'] = [];
  for (const consumer of workload.consumers) {
    const { lostEvents, ...verdict } = judge(ledger.entries, {
      name: consumer.name,
      effects: consumer.effects,
      eventTypes: consumer.eventTypes,
      applied: await context.effectLog.applied(consumer.name),
      order: context.orderOf(consumer.name),
      mayBeLate: context.lateOf(consumer.name),
      unplannedEnds: system.unplannedEnds(consumer.name) - (endsBefore.get(consumer.name) ?? 0),
      repeatedCalls: context.repeatedCalls(consumer.name),
      kills: context.kills.filter((kill) => kill.consumer === consumer.name && kill.handle.fired > 0).length,
    });
    const progress = await progressOf(system, consumer.name, ledger.entries);
    consumers.push({ ...verdict, ...progress });
    const excused = scenario.allowsParked ? Math.min(progress.parked, verdict.lost) : 0;
    problems.push(...problemsOf({ ...verdict, lost: verdict.lost - excused, lostEvents }, streams));
    if (progress.parked > 0 && !scenario.allowsParked)
      problems.push(`${consumer.name}: ${progress.parked} events are parked`);
  }
  if (deadLetters > 0 && !scenario.allowsDeadLetters)
    problems.push(`${deadLetters} messages lie in dead-letter queues`);
  const kills = context.kills.map((kill) => killResult(kill, context));
  for (const [index, kill] of context.kills.entries()) {
    const { resumedAt } = kills[index] as KillResult;
    if (kill.handle.fired > 0 && resumedAt !== null && resumedAt !== kill.expectedResume) {
      problems.push(`${kill.consumer} resumed ${kill.streamId} at version ${resumedAt}, not ${kill.expectedResume}`);
    }
  }
  if (mustRecover) {
    const verifying = workload.consumers.filter(({ verifiesEffects }) => verifiesEffects).map(({ name }) => name);
    problems.push(...recoveryProblems(context.recoveries, scenario.finds ?? [], verifying));
  }
  problems.push(...((await workload.compare?.(context.planned, system)) ?? []));
  const total = (pick: (consumer: (typeof consumers)[number]) => number): number =>
    consumers.reduce((sum, one) => sum + pick(one), 0);
  return {
    name: scenario.name,
    ok: problems.length === 0,
    input: workload.name,
    seed: context.seed,
    streams,
    appended: ledger.entries.length,
    resolved: Math.min(...consumers.map((consumer) => consumer.resolved)),
    parked: total((consumer) => consumer.parked),
    lost: total((consumer) => consumer.lost),
    doubled: total((consumer) => consumer.doubled),
    repeated: total((consumer) => consumer.repeated),
    reordered: total((consumer) => consumer.reordered),
    deadLetters,
    kills,
    consumers,
    recoveries: context.recoveries.map(recoveryResult),
    problems,
    facts: { ...context.facts },
  };
}

/** Where a consumer went on: its first effect on that stream after the kill. */
function killResult(kill: Kill, context: DrillContext): KillResult {
  const later = kill.effectsBefore === undefined ? [] : context.orderOf(kill.consumer).slice(kill.effectsBefore);
  const first = later.find((effect) => effect.streamId === kill.streamId);
  const { consumer, streamId, version, when } = kill;
  return { consumer, streamId, version, when, resumedAt: first?.version ?? null };
}

async function deadLetterCount(system: DrillSystem): Promise<number> {
  const queues = await system.queues();
  return queues
    .filter((queue) => queue.isDeadLetterQueue)
    .reduce((sum, queue) => sum + queue.waiting + queue.inFlight, 0);
}
