// A verification that is too large for one invocation, in three steps: the streams are listed once and split into batches, each
// batch is verified by itself, and the sums of all batches are added up. What decides about all of them (time, consumers,
// scope) is written down by the first step, so that every batch judges the same. A batch that is missing is never a pass.

import { EventRecoveryError } from '../../model/errors.ts';
import type { Ids } from '../../platform/clock.ts';
import { type BatchBounds, type BatchEntry, batchesOf } from './batches.ts';
import type { VerificationFiles } from './files.ts';
import { inParallel } from './in-parallel.ts';
import { listStreams } from './list-streams.ts';
import { batchKey, runKey, sumsKey } from './places.ts';
import { type RegisteredFacts, readRegistry } from './read-facts.ts';
import { openTotals, type Sums } from './totals.ts';
import type { Verdict } from './types.ts';
import { askWholes, LAG_BOUND_MS, type VerifyDeps, type VerifyScope, verifyListed } from './verify.ts';
import { verifyStreams } from './verify-streams.ts';

const FORMAT = 1;
/** Numbers of so many batches are 60 KB of a state's 256 KiB. With 10,000 streams each: 100 million streams. */
export const BATCHES_MAX = 10_000;
const FILES_AT_ONCE = 16;

export interface VerificationDeps extends VerifyDeps {
  files: VerificationFiles;
  ids: Ids;
  /** @default BATCH_BOUNDS, chosen by whoever composes */
  bounds: BatchBounds;
}

/** What the state machine and the CLI go on with. */
export interface SplitVerification {
  run: string;
  streams: number;
  /** Their numbers, from 0. */
  batches: number[];
}

/** `run.json` */
interface Run {
  format: number;
  run: string;
  now: number;
  lagBoundMs: number;
  quiet: boolean;
  /** Violations in the answer; absent: all that are kept. */
  listed?: number;
  consumers: RegisteredFacts[];
  /** Streams of each batch. */
  batches: number[];
}

/** `sums-<n>.json` */
interface BatchSums {
  format: number;
  run: string;
  batch: number;
  sums: Sums;
}

export interface SplitInput extends VerifyScope {
  listed?: number;
}

/**
 * What fits into one batch is verified at once: the answer is the verdict then.
 * @throws EventRecoveryError `VERIFICATION_TOO_LARGE`
 */
export async function splitVerification(
  deps: VerificationDeps,
  input: SplitInput,
): Promise<Verdict | SplitVerification> {
  const { now, lagBoundMs = LAG_BOUND_MS, quiet = false, listed } = input;
  const consumers = await readRegistry(deps.dynamo, deps.tables.checkpoints, input.consumers);
  const streams = await listStreams(deps, input.streamPrefix);
  const batches = batchesOf(streams, deps.bounds);
  if (batches.length <= 1) return verifyListed(deps, { consumers, streams, now, lagBoundMs, quiet });
  if (batches.length > BATCHES_MAX) throw tooLarge(batches.length, streams.size);
  const run = deps.ids.next();
  await inParallel([...batches.entries()], FILES_AT_ONCE, ([batch, entries]) =>
    deps.files.write(batchKey(run, batch), entries),
  );
  const sizes = batches.map(({ length }) => length);
  const facts: Run = { format: FORMAT, run, now, lagBoundMs, quiet, listed, consumers, batches: sizes };
  await deps.files.write(runKey(run), facts);
  return { run, streams: streams.size, batches: [...batches.keys()] };
}

/**
 * Verifies the streams of one batch and writes down its sums. May be tried again.
 * @throws EventRecoveryError `VERIFICATION_UNKNOWN`, `VERIFICATION_INCOMPLETE`
 */
export async function verifyBatch(
  deps: VerificationDeps,
  { run, batch }: { run: string; batch: number },
): Promise<{ batch: number; streams: number; violationCount: number }> {
  const { consumers, now, lagBoundMs } = await readRun(deps, run);
  const entries = (await deps.files.read(batchKey(run, batch))) as BatchEntry[] | undefined;
  if (entries === undefined) throw incomplete(run, batch, 'has no list of streams');
  const totals = openTotals(consumers, deps.questions !== undefined);
  totals.addStreams(entries.length);
  const { head, violations } = await verifyStreams(
    deps,
    { consumers, streams: new Map(entries), now, lagBoundMs },
    totals,
  );
  // Every batch reads the whole log; one of them tells what is wrong with its pages.
  totals.addLog({ head, violations: batch === 0 ? violations : [] });
  const sums = totals.sums();
  await deps.files.write(sumsKey(run, batch), { format: FORMAT, run, batch, sums } satisfies BatchSums);
  return { batch, streams: sums.streams, violationCount: sums.violationCount };
}

/**
 * The verdict of all batches, and what the consumers say about their state as a whole.
 * @throws EventRecoveryError `VERIFICATION_UNKNOWN`, `VERIFICATION_INCOMPLETE`
 */
export async function addUpVerification(
  deps: VerificationDeps,
  { run }: { run: string },
): Promise<{ verdict: Verdict; listed?: number }> {
  const { consumers, quiet, listed, batches } = await readRun(deps, run);
  const totals = openTotals(consumers, deps.questions !== undefined);
  // A thousand violations of each batch may come with its sums: few are in memory at a time.
  for (let first = 0; first < batches.length; first += FILES_AT_ONCE) {
    const some = [...batches.keys()].slice(first, first + FILES_AT_ONCE);
    const read = await inParallel(some, FILES_AT_ONCE, (batch) => readSums(deps, run, batch, batches[batch] as number));
    for (const sums of read) totals.addSums(sums);
  }
  await askWholes(deps, consumers, totals);
  return { verdict: totals.verdict({ quiet }), listed };
}

async function readRun({ files }: VerificationDeps, run: string): Promise<Run> {
  const facts = (await files.read(runKey(run))) as Run | undefined;
  if (facts?.format === FORMAT && facts.run === run) return facts;
  throw new EventRecoveryError(
    'VERIFICATION_UNKNOWN',
    `there is no verification "${run}"; remedy: begin one with { "step": "split" }; its files are kept for days only`,
    { facts: { run } },
  );
}

/** The sums of exactly this batch: another one's, or those of another run, would count some streams twice and others never. */
async function readSums({ files }: VerificationDeps, run: string, batch: number, streams: number): Promise<Sums> {
  const read = (await files.read(sumsKey(run, batch))) as BatchSums | undefined;
  if (read === undefined) throw incomplete(run, batch, 'has no sums');
  if (read.format !== FORMAT || read.run !== run || read.batch !== batch) {
    throw incomplete(run, batch, `has the sums of batch ${read.batch} of verification "${read.run}"`);
  }
  if (read.sums.streams !== streams) {
    throw incomplete(run, batch, `has the sums of ${read.sums.streams} streams, and consists of ${streams}`);
  }
  return read.sums;
}

const incomplete = (run: string, batch: number, what: string): EventRecoveryError =>
  new EventRecoveryError(
    'VERIFICATION_INCOMPLETE',
    `batch ${batch} of verification "${run}" ${what}, so that nothing is proved; remedy: see the log of verify-consistency, and verify again`,
    { facts: { run, batch, what } },
  );

const tooLarge = (batches: number, streams: number): EventRecoveryError =>
  new EventRecoveryError(
    'VERIFICATION_TOO_LARGE',
    `${streams} streams are ${batches} batches, at most ${BATCHES_MAX} are allowed; remedy: verify by --stream-prefix`,
    { facts: { batches, streams, allowed: BATCHES_MAX } },
  );
