// Replays as a drill asks for them: the deployed function begins one and goes on with it as its schedule does, only that
// nobody waits a minute for it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplayAnswer, ReplayView } from '../replay/answer.ts';
import type { DrillContext } from './context.ts';
import type { VisitorEffect } from './visitor.ts';

const FUNCTION = 'ReplayEvents';
const PAUSE_MS = 1_000;
/** A replay of a drill takes seconds; the rest is for a slow machine. */
const PATIENCE_MS = 180_000;

/** Begins a replay. @throws Error with the function's own code when it is refused */
export async function startReplay(context: DrillContext, what: Record<string, unknown>): Promise<string> {
  const answer = (await context.system.invoke(FUNCTION, {
    action: 'start',
    dryRun: false,
    requestedBy: 'drill',
    reason: context.prefix,
    ...what,
  })) as ReplayAnswer & { error?: { code: string; message: string } };
  if (answer.error !== undefined) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  if (answer.replay === undefined) throw new Error(`the replay was not begun: ${answer.result}`);
  return answer.replay.id;
}

/** Until it is done; books a problem when it ends otherwise, when streams of it failed, or when it takes too long. */
export async function finishReplay(context: DrillContext, replayId: string): Promise<ReplayView | undefined> {
  const started = performance.now();
  for (;;) {
    await context.system.invoke(FUNCTION, { action: 'continue' });
    const { replay } = (await context.system.invoke(FUNCTION, { action: 'status', replayId })) as ReplayAnswer;
    if (replay !== undefined && replay.status !== 'running') {
      const { status, rows, failures } = replay;
      context.progress(`replay ${status}: ${rows.done} of ${rows.all} rows, ${replay.events.done} events`);
      if (status !== 'done' || rows.failed > 0)
        context.problem(
          `the replay ended as ${status}, ${rows.failed} rows failed: ${failures[0]?.why ?? 'no reason'}`,
        );
      return replay;
    }
    if (performance.now() - started > PATIENCE_MS) {
      context.problem(`the replay was not done in ${PATIENCE_MS / 1_000} s`);
      return replay;
    }
    await sleep(PAUSE_MS);
  }
}

/** Compares what happened with what should have: each event once, nothing else, in version order per stream. */
export function compareEffects(
  context: DrillContext,
  who: string,
  effects: readonly VisitorEffect[],
  expected: readonly { streamId: string; version: number; eventId: string }[],
): void {
  const keyOf = ({ streamId, version, eventId }: { streamId: string; version: number; eventId: string }): string =>
    JSON.stringify([streamId, version, eventId]);
  const wanted = new Set(expected.map(keyOf));
  const seen = effects.map(keyOf);
  const distinct = new Set(seen);
  const lost = [...wanted].filter((key) => !distinct.has(key));
  const unknown = [...distinct].filter((key) => !wanted.has(key));
  if (lost.length > 0) context.problem(`${who}: ${lost.length} events have no effect, the first is ${lost[0]}`);
  if (seen.length > distinct.size) context.problem(`${who}: ${seen.length - distinct.size} effects happened twice`);
  if (unknown.length > 0) context.problem(`${who}: ${unknown.length} effects of nothing expected, as ${unknown[0]}`);
}
