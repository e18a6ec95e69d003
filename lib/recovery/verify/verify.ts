// The proof: re-reads store, log, directory, registry, checkpoints, dead letters and open gaps, puts every appended event into
// exactly one box per consumer, and asks the consumers about their effects. Here all at once; verification.ts does it in batches.

import { askAboutWhole, CONSUMERS_ASKED_AT_ONCE, type EffectQuestions, type EffectsFound } from './effects.ts';
import { inParallel } from './in-parallel.ts';
import { listStreams, type Streams } from './list-streams.ts';
import type { LookDeps } from './look.ts';
import { type RegisteredFacts, readRegistry } from './read-facts.ts';
import { readDirectory } from './read-standing.ts';
import { openTotals, type Totals } from './totals.ts';
import type { Verdict } from './types.ts';
import { verifyStreams } from './verify-streams.ts';

export type { VerifyTables } from './look.ts';

/** What a verification is about. */
export interface VerifyScope {
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

export interface VerifyInput extends VerifyScope {
  /** Only these streams. @default every stream of the store */
  streamIds?: readonly string[];
}

export interface VerifyDeps extends LookDeps {
  /** Absent: no consumer is asked, and the verdict says so. */
  questions?: EffectQuestions;
}

export const LAG_BOUND_MS = 15 * 60_000;

/**
 * @example
 * const verdict = await verify({ dynamo, tables }, { now: clock.now(), quiet: true });
 * if (!verdict.ok) console.error(verdict.violations);
 */
export async function verify(deps: VerifyDeps, input: VerifyInput): Promise<Verdict> {
  const consumers = await readRegistry(deps.dynamo, deps.tables.checkpoints, input.consumers);
  const { streamIds, streamPrefix = '' } = input;
  const streams = streamIds
    ? await readDirectory(
        deps,
        streamIds.filter((id) => id.startsWith(streamPrefix)),
      )
    : await listStreams(deps, streamPrefix);
  return verifyListed(deps, { ...input, consumers, streams });
}

export interface ListedInput extends Omit<VerifyScope, 'consumers' | 'streamPrefix'> {
  consumers: readonly RegisteredFacts[];
  streams: Streams;
}

/** `verify` of streams that are listed already, in one go. */
export async function verifyListed(deps: VerifyDeps, input: ListedInput): Promise<Verdict> {
  const { consumers, streams, now, lagBoundMs = LAG_BOUND_MS, quiet = false } = input;
  const totals = openTotals(consumers, deps.questions !== undefined);
  totals.addStreams(streams.size);
  totals.addLog(await verifyStreams(deps, { consumers, streams, now, lagBoundMs }, totals));
  await askWholes(deps, consumers, totals);
  return totals.verdict({ quiet });
}

/** Once in a verification, after all streams. */
export async function askWholes(
  { questions }: VerifyDeps,
  consumers: readonly RegisteredFacts[],
  totals: Pick<Totals, 'addWhole'>,
): Promise<void> {
  if (questions === undefined) return;
  const asking = consumers.filter(({ verifiesEffects }) => verifiesEffects);
  const found = await inParallel(asking, CONSUMERS_ASKED_AT_ONCE, (consumer) => askAboutWhole(questions, consumer));
  for (const [index, { name }] of asking.entries()) totals.addWhole(name, found[index] as EffectsFound);
}
