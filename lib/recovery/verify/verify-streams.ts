// A verification of some streams, one look after the other: reads are consistent but not one snapshot, so what looks wrong is
// looked at again. A system that moves gives no false violation, and a real one is there at every look.

import { type Asked, type LookDeps, type LookInput, look, type StreamLook } from './look.ts';
import type { LogPass } from './read-log.ts';
import { readDirectory, readStanding } from './read-standing.ts';
import type { Totals } from './totals.ts';

/**
 * The first look reads table after table, minutes apart on a large store; the others read the few streams in doubt within a
 * second. What is wrong in all of them while the stream did not move in the last one is wrong.
 */
const LOOKS_MAX = 4;

/** @returns the log as the first look has read it */
export async function verifyStreams(
  deps: LookDeps,
  input: Omit<LookInput, 'log'>,
  totals: Pick<Totals, 'add' | 'addAsked' | 'addUnanswered'>,
): Promise<LogPass> {
  const { inDoubt: first, log } = await firstLook(deps, input, totals);
  let inDoubt = first;
  for (let round = 2; round <= LOOKS_MAX && inDoubt.length > 0; round += 1) {
    inDoubt = await lookAgain(deps, { ...input, log }, inDoubt, totals, round === LOOKS_MAX);
  }
  return log;
}

/** `inDoubt`: ids of the streams that something is wrong with. */
async function firstLook(
  deps: LookDeps,
  input: LookInput,
  totals: Parameters<typeof verifyStreams>[2],
): Promise<{ inDoubt: string[]; log: LogPass }> {
  const asked: Asked = new Map();
  const looks = look(deps, input, asked);
  const inDoubt: string[] = [];
  for (;;) {
    const { done, value } = await looks.next();
    if (done) {
      totals.addAsked(asked);
      totals.addUnanswered(asked);
      return { inDoubt, log: value };
    }
    if (isClean(value)) totals.add(value);
    else inDoubt.push(value.streamId);
  }
}

/** Those that moved and still look wrong. In the last round everything is judged. */
async function lookAgain(
  deps: LookDeps,
  input: LookInput,
  streamIds: readonly string[],
  totals: Parameters<typeof verifyStreams>[2],
  isLast: boolean,
): Promise<string[]> {
  const before = await readStanding(deps, input.consumers, streamIds);
  const looks: StreamLook[] = [];
  const asked: Asked = new Map();
  const streams = await readDirectory(deps, streamIds);
  for await (const one of look(deps, { ...input, streams }, asked)) looks.push(one);
  totals.addUnanswered(asked);
  const after = await readStanding(deps, input.consumers, streamIds);
  const moving: string[] = [];
  for (const one of looks) {
    const hasMoved = [before, after].some((standing) => standing.get(one.streamId)?.mark !== one.mark);
    if (isClean(one) || !hasMoved) totals.add(one);
    else if (isLast) totals.add(one, { isMoving: true });
    else moving.push(one.streamId);
  }
  return moving;
}

const isClean = ({ violations, effects }: StreamLook): boolean => violations.length === 0 && effects.size === 0;
