// What a whole stream is against its sequenced head: cut off, rewritten at its end, or ahead of the log. Pure.

import { brokenItem, type Chain, missing } from './chain.ts';
import type { HeadVerdict, SequencedHead } from './head.ts';
import type { Damage } from './types.ts';

export interface Finished {
  damages: Damage[];
  /** Whole commits beyond the sequenced head: not damage unless they are old. */
  unsequenced?: { from: number; to: number };
}

/**
 * @param chain after the stream's last item
 * @param sequencedHash hash of the whole commit that ends at the sequenced head, when the stream goes on after it; undefined: none
 */
export function finishChain(chain: Chain, verdict: HeadVerdict, sequencedHash?: string): Finished {
  const damages: Damage[] = verdict.kind === 'damaged' ? [verdict.damage] : [];
  const head = verdict.kind === 'sequenced' ? verdict.head : undefined;
  const end = endOf(chain, head, damages);
  if (head !== undefined) {
    if (head.version > end) damages.push(truncated(chain, end, head));
    else if (chain.suspect === undefined || head.version <= chain.end) {
      const hash = head.version === chain.end ? chain.hash : sequencedHash;
      // Without a hash the place itself is damaged, and that was said already.
      const isSaid = hash === undefined && chain.isDamaged;
      if (!isSaid && !hash?.startsWith(head.hashPrefix)) damages.push(rewritten(chain, head, hash));
    }
  }
  const sequenced = verdict.kind === 'damaged' ? undefined : (head?.version ?? 0);
  if (sequenced === undefined || chain.end <= sequenced) return { damages };
  return { damages, unsequenced: { from: sequenced + 1, to: chain.end } };
}

/** The last version that something holds; adds the damage of a broken item at the stream's end. */
function endOf(chain: Chain, head: SequencedHead | undefined, damages: Damage[]): number {
  const { streamId, end, suspect } = chain;
  if (suspect === undefined) return end;
  const sequenced = head?.version ?? 0;
  if (suspect.from > end + 1 && sequenced < suspect.from) {
    // Nobody ever saw the stream as long as that: it was put there from elsewhere.
    const { from, problem } = suspect;
    const detail = `under version ${from} stands an item that is no commit of this stream, which ends at version ${end}`;
    damages.push({ kind: 'foreign-item', streamId, from, to: from, detail, evidence: { problem } });
    return end;
  }
  if (suspect.from > end + 1) damages.push(missing(streamId, end + 1, suspect.from - 1));
  // Its own count may be what was changed: the sequenced head knows better.
  const to = sequenced >= suspect.from ? Math.min(sequenced, suspect.claimedEnd) : suspect.claimedEnd;
  damages.push(brokenItem(chain, suspect, to, to === sequenced ? head?.hashPrefix : undefined));
  return to;
}

const truncated = ({ streamId }: Chain, end: number, head: SequencedHead): Damage => ({
  kind: 'truncated-stream',
  streamId,
  from: end + 1,
  to: head.version,
  expectedHash: head.hashPrefix,
  detail:
    end === 0
      ? `no commit is stored, but the stream was sequenced up to version ${head.version}`
      : `the stream ends at version ${end}, but it was sequenced up to version ${head.version}`,
  evidence: { sequencedTo: head.version, position: head.position },
});

function rewritten(chain: Chain, head: SequencedHead, hash: string | undefined): Damage {
  const { streamId, end } = chain;
  const from = head.version === end ? chain.from : head.version;
  const found = hash === undefined ? 'no commit ends there' : `the commit that ends there has ${hash}`;
  return {
    kind: 'rewritten-history',
    streamId,
    from,
    to: head.version,
    expectedHash: head.hashPrefix,
    ...(hash !== undefined && { foundHash: hash }),
    detail: `version ${head.version} was sequenced with hash ${head.hashPrefix}; ${found}`,
    evidence: { sequencedTo: head.version, position: head.position },
  };
}
