// What markers must do, whatever engine is under them. Runs on the memory engine and on DynamoDB Local.

import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createMarkers, markerKey } from '../../lib/flow/idempotency/markers.ts';
import type { Markers } from '../../lib/flow/idempotency/port.ts';
import type { Dynamo } from '../../lib/platform/dynamodb/port.ts';
import { IDEMPOTENCY_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import type { Engine, EngineTables } from '../support/engines.ts';
import { lostResponse } from '../support/lost-response.ts';

const table = IDEMPOTENCY_TABLE.name;
const key = { consumer: 'mailer', scope: 'g1', streamId: 'order#1', version: 7 };
const DAY_MS = 86_400_000;

export function markersContract(engine: Engine): void {
  let tables: EngineTables;
  let markers: Markers;
  const over = (dynamo: Dynamo) => createMarkers({ dynamo, table, world: tables.world });

  beforeEach(async () => {
    tables = await engine.createTables([IDEMPOTENCY_TABLE]);
    markers = over(tables.dynamo);
  });
  afterEach(() => tables.close());

  const input = (token: number, ttlMs = DAY_MS) => {
    const now = tables.clock.now();
    return { token, now, expiresAt: now + ttlMs };
  };

  it('lets an effect begin once it is unknown, and never again once it is completed', async () => {
    expect(await markers.begin(key, input(1))).toEqual({ kind: 'begun' });
    expect(await markers.complete(key, input(1))).toBe(true);
    for (const token of [1, 2]) expect(await markers.begin(key, input(token))).toEqual({ kind: 'completed' });
  });

  it('keeps the time to live in seconds, as DynamoDB wants it, and never shorter than asked for', async () => {
    await markers.begin(key, { ...input(1), expiresAt: 1_700_000_000_001 });
    expect(await tables.items(table)).toMatchObject([{ key: markerKey(key), expiresAt: 1_700_000_001, format: 1 }]);
  });

  it('never reads "in progress" as done: a higher token takes over at once', async () => {
    await markers.begin(key, input(1));
    expect(await markers.begin(key, input(2))).toEqual({ kind: 'begun' });
  });

  it('resumes under an equal token: a lost response is no other holder', async () => {
    expect(await over(lostResponse(tables.dynamo, { update: 1 })).begin(key, input(3))).toEqual({ kind: 'begun' });
  });

  it('refuses a late holder at the beginning and at the end', async () => {
    await markers.begin(key, input(1));
    await markers.begin(key, input(2));
    expect(await markers.begin(key, input(1))).toEqual({ kind: 'held-by-higher-token', token: 2 });
    expect(await markers.complete(key, input(1))).toBe(false);
    expect(await markers.complete(key, input(2))).toBe(true);
    expect(await markers.complete(key, input(1))).toBe(false);
  });

  it('completes once when the response was lost', async () => {
    await markers.begin(key, input(1));
    expect(await over(lostResponse(tables.dynamo, { update: 1 })).complete(key, input(1))).toBe(true);
  });

  it('completes also when TTL removed the marker in between', async () => {
    await markers.begin(key, input(1));
    await tables.dynamo.delete({ TableName: table, Key: { key: markerKey(key) } });
    expect(await markers.complete(key, input(1))).toBe(true);
    expect(await markers.begin(key, input(2))).toEqual({ kind: 'completed' });
  });

  it('checks the expiry itself: TTL may remove a marker days late', async () => {
    await markers.begin(key, input(5));
    await markers.complete(key, input(5));
    tables.clock.advance(DAY_MS - 1_000);
    expect(await markers.begin(key, input(6))).toEqual({ kind: 'completed' });
    tables.clock.advance(2_000);
    expect(await markers.begin(key, input(6))).toEqual({ kind: 'begun' });
  });

  it('lets even a lower token begin after an unfinished marker expired: tokens restart when a table is restored', async () => {
    await markers.begin(key, input(9, 30_000));
    tables.clock.advance(31_000);
    expect(await markers.begin(key, input(1))).toEqual({ kind: 'begun' });
  });

  it('forgets a failed try, but only that of the same holder', async () => {
    await markers.begin(key, input(2));
    await markers.abandon(key, { token: 1 });
    expect(await tables.items(table)).toHaveLength(1);
    await markers.abandon(key, { token: 2 });
    expect(await tables.items(table)).toEqual([]);
    await markers.abandon(key, { token: 2 });
  });

  it('does not forget what is completed', async () => {
    await markers.complete(key, input(1));
    await markers.abandon(key, { token: 1 });
    expect(await markers.begin(key, input(2))).toEqual({ kind: 'completed' });
  });

  it('keeps scopes, versions, streams and consumers apart', async () => {
    await markers.complete(key, input(1));
    const others = [
      { ...key, scope: 'g2' },
      { ...key, version: 8 },
      { ...key, streamId: 'order#2' },
      { ...key, consumer: 'other' },
    ];
    for (const other of others) expect(await markers.begin(other, input(1))).toEqual({ kind: 'begun' });
  });

  it('guards a transaction: what was completed before is refused there', async () => {
    const commit = () => tables.dynamo.transactWrite({ TransactItems: [markers.completedWrite(key, input(1))] });
    await commit();
    await expect(commit()).rejects.toMatchObject({ name: 'TransactionCanceledException' });
    expect(await markers.begin(key, input(2))).toEqual({ kind: 'completed' });
  });
}
