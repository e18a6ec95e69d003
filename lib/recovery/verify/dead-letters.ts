// The verifier's reading of dead letters: which versions were passed other than by a react, which streams they say are parked,
// and whether that is what the checkpoints say.

import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { Passed } from './account.ts';
import { scanItems } from './read.ts';
import type { CheckpointRead } from './read-facts.ts';
import type { Violation } from './types.ts';

export interface Rows {
  passed: Passed;
  /** Versions whose effect nobody can demand. */
  doubtful: ReadonlySet<number>;
  /** Ids of rows that say the stream is parked. */
  parked: ReadonlySet<string>;
}

export type RowsOf = (consumer: string, streamId: string, checkpoint: CheckpointRead | undefined) => Rows;

interface Collected {
  passed: PassedRow[];
  parked: Set<string>;
  /** Versions of rows that are open or were given up. */
  unresolved: Set<number>;
}

/** Rows hold their event, too: not needed here. */
const ATTRIBUTES = ['id', 'consumer', 'streamId', 'version', 'status', 'generation', 'passedAs'];

export async function readDeadLetters(dynamo: Dynamo, table: string, wanted: ReadonlySet<string>): Promise<RowsOf> {
  const rows = new Map<string, Collected>();
  for await (const item of scanItems(dynamo, table, { attributes: ATTRIBUTES })) {
    const streamId = String(item.streamId);
    if (!wanted.has(streamId)) continue;
    const key = `${String(item.consumer)}#${streamId}`;
    const of = rows.get(key) ?? { passed: [], parked: new Set(), unresolved: new Set() };
    rows.set(key, of);
    const version = Number(item.version);
    if (item.status === 'parked') of.parked.add(String(item.id));
    // What a rewind superseded was reacted to again.
    if (item.status !== 'resolved' && item.status !== 'superseded') of.unresolved.add(version);
    const as = item.passedAs as 'skipped' | 'discarded' | undefined;
    if (as !== undefined && item.status !== 'superseded') {
      const box = item.status === 'resolved' ? 'resolved' : as;
      of.passed.push({ version, generation: Number(item.generation ?? 1), as, box });
    }
  }
  return (consumer, streamId, checkpoint) => {
    const of = rows.get(`${consumer}#${streamId}`);
    return {
      passed: passedIn(of?.passed ?? [], checkpoint),
      doubtful: of?.unresolved ?? new Set(),
      parked: of?.parked ?? new Set(),
    };
  };
}

interface PassedRow {
  version: number;
  generation: number;
  as: 'skipped' | 'discarded';
  box: 'skipped' | 'discarded' | 'resolved';
}

/** A rewound event is judged by the rows of its new generation alone: what an earlier one passed may be resolved now. */
function passedIn(rows: readonly PassedRow[], checkpoint: CheckpointRead | undefined): Passed {
  const { generation = 1, generationStart = 0 } = checkpoint ?? {};
  const counting = rows.filter((row) => row.generation === generation || row.version <= generationStart);
  return new Map(
    counting.toSorted((a, b) => a.generation - b.generation).map(({ version, as, box }) => [version, { as, box }]),
  );
}

export function checkParking(
  consumer: string,
  streamId: string,
  checkpoint: CheckpointRead | undefined,
  parked: ReadonlySet<string>,
): Violation[] {
  const at = checkpoint?.parkedDeadLetterId;
  const found: Violation[] = [];
  if (at !== undefined && !parked.has(at)) {
    found.push({
      kind: 'park-without-dead-letter',
      consumer,
      streamId,
      version: checkpoint?.parkedVersion,
      detail: `parked behind ${at}, which is no parked dead letter`,
    });
  }
  for (const id of parked) {
    if (id !== at)
      found.push({
        kind: 'dead-letter-without-park',
        consumer,
        streamId,
        detail: `dead letter ${id} says parked, the checkpoint does not`,
      });
  }
  return found;
}
