// What the kill matrix does to a running system, seeded: each kind once, in a random order, then whatever comes. A database in
// memory is never restarted.

import { setTimeout as sleep } from 'node:timers/promises';
import type { FunctionSpec, LambdaFunction } from '../../lib/local/functions/lambda-function.ts';
import type { LocalSystem } from '../../lib/local/index.ts';
import type { DrillContext } from '../../lib/recovery/drill/context.ts';
import { shuffled } from '../../lib/recovery/drill/random.ts';

/** Where events move: what is killed most. */
const GROUND_FLOOR = ['inventory', 'notification', 'RelayCommits'] as const;
/** Longer than a consumer's calls may take (2 s), shorter than its function may (10 s): both sides are met. */
const DATABASE_PAUSE_MS = { min: 1_500, max: 4_000 };
/** From the end of the killed process to the start of the new one, which takes a few seconds more. */
const DATABASE_DOWN_MS = { min: 0, max: 1_500 };
const QUEUE_PAUSE_MS = 1_500;
/** How long a function that a schedule started is left alive. */
const HEAD_START_MS = { min: 50, max: 1_500 };

/** Chances, in all 1. */
const KINDS = {
  'pause database': 0.1,
  'restart database': 0.05,
  'pause queue': 0.15,
  'kill scheduled': 0.15,
  kill: 0.55,
} as const;
type Kind = keyof typeof KINDS;

export interface DisturbOptions {
  /** Mean time between two disturbances. */
  everyMs: number;
  system: Pick<LocalSystem, 'local'>;
}

/**
 * Ends when the signal is given and each kind was there once, with everything running again.
 * @param counts filled by name of the disturbance
 */
export async function disturb(
  { random, system }: DrillContext,
  { everyMs, system: { local } }: DisturbOptions,
  counts: Record<string, number>,
  signal: AbortSignal,
): Promise<void> {
  const count = (name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const between = ({ min, max }: { min: number; max: number }): number => min + Math.floor(random.next() * (max - min));
  const one = <T>(all: readonly T[]): T => all[between({ min: 0, max: all.length })] as T;
  const { buses, functions } = local.cloud;

  const does: Record<Kind, () => Promise<void>> = {
    async 'pause database'() {
      count('pause database');
      local.database.pause();
      await sleep(between(DATABASE_PAUSE_MS));
      local.database.resume();
    },
    async 'restart database'() {
      count('restart database');
      await local.database.restart(between(DATABASE_DOWN_MS));
    },
    async 'pause queue'() {
      const name = one(GROUND_FLOOR.slice(0, 2));
      count(`pause queue of ${name}`);
      await system.faults.pauseMappings(name);
      await sleep(QUEUE_PAUSE_MS);
      system.faults.resumeMappings(name);
    },
    /** Functions of the upper floor rest most of the time: one is set to work, then killed. */
    async 'kill scheduled'() {
      const scheduled = buses.rules().filter(({ schedule, targets }) => {
        return schedule !== undefined && targets[0]?.Arn.includes(':lambda:');
      });
      const rule = one(scheduled);
      const target = functions.get(rule.targets[0]?.Arn ?? '');
      await system.faults.triggerRule(rule.name);
      await sleep(between(HEAD_START_MS));
      if (target.kill() > 0) count(`kill ${nameOf(target.spec)}`);
    },
    async kill() {
      const name = one(GROUND_FLOOR);
      if (system.kill(name) > 0) count(`kill ${name}`);
    },
  };

  const draw = (): Kind => {
    let left = random.next();
    for (const [kind, chance] of Object.entries(KINDS)) {
      left -= chance;
      if (left < 0) return kind as Kind;
    }
    return 'kill';
  };

  const isPossible = (kind: Kind): boolean => kind !== 'restart database' || local.database.dataFolder !== undefined;
  const first = shuffled((Object.keys(KINDS) as Kind[]).filter(isPossible), random);
  while (!signal.aborted || first.length > 0) {
    await sleep(between({ min: everyMs / 2, max: everyMs * 1.5 }));
    const kind = first.shift() ?? draw();
    await does[isPossible(kind) ? kind : 'kill']();
  }
}

/** A state of the recovery is tried five times: so often each function may be killed, and the recovery must still end well. */
const KILLS_OF_EACH_MAX = 2;
const LOOK_MS = { min: 20, max: 200 };
/** The lease of a scan that died lasts as long as its function may work, and a recovery waits for it: five minutes of nothing. */
const SPARED = 'ScanGaps';

/**
 * While a recovery is at work: kills whatever function of it works at a random moment, also those that only its state machine starts.
 * @param counts filled by name of the disturbance
 */
export async function disturbRecovery(
  { random }: DrillContext,
  { system: { local } }: Pick<DisturbOptions, 'system'>,
  counts: Record<string, number>,
  signal: AbortSignal,
): Promise<void> {
  const killed = new Map<string, number>();
  const isVictim = ({ spec, busy }: LambdaFunction): boolean =>
    busy > 0 && !isGroundFloor(spec) && nameOf(spec) !== SPARED && (killed.get(spec.name) ?? 0) < KILLS_OF_EACH_MAX;
  while (!signal.aborted) {
    await sleep(LOOK_MS.min + Math.floor(random.next() * (LOOK_MS.max - LOOK_MS.min)));
    const victims = local.cloud.functions.all().filter(isVictim);
    const victim = victims[Math.floor(random.next() * victims.length)];
    if (victim === undefined || victim.kill() === 0) continue;
    killed.set(victim.spec.name, (killed.get(victim.spec.name) ?? 0) + 1);
    const name = `kill ${nameOf(victim.spec)} in a recovery`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
}

const isGroundFloor = (spec: FunctionSpec): boolean => (GROUND_FLOOR as readonly string[]).includes(nameOf(spec));

/** A function as a reader knows it: its consumer, or its construct. */
function nameOf({ aliases, path, logicalId }: FunctionSpec): string {
  const parts = path?.split('/').filter((part) => part !== 'Resource' && part !== 'Function');
  return aliases?.[0] ?? parts?.at(-1) ?? logicalId;
}
