// The proof: re-reads store, log, directory, registry, checkpoints, dead letters and open gaps, puts every appended event into
// exactly one box per consumer, and asks the consumers about their effects. Reads are consistent but not one snapshot, so what
// looks wrong is looked at again: a system that moves gives no false violation, and a real one is there at every look.

import { askAboutWhole, type EffectQuestions } from './effects.ts';
import { inParallel } from './in-parallel.ts';
import { type Asked, directoryVersion, type LookDeps, look, readMark, type StreamLook } from './look.ts';
import { scanItems } from './read.ts';
import { readRegistry } from './read-facts.ts';
import { openTotals, type Totals } from './totals.ts';
import type { Verdict } from './types.ts';

export type { VerifyTables } from './look.ts';

export interface VerifyInput {
  /** Only these streams (a batch of a large verification). @default every stream of the store */
  streamIds?: readonly string[];
  /** Only these consumers. @default all active ones */
  consumers?: readonly string[];
  /** Events of streams with this prefix only. */
  streamPrefix?: string;
  /** Unresolved events younger than this are lagging, not a gap. @default 15 minutes */
  lagBoundMs?: number;
  /** Also refuse lagging events. */
  quiet?: boolean;
  /** Milliseconds since 1970, server clock. */
  now: number;
}

export interface VerifyDeps extends LookDeps {
  /** Absent: no consumer is asked, and the verdict says so. */
  questions?: EffectQuestions;
}

const LAG_BOUND_MS = 15 * 60_000;
/**
 * The first look reads table after table, minutes apart on a large store; the others read the few streams in doubt within a
 * second. What is wrong in all of them while the stream did not move in the last one is wrong.
 */
const LOOKS_MAX = 4;
const READS_AT_ONCE = 16;

/**
 * @example
 * const verdict = await verify({ dynamo, tables }, { now: clock.now(), quiet: true });
 * if (!verdict.ok) console.error(verdict.violations);
 */
export async function verify(deps: VerifyDeps, input: VerifyInput): Promise<Verdict> {
  const { dynamo, tables, questions } = deps;
  const consumers = await readRegistry(dynamo, tables.checkpoints, input.consumers);
  const all = input.streamIds ? await headsOf(deps, input.streamIds) : await listStreams(deps);
  const streams = new Map([...all].filter(([streamId]) => streamId.startsWith(input.streamPrefix ?? '')));
  const totals = openTotals(consumers, questions !== undefined);
  const once = { consumers, now: input.now, lagBoundMs: input.lagBoundMs ?? LAG_BOUND_MS };

  let inDoubt = await firstLook(deps, { ...once, streams }, totals);
  for (let round = 2; round <= LOOKS_MAX && inDoubt.length > 0; round += 1) {
    inDoubt = await lookAgain(deps, once, inDoubt, totals, round === LOOKS_MAX);
  }
  if (questions !== undefined) {
    for (const consumer of consumers) {
      if (consumer.verifiesEffects) totals.addWhole(consumer.name, await askAboutWhole(questions, consumer));
    }
  }
  return totals.verdict({ streams: streams.size, quiet: input.quiet === true });
}

/** Ids of the streams that something is wrong with. */
async function firstLook(deps: VerifyDeps, input: Parameters<typeof look>[1], totals: Totals): Promise<string[]> {
  const asked: Asked = new Map();
  const looks = look(deps, input, asked);
  const inDoubt: string[] = [];
  for (;;) {
    const { done, value } = await looks.next();
    if (done) {
      totals.addLog(value);
      totals.addAsked(asked);
      totals.addUnanswered(asked);
      return inDoubt;
    }
    if (isClean(value)) totals.add(value);
    else inDoubt.push(value.streamId);
  }
}

/** Those that moved and still look wrong. In the last round everything is judged. */
async function lookAgain(
  deps: VerifyDeps,
  once: Omit<Parameters<typeof look>[1], 'streams'>,
  streamIds: readonly string[],
  totals: Totals,
  isLast: boolean,
): Promise<string[]> {
  const marks = async () =>
    new Map(
      await inParallel(
        streamIds,
        READS_AT_ONCE,
        async (id): Promise<[string, string]> => [id, await readMark(deps, once.consumers, id)],
      ),
    );
  const before = await marks();
  const looks: StreamLook[] = [];
  const asked: Asked = new Map();
  for await (const one of look(deps, { ...once, streams: await headsOf(deps, streamIds) }, asked)) looks.push(one);
  totals.addUnanswered(asked);
  const after = await marks();
  const moving: string[] = [];
  for (const one of looks) {
    const hasMoved = before.get(one.streamId) !== one.mark || after.get(one.streamId) !== one.mark;
    if (isClean(one) || !hasMoved) totals.add(one);
    else if (isLast) totals.add(one, { isMoving: true });
    else moving.push(one.streamId);
  }
  return moving;
}

const isClean = ({ violations, effects }: StreamLook): boolean => violations.length === 0 && effects.size === 0;

/** Every stream that store or directory know; a stream whose items all vanished is found by the directory. */
async function listStreams({ dynamo, tables }: LookDeps): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const { pk, sk, version } of scanItems(dynamo, tables.log, ['pk', 'sk', 'version'])) {
    if (sk === 'head' && String(pk).startsWith('stream#'))
      found.set(String(pk).slice('stream#'.length), Number(version));
  }
  for await (const item of scanItems(dynamo, tables.events, ['streamId'])) {
    const streamId = String(item.streamId);
    if (!found.has(streamId)) found.set(streamId, 0);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const headsOf = async (deps: LookDeps, streamIds: readonly string[]): Promise<Map<string, number>> =>
  new Map(
    await inParallel(
      streamIds,
      READS_AT_ONCE,
      async (id): Promise<[string, number]> => [id, await directoryVersion(deps, id)],
    ),
  );
