// What the restore operation answers: what would be or was done, stream by stream, and the exact next command. Pure.

import type { PlannedChange, RestoreRow, StreamRow } from './rows.ts';
import type { DirectoryRepair } from './slots.ts';
import type { BeyondHead } from './tell-others.ts';

/**
 * Streams that are listed, and of each at most so many changes and forks; the counts are always exact. An answer of Lambda has at
 * most 6 MB (Lambda quotas): 200 x 50 x 2 x 250 bytes.
 */
const LISTED_STREAMS_MAX = 200;
const LISTED_CHANGES_MAX = 50;

export interface ListedStream {
  streamId: string;
  status: StreamRow['status'];
  /** Missing commits, at least: beyond the log one place may take several. */
  inserts: number;
  /** The first of them; `{ "action": "status", "planId", "stream" }` lists all. */
  changes: PlannedChange[];
  changesInAll: number;
  /** What takes the place of its item in the stream directory. */
  directory?: DirectoryRepair;
  /** Acknowledged commits that make way, with what became of their events, and the object that keeps them while they are not appended. */
  forks: { version: number; count: number; outcome?: string; newVersion?: number; key?: string }[];
  forksInAll: number;
  unsequenced: number;
  written: number;
  /** Versions without a copy that fits. */
  notFound?: number[];
  end?: number;
  /** Why it failed. */
  note?: string;
  checkpointsBeyond?: BeyondHead[];
}

export interface RefusedStream {
  streamId: string;
  code: string;
  message: string;
}

export interface RestoreAnswer {
  result: 'nothing' | RestoreRow['status'];
  planId?: string;
  source?: RestoreRow['source'];
  restoreTo?: number;
  /** True: `apply` needs `approvedBy`. */
  needsApproval: boolean;
  totals: {
    streams: number;
    inserts: number;
    overwrites: number;
    removals: number;
    forks: number;
    /** Items of the stream directory that are lost or wrong. */
    directories: number;
    unsequenced: number;
    written: number;
    /** Streams that are repaired; with status `done`, the others are `not-found`, `stale` or `failed`. */
    done: number;
    notFound: number;
    stale: number;
    failed: number;
    conflicting: number;
    checkpointsBeyond: number;
  };
  listed: ListedStream[];
  /** Streams of findings that a plan cannot do anything about, with the reason. Only in the answer to a plan. */
  refused?: RefusedStream[];
  /** There are open findings of more streams: plan again when this plan is applied. Only in the answer to a plan. */
  moreDamaged?: true;
  truncated: boolean;
  note?: string;
  next?: string;
}

export const nothingAnswer = (): RestoreAnswer => ({
  result: 'nothing',
  needsApproval: false,
  totals: totalsOf([]),
  listed: [],
  truncated: false,
});

/** @param only the stream that is listed whole; the others are counted */
export function restoreAnswer(row: RestoreRow, streams: readonly StreamRow[], only?: string): RestoreAnswer {
  const totals = totalsOf(streams);
  const needsApproval = totals.overwrites + totals.removals + totals.directories > 0;
  return {
    result: row.status,
    planId: row.id,
    source: row.source,
    ...(row.restoreTo !== undefined && { restoreTo: row.restoreTo }),
    needsApproval,
    totals,
    ...listOf(streams, only),
    ...(row.note !== undefined && { note: row.note }),
    next: nextOf(row, needsApproval, totals),
  };
}

function listOf(streams: readonly StreamRow[], only?: string): Pick<RestoreAnswer, 'listed' | 'truncated'> {
  if (only !== undefined) {
    const one = streams.filter(({ streamId }) => streamId === only);
    return { listed: one.map((stream) => listedOf(stream, Number.POSITIVE_INFINITY)), truncated: false };
  }
  const isLong = ({ changes, forks }: StreamRow) => Math.max(changes.length, forks.length) > LISTED_CHANGES_MAX;
  return {
    listed: streams.slice(0, LISTED_STREAMS_MAX).map((stream) => listedOf(stream, LISTED_CHANGES_MAX)),
    truncated: streams.length > LISTED_STREAMS_MAX || streams.some(isLong),
  };
}

