// The end of a look at one stream: reads its sequenced head, what was appended meanwhile, and, where both do not agree, what
// the log says. Nothing that is only on its way becomes damage: the head is read first, and a head moves after its commits.

import { type Chain, extendChain } from './chain.ts';
import { decideUnsequenced } from './decide-unsequenced.ts';
import { finishChain } from './finish-chain.ts';
import { directoryDamage, type HeadVerdict, judgeHead, parseHead } from './head.ts';
import type { WholeCommit } from './item.ts';
import { examineItem, type Item } from './item.ts';
import type { Reads } from './reads.ts';
import { searchLog } from './search-log.ts';
import type { Damage } from './types.ts';

export interface FinishDeps {
  reads: Reads;
  /** Milliseconds since 1970, server clock. */
  now: () => number;
  /** Position of the last sequenced event. */
  logHead: () => Promise<number>;
  /** Lag of the relay in milliseconds; undefined: nobody can say. */
  logLagMs: () => Promise<number | undefined>;
  /** Pages of the log that are searched for one stream. Beyond it, the patrol of the log answers. */
  searchPages: number;
}

export interface StreamEnd {
  chain: Chain;
  damages: Damage[];
  /** The relay should sequence the stream up to here: its commits are whole, and no page holds them. */
  handOver?: { target: number };
}

/** @param headItem the stream's directory item, read after the chain's last item was; undefined: there is none */
export async function finishStream(deps: FinishDeps, chain: Chain, headItem: Item | undefined): Promise<StreamEnd> {
  const damages: Damage[] = [];
  let whole = chain;
  const sequencedTo = headItem === undefined ? 0 : Number(headItem.version);
  if (sequencedTo > whole.end) {
    // What the head names was stored before it: a consistent read sees it, or it is gone.
    for await (const item of deps.reads.itemsAfter(chain.streamId, chain.lastKey)) {
      const next = extendChain(whole, item);
      damages.push(...next.damages);
      whole = next.chain;
      if (whole.end >= sequencedTo) break;
    }
  }
  const verdict = await verdictOf(deps, whole, headItem);
  const sequencedHash = await hashAtHead(deps.reads, whole, verdict);
  const finished = finishChain(whole, verdict, sequencedHash);
  damages.push(...finished.damages);
  if (finished.unsequenced === undefined) return { chain: whole, damages };
  const late = await unsequenced(deps, whole, headItem, finished.unsequenced, damages.length > 0);
  return { chain: whole, damages: [...damages, ...late.damages], ...(late.handOver && { handOver: late.handOver }) };
}

/** The log is asked only where chain and head do not fit together by themselves. */
async function verdictOf({ reads }: FinishDeps, chain: Chain, item: Item | undefined): Promise<HeadVerdict> {
  const head = item && parseHead(item);
  if (head === undefined || 'problem' in head) return judgeHead(chain.streamId, item, undefined);
  const fits = head.version === chain.end && chain.hash.startsWith(head.hashPrefix) && chain.suspect === undefined;
  return judgeHead(chain.streamId, item, fits ? undefined : await reads.logAt(head.position));
}

async function hashAtHead(reads: Reads, chain: Chain, verdict: HeadVerdict): Promise<string | undefined> {
  if (verdict.kind !== 'sequenced' || verdict.head.version >= chain.end) return undefined;
  const commit = await wholeAt(reads, chain.streamId, verdict.head.version);
  return commit !== undefined && endOf(commit) === verdict.head.version ? commit.hash : undefined;
}

const endOf = ({ version, count }: WholeCommit): number => version + count - 1;

async function wholeAt(reads: Reads, streamId: string, version: number): Promise<WholeCommit | undefined> {
  const item = await reads.itemAtOrBefore(streamId, version);
  const found = item && examineItem(item);
  return found?.isWhole && endOf(found) >= version ? found : undefined;
}

async function unsequenced(
  deps: FinishDeps,
  { streamId, isDamaged }: Chain,
  headItem: Item | undefined,
  { from, to }: { from: number; to: number },
  isDamagedAtEnd: boolean,
): Promise<Pick<StreamEnd, 'damages' | 'handOver'>> {
  const first = await wholeAt(deps.reads, streamId, from);
  if (first === undefined) return { damages: [] };
  const isLate = decideUnsequenced(deps.now() - first.recordedAt, await deps.logLagMs()) === 'lost';
  if (!isLate) return { damages: [] };
  const head = await deps.logHead();
  const search = await searchLog(deps.reads, {
    streamId,
    from,
    recordedAt: first.recordedAt,
    head,
    maxPages: deps.searchPages,
  });
  // Page and head move in one transaction: what was found in a page now is in a head that is read now.
  const headNow = (await deps.reads.heads([streamId])).get(streamId);
  if (Number(headNow?.version) >= from) return { damages: [] };
  if (search.kind === 'found') {
    const { position } = search;
    return {
      damages: [
        headItem === undefined ? unknownToDirectory(streamId, position) : behindLog(headItem, streamId, position),
      ],
    };
  }
  const isWhole = !isDamaged && !isDamagedAtEnd;
  const damage: Damage = {
    kind: 'unsequenced-commit',
    streamId,
    from,
    to,
    foundHash: first.hash,
    detail: `versions ${from} to ${to} are stored, the first since ${new Date(first.recordedAt).toISOString()}, and the log does not have them`,
    evidence: { sequencedTo: from - 1, recordedAt: first.recordedAt, logSearched: search.kind, isWhole },
  };
  const isClear = search.kind === 'not-found' && isWhole;
  return { damages: [damage], ...(isClear && { handOver: { target: to } }) };
}

export const unknownToDirectory = (streamId: string, position: number): Damage => ({
  kind: 'directory-missing',
  streamId,
  from: 0,
  to: 0,
  detail: `the log holds the stream at position ${position}, but the stream directory does not know it`,
  evidence: { position },
});

const behindLog = (item: Item, streamId: string, position: number): Damage =>
  directoryDamage(streamId, `the log holds a later commit at position ${position}`, item);
