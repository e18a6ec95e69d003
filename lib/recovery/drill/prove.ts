// The deployed verification on the drill's streams: every event in exactly one box, digests recomputed from the store.

import type { Verdict } from '../verify/types.ts';
import type { DrillContext } from './context.ts';

const VERIFY = 'VerifyConsistency';

/** Books a problem when the verification finds anything, or anything is not resolved. */
export async function prove(context: DrillContext): Promise<void> {
  const verdict = (await context.system.invoke(VERIFY, { streamPrefix: context.prefix, quiet: true })) as Verdict;
  for (const { kind, streamId, version, detail } of verdict.violations.slice(0, 5)) {
    context.problem(`verification: ${kind} in ${streamId} version ${version}: ${detail}`);
  }
  for (const { consumer, conservation } of verdict.consumers) {
    const { parked, waiting, lagging, gap } = conservation;
    if (parked + waiting + lagging + gap > 0)
      context.problem(
        `verification: ${consumer} has ${parked} parked, ${waiting} waiting, ${lagging} lagging, ${gap} gap`,
      );
  }
  const { ok, streams, events, violationCount } = verdict;
  if (!ok && violationCount === 0) context.problem('verification: not ok');
  context.fact('verified', { ok, streams, events, violations: violationCount });
}