function listedOf(stream: StreamRow, most: number): ListedStream {
  const { streamId, status, inserts, changes, forks, unsequenced, written, versions, end, note, checkpointsBeyond } =
    stream;
  return {
    streamId,
    status,
    inserts,
    changes: changes.slice(0, most),
    changesInAll: changes.length,
    ...(stream.directory && { directory: stream.directory }),
    forks: forks.slice(0, most).map(({ version, count, outcome, newVersion, key }) => ({
      version,
      count,
      ...(outcome !== undefined && { outcome }),
      ...(newVersion !== undefined && { newVersion }),
      ...((outcome === undefined || outcome === 'conflicting') && { key }),
    })),
    forksInAll: forks.length,
    unsequenced,
    written,
    ...(versions !== undefined && { notFound: versions }),
    ...(end !== undefined && { end }),
    ...(note !== undefined && { note }),
    ...(checkpointsBeyond !== undefined && checkpointsBeyond.length > 0 && { checkpointsBeyond }),
  };
}

function totalsOf(streams: readonly StreamRow[]): RestoreAnswer['totals'] {
  const sum = (pick: (stream: StreamRow) => number): number => streams.reduce((all, stream) => all + pick(stream), 0);
  const having = (status: StreamRow['status']): number => streams.filter((stream) => stream.status === status).length;
  const changes = (...actions: PlannedChange['action'][]) =>
    sum((one) => one.changes.filter(({ action }) => actions.includes(action)).length);
  return {
    streams: streams.length,
    inserts: sum(({ inserts }) => inserts),
    overwrites: changes('overwrite'),
    removals: changes('remove', 'overwrite-or-remove'),
    forks: sum(forksOf),
    directories: sum(({ directory }) => (directory === undefined ? 0 : 1)),
    unsequenced: sum(({ unsequenced }) => unsequenced),
    written: sum(({ written }) => written),
    done: having('done'),
    notFound: having('not-found'),
    stale: having('stale'),
    failed: having('failed'),
    conflicting: sum(({ forks }) => forks.filter(({ outcome }) => outcome === 'conflicting').length),
    checkpointsBeyond: sum(({ checkpointsBeyond = [] }) => checkpointsBeyond.length),
  };
}

/** Those that were put aside, and those that will be. */
const forksOf = ({ changes, forks }: StreamRow): number => {
  const aside = new Set(forks.map(({ hash }) => hash));
  return forks.length + changes.filter(({ isFork, seenHash = '' }) => isFork && !aside.has(seenHash)).length;
};

const COMPARE =
  'compare the objects of the conflicting forks with the stream: their event ids have other content there';

function nextOf(row: RestoreRow, needsApproval: boolean, totals: RestoreAnswer['totals']): string | undefined {
  const planId = `"planId": "${row.id}"`;
  switch (row.status) {
    case 'planned':
      return `{ "action": "apply", ${planId}${needsApproval ? ', "approvedBy": "<who agreed>"' : ''} }`;
    case 'fetching':
    case 'writing':
    case 'cleaning':
      return `{ "action": "status", ${planId} }`;
    case 'done':
      if (totals.failed > 0)
        return `{ "action": "apply", ${planId} } again, when what the notes of the streams say is put right`;
      if (totals.stale > 0) return '{ "action": "plan" } again: streams have changed since';
      if (totals.notFound === 0) return totals.conflicting > 0 ? COMPARE : undefined;
      return row.source === 'archive'
        ? '{ "action": "plan", "source": "point-in-time" }: the archive has no copy that fits'
        : '{ "action": "plan", "source": "point-in-time", "restoreTo": <another time> }: no copy fits at this one';
    case 'failed':
      return `{ "action": "apply", ${planId} } again, when what the note says is put right`;
    default:
      return undefined;
  }
}
