// Plans in the Recovery table: the rows in items of 100, the plan itself last, so that a plan that can be read is complete. What
// a plan's making has to put aside meanwhile (sorted runs) is stored beside it and removed at the end.

import type { World } from '../../platform/clock.ts';
import { batchWriteAll } from '../../platform/dynamodb/batches.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo, Write } from '../../platform/dynamodb/port.ts';
import { type Plan, type PlanMode, type PlannedStream, type Plans, ROWS_PER_CHUNK, type StoredPlan } from './port.ts';
import type { Range } from './ranges.ts';
import type { StreamEvents } from './select-events.ts';
import type { Runs } from './sorted-streams.ts';

export const PLAN_FORMAT = 1;
const PARTITION = 'plan';
const padded = (number: number): string => String(number).padStart(16, '0');

export interface PlansOptions {
  dynamo: Dynamo;
  table: string;
  world: Pick<World, 'timers' | 'random'>;
}

const planKey = (id: string) => ({ pk: PARTITION, sk: id });

/** For the transaction that begins to apply it: a plan is applied once. */
export const appliedWrite = (table: string, id: string): Write => ({
  Update: {
    TableName: table,
    Key: planKey(id),
    UpdateExpression: 'SET #status = :applied',
    ConditionExpression: '#status = :planned',
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: { ':applied': 'applied', ':planned': 'planned' },
  },
});

const partsOf = (id: string): string => `${PARTITION}#${id}`;

/** [stream, from, to, events, repeats, checkpoint, generation, versions, consumer]: field names would be most of the item. */
type RowCode = [string, number, number, number, number, number, number, Range[]?, string?];

const encode = (row: PlannedStream): RowCode => {
  const code = [row.streamId, row.from, row.to, row.events, row.repeats, row.checkpoint, row.generation] as const;
  if (row.versions === undefined) return [...code];
  return row.consumer === undefined ? [...code, [...row.versions]] : [...code, [...row.versions], row.consumer];
};

const decode = ([
  streamId,
  from,
  to,
  events,
  repeats,
  checkpoint,
  generation,
  versions,
  consumer,
]: RowCode): PlannedStream =>
  ({
    streamId,
    from,
    to,
    events,
    repeats,
    checkpoint,
    generation,
    ...(versions && { versions }),
    ...(consumer && { consumer }),
  }) as PlannedStream;

const MODES: Record<PlanMode, true> = { resume: true, rewind: true, redeliver: true, fill: true, backfill: true };

/** Those of replays. */
export const createPlans = (options: PlansOptions): Plans => createPlansOf<Plan>(options, Object.keys(MODES));

/** @param modes of one operation: what another one planned is not applied by it */
export function createPlansOf<P extends StoredPlan>(
  { dynamo, table }: PlansOptions,
  modes: readonly string[],
): Plans<P> {
  const chunkKey = (id: string, chunk: number) => ({ pk: partsOf(id), sk: `chunk#${padded(chunk)}` });

  async function chunk(id: string, number: number): Promise<PlannedStream[]> {
    const { Item } = await dynamo.get({ TableName: table, Key: chunkKey(id, number), ConsistentRead: true });
    return Item === undefined ? [] : (JSON.parse(Item.rows as string) as RowCode[]).map(decode);
  }

  return {
    chunk,

    async get(id) {
      const { Item } = await dynamo.get({ TableName: table, Key: planKey(id), ConsistentRead: true });
      if (Item === undefined || !modes.includes(Item.mode as string)) return undefined;
      const { pk: _pk, sk: _sk, ...plan } = Item;
      return plan as unknown as P;
    },

    async save(id, rows, planOf) {
      let chunks = 0;
      let saved = 0;
      let open: RowCode[] = [];
      const put = async (): Promise<void> => {
        const Item = { ...chunkKey(id, chunks), rows: JSON.stringify(open), format: PLAN_FORMAT };
        // A chunk of a plan is written once; a making that was begun again under the same id is refused.
        await dynamo.put({ TableName: table, Item, ConditionExpression: 'attribute_not_exists(pk)' });
        chunks += 1;
        saved += open.length;
        open = [];
      };
      for await (const row of rows) {
        open.push(encode(row));
        if (open.length === ROWS_PER_CHUNK) await put();
      }
      if (open.length > 0) await put();
      const plan = planOf(saved);
      await dynamo.put({
        TableName: table,
        Item: { ...planKey(id), ...plan },
        ConditionExpression: 'attribute_not_exists(pk)',
      });
      return plan;
    },

    async *rows(id, from = 0) {
      for (let number = Math.floor(from / ROWS_PER_CHUNK); ; number += 1) {
        const rows = await chunk(id, number);
        const skipped = Math.max(0, from - number * ROWS_PER_CHUNK);
        yield* rows.slice(skipped);
        if (rows.length < ROWS_PER_CHUNK) return;
      }
    },
  };
}

/** A run is stored in pieces below DynamoDB's 400 KB: a row has at most 5,000 ranges of 36 bytes and an id of 256. */
const PIECE_BYTES = 200_000;
const RANGES_PER_ROW = 5_000;

export interface StoredRuns extends Runs {
  remove(): Promise<void>;
}

/** The runs of one plan in the making. Whoever merges them has a piece of each in memory. */
export function createRuns(
  { dynamo, table, world }: PlansOptions,
  planId: string,
  pieceBytes: number = PIECE_BYTES,
): StoredRuns {
  const pk = partsOf(planId);
  const prefix = (run: number): string => `run#${padded(run)}#`;
  const keys: { pk: string; sk: string }[] = [];
  return {
    async write(run, rows) {
      let piece: string[] = [];
      let bytes = 0;
      let pieces = 0;
      const put = async (): Promise<void> => {
        const key = { pk, sk: `${prefix(run)}${padded(pieces)}` };
        await dynamo.put({ TableName: table, Item: { ...key, rows: `[${piece.join()}]`, format: PLAN_FORMAT } });
        keys.push(key);
        pieces += 1;
        piece = [];
        bytes = 0;
      };
      for (const row of rows) {
        for (let at = 0; at < row.ranges.length; at += RANGES_PER_ROW) {
          const text = JSON.stringify({ ...row, ranges: row.ranges.slice(at, at + RANGES_PER_ROW) });
          const size = Buffer.byteLength(text);
          if (bytes > 0 && bytes + size > pieceBytes) await put();
          piece.push(text);
          bytes += size;
        }
      }
      if (piece.length > 0) await put();
    },
    async *read(run) {
      const pieces = queryAll(dynamo, {
        TableName: table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :run)',
        ExpressionAttributeValues: { ':pk': pk, ':run': prefix(run) },
        ConsistentRead: true,
        Limit: 1,
      });
      for await (const { rows } of pieces) yield* JSON.parse(rows as string) as StreamEvents[];
    },
    async remove() {
      await batchWriteAll(
        dynamo,
        table,
        keys.map((Key) => ({ DeleteRequest: { Key } })),
        world,
      );
    },
  };
}
