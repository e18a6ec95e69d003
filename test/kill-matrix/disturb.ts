// What the kill matrix does to a running system, seeded: each kind once, in a random order, then whatever comes.

import { setTimeout as sleep } from 'node:timers/promises';
import type { FunctionSpec } from '../../lib/local/functions/lambda-function.ts';
import type { DrillContext } from '../../lib/recovery/drill/context.ts';
import { shuffled } from '../../lib/recovery/drill/random.ts';
import type { MatrixOptions } from './run-matrix.ts';

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

/**
 * Ends when the signal is given and each kind was there once, with everything running again.
 * @param counts filled by name of the disturbance
 */
export async function disturb(
  { random, system }: DrillContext,
  { everyMs, system: { local } }: MatrixOptions,
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

  const first = shuffled(Object.keys(KINDS) as Kind[], random);
  while (!signal.aborted || first.length > 0) {
    await sleep(between({ min: everyMs / 2, max: everyMs * 1.5 }));
    await does[first.shift() ?? draw()]();
  }
}

const DATABASE_CALLS = [
  'GetItem',
  'BatchGetItem',
  'Query',
  'Scan',
  'PutItem',
  'UpdateItem',
  'BatchWriteItem',
  'TransactWriteItems',
];
/** The kill comes at one of a function's first calls of the database. */
const KILLED_AT_CALL_MAX = 3;

/**
 * From now on each function that moves no events is killed once, in the middle of its work. Its callers try again: the state
 * machine, a schedule, a queue.
 * @returns takes back what did not happen
 */
export function killEachOnce(
  { random, system }: DrillContext,
  { system: { local } }: MatrixOptions,
  counts: Record<string, number>,
): () => void {
  const groundFloor = new Set(GROUND_FLOOR.map((name) => local.cloud.functions.get(name).spec.name));
  const handles = local.cloud.functions.all().flatMap(({ spec }) => {
    if (groundFloor.has(spec.name)) return [];
    const handle = system.faults.killOn({
      functionName: spec.name,
      service: 'dynamodb',
      operation: DATABASE_CALLS,
      when: random.next() < 0.5 ? 'before' : 'after',
      nth: 1 + Math.floor(random.next() * KILLED_AT_CALL_MAX),
    });
    const name = `kill ${nameOf(spec)}`;
    handle.onFire(() => {
      counts[name] = (counts[name] ?? 0) + 1;
    });
    return [handle];
  });
  return () => {
    for (const handle of handles) handle.remove();
  };
}

/** A function as a reader knows it: its consumer, or its construct. */
function nameOf({ aliases, path, logicalId }: FunctionSpec): string {
  const parts = path?.split('/').filter((part) => part !== 'Resource' && part !== 'Function');
  return aliases?.[0] ?? parts?.at(-1) ?? logicalId;
}
