// What the marks of long backfills must do, whatever engine is under them. Runs on the memory engine and on DynamoDB Local.

import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { BACKFILL_MARK_MS, type Backfills, createBackfills } from '../../lib/flow/relay/backfills.ts';
import type { StreamId, Version } from '../../lib/model/ids.ts';
import { LOG_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import type { Engine, EngineTables } from '../support/engines.ts';

export function backfillsContract(engine: Engine): void {
  let tables: EngineTables;
  let backfills: Backfills;
  const a = 'a' as StreamId;
  const v = (version: number) => version as Version;
  const late = 1_000 + BACKFILL_MARK_MS + 1;

  beforeEach(async () => {
    tables = await engine.createTables([LOG_TABLE]);
    backfills = createBackfills({ dynamo: tables.dynamo, logTable: LOG_TABLE.name, world: tables.world });
  });
  afterEach(() => tables.close());

  it('knows of no chain at first', async () => {
    expect(await backfills.isUnderWay(a, v(10), 1_000)).toBe(false);
    expect(await backfills.finish(a, v(10))).toBeUndefined();
  });

  it('knows of a chain that goes as far, and raises one that does not', async () => {
    expect(await backfills.mark(a, v(10), 1_000)).toBe(10);
    expect(await backfills.isUnderWay(a, v(9), 1_000)).toBe(true);
    expect(await backfills.isUnderWay(a, v(10), 1_000)).toBe(true);
    expect(await backfills.isUnderWay(a, v(25), 1_000)).toBe(true);
    expect(await backfills.mark(a, v(10), 1_000)).toBe(25);
    expect(await backfills.isUnderWay('b' as StreamId, v(1), 1_000)).toBe(false);
  });

  it('ends with the version that was asked for, and goes on for whoever asked for more', async () => {
    await backfills.mark(a, v(10), 1_000);
    await backfills.isUnderWay(a, v(25), 1_000);
    expect(await backfills.finish(a, v(10))).toBe(25);
    expect(await backfills.finish(a, v(25))).toBeUndefined();
    expect(await backfills.isUnderWay(a, v(25), 1_000)).toBe(false);
  });

  it('does not trust a mark without a word for long', async () => {
    await backfills.mark(a, v(10), 1_000);
    expect(await backfills.isUnderWay(a, v(10), 1_000 + BACKFILL_MARK_MS)).toBe(true);
    expect(await backfills.isUnderWay(a, v(10), late)).toBe(false);
    expect(await backfills.isUnderWay(a, v(20), late)).toBe(false);
  });

  it('lives on with every round of its chain, also when somebody asked for more', async () => {
    await backfills.mark(a, v(10), 1_000);
    await backfills.isUnderWay(a, v(25), 1_000);
    expect(await backfills.mark(a, v(10), 1_000 + BACKFILL_MARK_MS)).toBe(25);
    expect(await backfills.isUnderWay(a, v(25), late)).toBe(true);
  });

  it('lets a new chain take over an old mark, whatever that asked for', async () => {
    await backfills.mark(a, v(100), 1_000);
    expect(await backfills.mark(a, v(10), late)).toBe(10);
    expect(await backfills.finish(a, v(10))).toBeUndefined();
  });

  it('is gone when it is abandoned, and may be abandoned twice', async () => {
    await backfills.mark(a, v(10), 1_000);
    await backfills.abandon(a);
    await backfills.abandon(a);
    expect(await backfills.isUnderWay(a, v(10), 1_000)).toBe(false);
  });
}
