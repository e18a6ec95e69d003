// The patrol of the Log table: pages follow each other without hole or overlap and agree with store and directory; directory
// items agree with log and store. Item by item in the order of a scan; the carry is what must be known of the items before.

import { BUCKET_POSITIONS, directoryKey, pagePartition, streamIdOfDirectoryKey } from '../../flow/log/keys.ts';
import type { LogEntry } from '../../flow/log/port.ts';
import { STREAM_ID_MAX_BYTES } from '../../model/ids.ts';
import { checkEntries } from './check-entries.ts';
import type { FinishDeps } from './finish-stream.ts';
import { judgeHead, parseHead } from './head.ts';
import type { Item } from './item.ts';
import { examinePage, type PageVerdict } from './page.ts';
import { type Damage, WHOLE_LOG } from './types.ts';

/** Where the next page of the bucket may begin; empty: nobody can say, the page before is damaged. */
export interface PageCarry {
  pk: string;
  next: number[];
}

export interface LogLook {
  carry?: PageCarry;
  damages: Damage[];
  what: 'page' | 'head' | 'other';
  /** What a readable page holds. */
  entries?: readonly LogEntry[];
}

const PAGE_PREFIX = pagePartition(0).slice(0, -1);
const HEAD = directoryKey('');

export async function lookAtLogItem(deps: FinishDeps, carry: PageCarry | undefined, item: Item): Promise<LogLook> {
  const { pk, sk } = item;
  if (typeof pk !== 'string') return { damages: [], what: 'other' };
  if (pk.startsWith(PAGE_PREFIX)) return lookAtPage(deps, carry?.pk === pk ? carry : undefined, item, pk);
  if (pk.startsWith(HEAD.pk) && sk === HEAD.sk) {
    return { damages: await lookAtHead(deps, item, streamIdOfDirectoryKey(pk)), what: 'head' };
  }
  return { damages: [], what: 'other' };
}

async function lookAtPage(
  { reads }: FinishDeps,
  carry: PageCarry | undefined,
  item: Item,
  pk: string,
): Promise<LogLook> {
  const verdict = examinePage(item);
  const { first } = placeOf(verdict);
  const damages: Damage[] = [];
  if (verdict.kind === 'broken') damages.push(brokenPage(verdict));
  const expected = carry === undefined ? await firstOfBucket(reads, first) : carry.next;
  const held = placeDamage(first, expected);
  if (first > 0 && held !== undefined) damages.push(held);
  if (verdict.kind === 'whole') damages.push(...(await checkEntries(reads, verdict.page)));
  const look: LogLook = { carry: { pk, next: nextOf(verdict) }, damages, what: 'page' };
  return verdict.kind === 'whole' ? { ...look, entries: verdict.page.entries } : look;
}

const placeOf = (verdict: PageVerdict) => ({
  first: verdict.kind === 'whole' ? verdict.page.firstPosition : verdict.first,
});
const nextOf = (verdict: PageVerdict): number[] =>
  verdict.kind === 'whole' ? [verdict.page.lastPosition + 1] : verdict.next;

/** The first page of a bucket: the position before it must be in a page of the bucket before. */
async function firstOfBucket(reads: FinishDeps['reads'], first: number): Promise<number[]> {
  if (first <= BUCKET_POSITIONS) return [1];
  const before = await reads.pageAt(first - 1);
  if (before.kind === 'page') return [before.page.lastPosition + 1];
  // Unreadable is damage of its own; a hole begins nobody knows where, at most one page below the bucket.
  return before.kind === 'unreadable' ? [] : [first - 1];
}

function placeDamage(first: number, expected: readonly number[]): Damage | undefined {
  if (expected.length === 0 || expected.includes(first)) return undefined;
  const from = Math.max(...expected);
  if (first > from) {
    return {
      kind: 'log-page-missing',
      streamId: WHOLE_LOG,
      from,
      to: first - 1,
      detail: `no page of the log holds positions ${from} to ${first - 1}`,
      evidence: { nextPage: first },
    };
  }
  return {
    kind: 'log-page-damaged',
    streamId: WHOLE_LOG,
    from: first,
    to: first,
    detail: `a page begins at position ${first}, but the page before it goes on to position ${from - 1}`,
    evidence: { expected: from },
  };
}

const brokenPage = ({ first, problem }: Extract<PageVerdict, { kind: 'broken' }>): Damage => ({
  kind: 'log-page-damaged',
  streamId: WHOLE_LOG,
  from: first,
  to: first,
  detail: `the log's page at position ${first}: ${problem}`,
  evidence: { problem },
});

async function lookAtHead(deps: FinishDeps, item: Item, streamId: string): Promise<Damage[]> {
  if (streamId.length === 0 || Buffer.byteLength(streamId) > STREAM_ID_MAX_BYTES) return [];
  const { reads } = deps;
  const head = parseHead(item);
  const answer = 'problem' in head ? undefined : await reads.logAt(head.position);
  const verdict = judgeHead(streamId, item, answer);
  if (verdict.kind === 'damaged') return [verdict.damage];
  if (verdict.kind === 'absent') return [];
  const damages: Damage[] = [];
  if (answer?.kind === 'nothing') {
    const logHead = await deps.logHead();
    // A hole before the log's end is found by the pages around it.
    if (verdict.head.position > logHead) damages.push(pastLogHead(logHead, verdict.head.position));
  }
  // Streams that have items are looked at in their own patrol, which no stream without items reaches.
  if (!(await reads.hasItems(streamId))) {
    const { version, hashPrefix, position } = verdict.head;
    damages.push({
      kind: 'truncated-stream',
      streamId,
      from: 1,
      to: version,
      expectedHash: hashPrefix,
      detail: `no commit is stored, but the stream was sequenced up to version ${version}`,
      evidence: { sequencedTo: version, position },
    });
  }
  return damages;
}

/** A head moves together with its page: the log has lost its end. */
const pastLogHead = (logHead: number, position: number): Damage => ({
  kind: 'log-page-missing',
  streamId: WHOLE_LOG,
  from: logHead + 1,
  to: position,
  detail: `a stream was sequenced at position ${position}, but the log ends at position ${logHead}`,
  evidence: { logHead },
});
