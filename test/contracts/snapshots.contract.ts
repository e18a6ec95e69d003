// What snapshots must do, whatever engine is under them. Runs on the memory engine and on DynamoDB Local.

import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { SNAPSHOT_MAX_BYTES } from '../../lib/flow/snapshot/coding.ts';
import type { Snapshot, Snapshots } from '../../lib/flow/snapshot/port.ts';
import { createSnapshots } from '../../lib/flow/snapshot/snapshots.ts';
import type { Json } from '../../lib/model/event.ts';
import type { StreamId, Version } from '../../lib/model/ids.ts';
import { SNAPSHOTS_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import type { Engine, EngineTables } from '../support/engines.ts';
import { lostResponse, timeoutError } from '../support/lost-response.ts';
import { seededRandom } from '../support/world.ts';

const table = SNAPSHOTS_TABLE.name;
const key = { streamId: 'order#1' as StreamId, name: 'state', schemaVersion: 1 };

export function snapshotsContract(engine: Engine): void {
  let tables: EngineTables;
  let snapshots: Snapshots;
  const over = (dynamo: EngineTables['dynamo']) =>
    createSnapshots({ dynamo, snapshotsTable: table, world: tables.world });
  const at = (version: number, state: Json = { n: version }): Snapshot => ({
    ...key,
    version: version as Version,
    commitHash: 'a'.repeat(64),
    state,
    takenAt: 1_000,
  });
  const versionOf = async (of = key) => {
    const read = await snapshots.read(of);
    return read.kind === 'found' ? read.snapshot.version : read.kind;
  };

  beforeEach(async () => {
    tables = await engine.createTables([SNAPSHOTS_TABLE]);
    snapshots = over(tables.dynamo);
  });
  afterEach(() => tables.close());

  it('gives back exactly what was stored', async () => {
    const state = { text: 'Ä€😀', list: [1, -0.5, null, true], nested: { __proto__x: {}, empty: [] } };
    expect(await snapshots.write(at(7, state))).toMatchObject({ kind: 'stored' });
    expect(await snapshots.read(key)).toMatchObject({ kind: 'found', snapshot: at(7, state) });
  });

  it('knows none where none was stored, also under another name or schema version', async () => {
    await snapshots.write(at(7));
    expect(await versionOf({ ...key, name: 'other' })).toBe('none');
    expect(await versionOf({ ...key, schemaVersion: 2 })).toBe('none');
    expect(await versionOf({ ...key, streamId: 'order' as StreamId })).toBe('none');
  });

  it('never goes back, whoever writes last', async () => {
    await snapshots.write(at(7));
    expect(await snapshots.write(at(7))).toEqual({ kind: 'not-newer' });
    expect(await snapshots.write(at(6))).toEqual({ kind: 'not-newer' });
    expect(await versionOf()).toBe(7);
    expect(await snapshots.write(at(8))).toMatchObject({ kind: 'stored' });
    expect(await versionOf()).toBe(8);
  });

  it('ends with the highest version when many write at once', async () => {
    const versions = [3, 9, 1, 12, 5, 12, 7];
    const answers = await Promise.all(versions.map((version) => snapshots.write(at(version))));
    expect(await versionOf()).toBe(12);
    expect(answers.filter(({ kind }) => kind === 'stored').length).toBeGreaterThan(0);
  });

  it('replaces a later one only when it is exactly the one that was seen', async () => {
    await snapshots.write(at(9));
    const read = await snapshots.read(key);
    if (read.kind !== 'found') throw new Error(read.kind);
    await snapshots.write(at(10));
    expect(await snapshots.write(at(5), read.seen)).toEqual({ kind: 'not-newer' });
    const again = await snapshots.read(key);
    if (again.kind !== 'found') throw new Error(again.kind);
    expect(await snapshots.write(at(5), again.seen)).toMatchObject({ kind: 'stored' });
    expect(await versionOf()).toBe(5);
  });

  it.each([
    ['state', '{}'],
    ['state', 7],
    ['state', undefined],
    ['version', 8],
    ['commitHash', 'b'.repeat(64)],
    ['encoding', 'br'],
    ['takenAt', 2],
    ['checksum', undefined],
    ['checksum', 5],
    ['format', 2],
  ])('takes an item whose %s became %p for unreadable, and lets it be replaced', async (name, value) => {
    await snapshots.write(at(7));
    const [item] = await tables.items(table);
    await tables.dynamo.put({ TableName: table, Item: { ...item, [name]: value } });
    const read = await snapshots.read(key);
    expect(read.kind).toBe('unreadable');
    if (read.kind !== 'unreadable') return;
    expect(await snapshots.write(at(3), read.seen)).toMatchObject({ kind: 'stored' });
    expect(await versionOf()).toBe(3);
  });

  it('compresses what is large, and stores nothing that is larger than an item may be', async () => {
    const large = Array.from({ length: 5_000 }, (_, n) => ({ sku: `article-${n}`, quantity: 1 }));
    expect(await snapshots.write(at(7, large))).toMatchObject({ kind: 'stored' });
    const [item] = await tables.items(table);
    expect(item?.encoding).toBe('br');
    expect(await snapshots.read(key)).toMatchObject({ kind: 'found', snapshot: { state: large } });
    const random = seededRandom(7);
    const noise = Array.from({ length: 60_000 }, () => random.next());
    const answer = await snapshots.write(at(8, noise));
    expect(answer.kind).toBe('too-large');
    expect(answer.kind === 'too-large' && answer.itemBytes > SNAPSHOT_MAX_BYTES).toBe(true);
    expect(await versionOf()).toBe(7);
  });

  it.each([[{ a: undefined }], [{ a: Number.NaN }], [new Map()], [{ at: new Date(0) }], [1n]])(
    'refuses a state that would not come back as it is: %p',
    async (state) => {
      await expect(snapshots.write(at(7, state as never))).rejects.toMatchObject({ code: 'SNAPSHOT_STATE_NOT_JSON' });
      expect(await tables.items(table)).toEqual([]);
    },
  );

  it('says "not newer" about its own write whose answer was lost', async () => {
    const losing = over(lostResponse(tables.dynamo, { put: 1 }));
    await expect(losing.write(at(7))).rejects.toThrow(timeoutError().message);
    expect(await losing.write(at(7))).toEqual({ kind: 'not-newer' });
    expect(await versionOf()).toBe(7);
  });

  it('removes all snapshots of one stream, and no other', async () => {
    await snapshots.write(at(7));
    await snapshots.write({ ...at(7), name: 'other' });
    await snapshots.write({ ...at(7), streamId: 'order#10' as StreamId });
    expect(await snapshots.remove(key.streamId)).toBe(2);
    expect(await tables.items(table)).toHaveLength(1);
    expect(await snapshots.remove(key.streamId)).toBe(0);
  });
}
