// What a plan does with one stream, decided on its events and the checkpoint that was seen. Pure.

import type { Checkpoint } from '../../model/checkpoint.ts';
import type { Version } from '../../model/ids.ts';
import type { PlanMode, PlannedStream } from './port.ts';
import { count, pieces, type Range, within } from './ranges.ts';
import type { StreamEvents } from './select-events.ts';

/** A redeliver message names at most 100 versions. */
export const VERSIONS_PER_ROW = 100;

export type SeenCheckpoint = Pick<Checkpoint, 'version' | 'generation' | 'parked' | 'rewind' | 'replay'>;

export type RowsDecision = { kind: 'rows'; rows: PlannedStream[] } | { kind: 'parked' } | { kind: 'nothing' };

const NOTHING: RowsDecision = { kind: 'nothing' };

export function decideRows(
  mode: PlanMode,
  events: StreamEvents,
  checkpoint: SeenCheckpoint | undefined,
  suppressEffects = false,
): RowsDecision {
  const { first, last } = events;
  if (first === undefined || last === undefined) return NOTHING;
  if (mode === 'rewind') return rewound(events, first, checkpoint, suppressEffects);
  if (mode === 'redeliver')
    return redelivered(within(events.ranges, first, checkpoint?.version ?? 0), events, checkpoint);
  if (mode === 'backfill') return redelivered(events.ranges, events, checkpoint, 0);
  return resumed(events, last, checkpoint, suppressEffects);
}

const seen = (checkpoint: SeenCheckpoint | undefined) => ({
  checkpoint: checkpoint?.version ?? (0 as Version),
  generation: checkpoint?.generation ?? 0,
});

/** Everything wanted from the checkpoint up to the last selected event: a stream is resolved without a hole. */
function resumed(
  { streamId, ranges }: StreamEvents,
  last: Version,
  checkpoint: SeenCheckpoint | undefined,
  suppressEffects: boolean,
): RowsDecision {
  const { version = 0, rewind, parked, replay } = checkpoint ?? {};
  const reached = Math.min(version, rewind?.to ?? version);
  const owed = within(ranges, reached + 1, last);
  const from = owed[0]?.[0];
  if (from === undefined) return NOTHING;
  if (parked !== undefined && rewind === undefined) return { kind: 'parked' };
  // What is owed again after an earlier rewind was reacted to before.
  const repeatsTo = rewind === undefined ? (replay?.until ?? 0) : version;
  const repeats = suppressEffects ? 0 : count(within(owed, 1, repeatsTo));
  return { kind: 'rows', rows: [{ streamId, from, to: last, events: count(owed), repeats, ...seen(checkpoint) }] };
}

/** Everything wanted from the first selected event up to the checkpoint; what follows it is no repetition. */
function rewound(
  { streamId, ranges }: StreamEvents,
  from: Version,
  checkpoint: SeenCheckpoint | undefined,
  suppressEffects: boolean,
): RowsDecision {
  if (checkpoint === undefined || checkpoint.version < from) {
    return checkpoint?.parked === undefined ? NOTHING : { kind: 'parked' };
  }
  const events = count(within(ranges, from, checkpoint.version));
  const repeats = suppressEffects ? 0 : events;
  return { kind: 'rows', rows: [{ streamId, from, to: checkpoint.version, events, repeats, ...seen(checkpoint) }] };
}

function redelivered(
  selected: Range[],
  { streamId }: StreamEvents,
  checkpoint: SeenCheckpoint | undefined,
  repeatsShare = 1,
): RowsDecision {
  const rows = [...pieces(selected, VERSIONS_PER_ROW)].map((versions): PlannedStream => {
    const events = count(versions);
    const [from, to] = [versions[0]?.[0] as Version, versions.at(-1)?.[1] as Version];
    return { streamId, from, to, events, repeats: events * repeatsShare, versions, ...seen(checkpoint) };
  });
  return rows.length === 0 ? NOTHING : { kind: 'rows', rows };
}
