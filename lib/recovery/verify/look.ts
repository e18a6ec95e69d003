// One look at some streams: everything about them read again, and the consumers asked about their effects. Reads are
// consistent but not one snapshot; marks tell whether anything moved meanwhile.

import type { StreamToCheck } from '../../model/effect-check.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { checkParking, readDeadLetters } from './dead-letters.ts';
import { askAboutEffects, CONSUMERS_ASKED_AT_ONCE, type EffectQuestions, type EffectsFound } from './effects.ts';
import { inParallel } from './in-parallel.ts';
import { type CheckpointRead, type RegisteredFacts, readOpenGaps } from './read-facts.ts';
import { type LogPass, readLog } from './read-log.ts';
import { consumersOf, readStanding, type Standing } from './read-standing.ts';
import type { Violation } from './types.ts';
import { type StreamVerdict, verifyStream } from './verify-stream.ts';

export interface LookDeps {
  dynamo: Dynamo;
  tables: VerifyTables;
  questions?: EffectQuestions;
}

export interface VerifyTables {
  events: string;
  log: string;
  checkpoints: string;
  deadLetters: string;
  recovery: string;
}

export interface LookInput {
  consumers: readonly RegisteredFacts[];
  /** With the version that the directory had when they were listed. */
  streams: ReadonlyMap<string, number>;
  now: number;
  lagBoundMs: number;
  /** As an earlier look at these streams has read it; only what came since is read then. */
  log?: LogPass;
}

export interface StreamLook {
  streamId: string;
  verdict: StreamVerdict;
  violations: Violation[];
  /** By consumer: what its `verify` said about the stream. */
  effects: Map<string, EffectLook>;
  /** Directory and checkpoints as they were read. */
  mark: string;
}

export interface EffectLook {
  found: EffectsFound['violations'];
  checkpoint: number;
  generation: number;
}

/** By consumer: what its function did in this look, and what it failed on beside single streams. */
export type Asked = Map<string, Pick<EffectsFound, 'streams' | 'events'> & { unanswered: EffectsFound['violations'] }>;

/** Requests wait for each other's answers: about 16 streams are on their way at once. */
const STREAMS_AT_ONCE = 16;
/** Expectations of so many streams are held until the consumers were asked about them. */
const CHUNK_STREAMS = 200;

/** Streams in the order given; the log's own violations are the pass's. */
export async function* look(deps: LookDeps, input: LookInput, asked: Asked): AsyncGenerator<StreamLook, LogPass> {
  const { dynamo, tables } = deps;
  const ids = new Set(input.streams.keys());
  const rowsOf = await readDeadLetters(dynamo, tables.deadLetters, ids);
  const log = await readLog(dynamo, tables.log, ids, input.log);
  const openGaps = await readOpenGaps(dynamo, tables.recovery, input.consumers);
  const streamIds = [...ids];
  for (let at = 0; at < streamIds.length; at += CHUNK_STREAMS) {
    const some = streamIds.slice(at, at + CHUNK_STREAMS);
    const standing = [...(await readStanding(deps, input.consumers, some))];
    const chunk = await inParallel(standing, STREAMS_AT_ONCE, lookAtStream);
    await askConsumers(deps, input.consumers, chunk, asked);
    for (const { look } of chunk) yield look;
  }
  return log;

  async function lookAtStream([streamId, standing]: [string, Standing]): Promise<LookedAt> {
    const { directory: after, checkpoints, mark } = standing;
    const violations: Violation[] = [];
    const accounts = [];
    for (const consumer of consumersOf(input.consumers, streamId)) {
      const checkpoint = checkpoints.get(consumer.name);
      const { passed, doubtful, parked } = rowsOf(consumer.name, streamId, checkpoint);
      violations.push(...checkParking(consumer.name, streamId, checkpoint, parked));
      const openGapTo = openGaps.get(consumer.name)?.get(streamId);
      accounts.push({
        consumer,
        checkpoint,
        passed,
        doubtful,
        openGapTo,
        now: input.now,
        lagBoundMs: input.lagBoundMs,
      });
    }
    const verdict = await verifyStream(dynamo, tables.events, {
      streamId,
      sequenced: log.byStream.get(streamId) ?? [],
      directory: { before: input.streams.get(streamId) ?? 0, after },
      accounts,
    });
    violations.push(...verdict.violations);
    return { look: { streamId, verdict, violations, effects: new Map(), mark }, checkpoints };
  }
}

interface LookedAt {
  look: StreamLook;
  checkpoints: ReadonlyMap<string, CheckpointRead>;
}

async function askConsumers(
  { questions }: LookDeps,
  consumers: readonly RegisteredFacts[],
  chunk: readonly LookedAt[],
  asked: Asked,
): Promise<void> {
  if (questions === undefined) return;
  const asking = consumers.filter(({ verifiesEffects }) => verifiesEffects);
  await inParallel(asking, CONSUMERS_ASKED_AT_ONCE, async (consumer) => {
    const streams = chunk.flatMap(({ look, checkpoints }): StreamToCheck[] => {
      const checkpoint = checkpoints.get(consumer.name);
      const of = look.verdict.consumers.find(({ consumer: name }) => name === consumer.name);
      if (checkpoint === undefined || of === undefined) return [];
      return [{ streamId: look.streamId, checkpoint: checkpoint.version, expected: of.expected }];
    });
    if (streams.length === 0) return;
    const { violations, ...numbers } = await askAboutEffects(questions, consumer, streams);
    const before = asked.get(consumer.name);
    asked.set(consumer.name, {
      streams: (before?.streams ?? 0) + numbers.streams,
      events: (before?.events ?? 0) + numbers.events,
      unanswered: [...(before?.unanswered ?? []), ...violations.filter(({ streamId }) => streamId === undefined)],
    });
    for (const { look, checkpoints } of chunk) {
      const { version, generation } = checkpoints.get(consumer.name) ?? {};
      const found = violations.filter(({ streamId }) => streamId === look.streamId);
      if (version === undefined || generation === undefined || found.length === 0) continue;
      look.effects.set(consumer.name, { found, checkpoint: version, generation });
    }
  });
}
