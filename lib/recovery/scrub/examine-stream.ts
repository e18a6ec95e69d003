// One stream as a whole, now: every item from the first to the last, the directory, and the log's entries from the head back to
// the first commit. What is found is written down; what is well again is closed.

import { beginChain, extendChain } from './chain.ts';
import { checkEntry } from './check-entries.ts';
import { entryDamage } from './entry.ts';
import { type FinishDeps, finishStream } from './finish-stream.ts';
import { judgeHead, parseHead } from './head.ts';
import type { Recorder } from './recorder.ts';
import type { Damage, DamageKind } from './types.ts';

export interface ExaminedStream {
  streamId: string;
  /** Last version that the store holds, 0 = nothing. */
  version: number;
  commits: number;
  damages: Damage[];
  /** Log entries that were compared. */
  entries: number;
  /** The relay was woken up for commits that the log does not have. */
  handedOver: boolean;
}

const DIRECTORY_KINDS: readonly DamageKind[] = ['directory-mismatch', 'directory-missing', 'log-mismatch'];

export async function examineStream(
  { finish, recorder }: { finish: FinishDeps; recorder: Recorder },
  streamId: string,
): Promise<ExaminedStream> {
  const startedAt = finish.now();
  const { end, early } = await readStream(finish, streamId, startedAt);
  await recorder.record(early);
  await recorder.streamEnded(end);
  const log = await checkLog(finish, streamId);
  await recorder.record(log.damages);
  await recorder.closeUnmet(DIRECTORY_KINDS, startedAt, streamId);
  return {
    streamId,
    version: end.chain.end,
    commits: end.chain.commits,
    damages: distinct([...early, ...end.damages, ...log.damages]),
    entries: log.entries,
    handedOver: end.handOver !== undefined,
  };
}

async function readStream(deps: FinishDeps, streamId: string, startedAt: number) {
  const early: Damage[] = [];
  let chain = beginChain(streamId, startedAt);
  for await (const item of deps.reads.itemsAfter(streamId, undefined)) {
    const next = extendChain(chain, item);
    early.push(...next.damages);
    chain = next.chain;
  }
  const head = (await deps.reads.heads([streamId])).get(streamId);
  return { early, end: await finishStream(deps, chain, head) };
}

/** Follows the stream's entries from its head back to its first commit. */
async function checkLog({ reads }: FinishDeps, streamId: string): Promise<{ damages: Damage[]; entries: number }> {
  const item = (await reads.heads([streamId])).get(streamId);
  const head = item && parseHead(item);
  if (head === undefined || 'problem' in head) return { damages: [], entries: 0 };
  const verdict = judgeHead(streamId, item, await reads.logAt(head.position));
  if (verdict.kind === 'damaged') return { damages: [verdict.damage], entries: 0 };
  const damages: Damage[] = [];
  let entries = 0;
  let { position } = head;
  // Positions fall with every step, so it ends.
  for (;;) {
    const answer = await reads.logAt(position);
    if (answer.kind !== 'entry') return { damages, entries };
    const { entry } = answer;
    const [stored] = await reads.items([entry]);
    damages.push(...(await checkEntry(reads, entry, stored, item)));
    entries += 1;
    if (entry.version === 1) return { damages, entries };
    const before = entry.previousPosition;
    const previous = before > 0 && before < position ? await reads.logAt(before) : undefined;
    const fits =
      previous?.kind === 'entry' && previous.entry.streamId === streamId && previous.entry.position === before;
    if (!fits || previous.entry.version + previous.entry.count !== entry.version) {
      damages.push(entryDamage(entry, `position ${before} does not hold the commit before it`));
      return { damages, entries };
    }
    position = before;
  }
}

const distinct = (damages: readonly Damage[]): Damage[] => [
  ...new Map(damages.map((damage) => [`${damage.kind} ${damage.from}`, damage])).values(),
];
