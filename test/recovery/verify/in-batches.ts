// The steps of a large verification one after the other, with files in memory; and the comparison of its verdict with that of
// one invocation.

import { expect } from '@jest/globals';
import type { BatchBounds } from '../../../lib/recovery/verify/batches.ts';
import type { VerificationFiles } from '../../../lib/recovery/verify/files.ts';
import type { Verdict, Violation } from '../../../lib/recovery/verify/types.ts';
import {
  addUpVerification,
  type SplitVerification,
  splitVerification,
  type VerificationDeps,
  verifyBatch,
} from '../../../lib/recovery/verify/verification.ts';
import { type VerifyDeps, type VerifyScope, verify } from '../../../lib/recovery/verify/verify.ts';

/** Through JSON, as in a bucket. */
export function memoryFiles(): VerificationFiles & { texts: Map<string, string> } {
  const texts = new Map<string, string>();
  return {
    texts,
    write: async (key, content) => void texts.set(key, JSON.stringify(content)),
    read: async (key) => {
      const text = texts.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as unknown);
    },
  };
}

let runs = 0;

export const verificationDeps = (
  deps: VerifyDeps,
  bounds: Partial<BatchBounds> = {},
): VerificationDeps & { files: ReturnType<typeof memoryFiles> } => ({
  ...deps,
  files: memoryFiles(),
  ids: {
    next() {
      runs += 1;
      return `run-${runs}`;
    },
  },
  bounds: { streams: 1, events: 1_000_000, ...bounds },
});

/** The split, which must be one. */
export async function split(deps: VerificationDeps, input: VerifyScope): Promise<SplitVerification> {
  const answer = await splitVerification(deps, input);
  if ('ok' in answer) throw new Error('it was verified at once');
  return answer;
}

/** In batches of one stream each, unless told otherwise. */
export async function verifyInBatches(
  given: VerifyDeps,
  input: VerifyScope,
  bounds?: Partial<BatchBounds>,
): Promise<Verdict> {
  const deps = verificationDeps(given, bounds);
  const answer = await splitVerification(deps, input);
  if ('ok' in answer) return answer;
  for (const batch of answer.batches) await verifyBatch(deps, { run: answer.run, batch });
  return (await addUpVerification(deps, answer)).verdict;
}

/** Only the order of violations depends on how the streams were split. */
export const inOrder = ({ violations, ...numbers }: Verdict) => ({
  ...numbers,
  violations: violations.map(textOf).sort(),
});
const textOf = (violation: Violation): string =>
  JSON.stringify(Object.entries(violation).sort(([a], [b]) => (a < b ? -1 : 1)));

/** At once and in batches: it must be the same. */
export async function verifyBothWays(deps: VerifyDeps, input: VerifyScope): Promise<Verdict> {
  const verdict = await verify(deps, input);
  expect(inOrder(await verifyInBatches(deps, input))).toEqual(inOrder(verdict));
  return verdict;
}
