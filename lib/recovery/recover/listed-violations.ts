// Which violations of a verification travel through the state machine: one of every damaged stream before a second of any, because
// the diagnosis has a stream repaired once, whatever is wrong with it. Pure.

import type { Violation } from '../verify/types.ts';
import { isDamage } from './damaged-streams.ts';
import { fitting } from './fit.ts';

/** With the longest stream id; a consumer's own words are cut off by whoever asks it. */
const BYTES_EACH_MAX = 450;

/** @param listed how many; all when left out */
export function listedViolations(violations: readonly Violation[], listed?: number): Violation[] {
  if (listed === undefined) return [...violations];
  const seen = new Set<string>();
  const first: Violation[] = [];
  const rest: Violation[] = [];
  for (const violation of violations) {
    const { streamId } = violation;
    const isFirst = isDamage(violation) && streamId !== undefined && !seen.has(streamId);
    if (isFirst) seen.add(streamId);
    (isFirst ? first : rest).push(violation);
  }
  return fitting([...first, ...rest].slice(0, listed), listed * BYTES_EACH_MAX);
}
