// What every store of incidents must do, whatever engine is under it. Runs on the memory engine and on DynamoDB Local.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createIncidents } from '../../lib/flow/relay/incidents.ts';
import type { Incident, Incidents } from '../../lib/flow/relay/port.ts';
import { LOG_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import type { Engine, EngineTables } from '../support/engines.ts';

export function incidentsContract(engine: Engine): void {
  let tables: EngineTables;
  let incidents: Incidents;

  const found = (change: Partial<Incident> = {}): Omit<Incident, 'status'> => ({
    kind: 'missing-commit',
    streamId: 'order-1',
    version: 7,
    detail: 'no commit begins there',
    foundBy: 'relay',
    foundAt: 1_000,
    ...change,
  });
  const open = async () => {
    const all: Incident[] = [];
    for await (const incident of incidents.open()) all.push(incident);
    return all;
  };

  beforeEach(async () => {
    tables = await engine.createTables([LOG_TABLE]);
    incidents = createIncidents({ dynamo: tables.dynamo, logTable: LOG_TABLE.name, world: tables.world });
  });
  afterEach(() => tables.close());

  it('has none at first', async () => {
    expect(await open()).toEqual([]);
    expect(await incidents.isDamaged('order-1')).toBe(false);
  });

  it('keeps an incident as it was found', async () => {
    await incidents.record(found());
    expect(await open()).toEqual([{ ...found(), status: 'open' }]);
    expect(await incidents.isDamaged('order-1')).toBe(true);
  });

  it('records the same damage once, with the time and the words of the first time', async () => {
    await incidents.record(found());
    await incidents.record(found({ foundAt: 2_000, foundBy: 'scrub', detail: 'again' }));
    expect(await open()).toEqual([{ ...found(), status: 'open' }]);
  });

  it('tells damage of another kind, version or stream apart', async () => {
    await incidents.record(found());
    await incidents.record(found({ kind: 'fork' }));
    await incidents.record(found({ version: 70 }));
    await incidents.record(found({ streamId: 'order-10' }));
    expect(await open()).toHaveLength(4);
  });

  it('lists what is open, oldest first', async () => {
    await incidents.record(found({ streamId: 'a', foundAt: 30 }));
    await incidents.record(found({ streamId: 'b', foundAt: 10 }));
    await incidents.record(found({ streamId: 'c', foundAt: 20 }));
    expect((await open()).map(({ streamId }) => streamId)).toEqual(['b', 'c', 'a']);
  });

  it('does not list what is repaired, and opens it again when it is met again', async () => {
    await incidents.record(found());
    await incidents.close(found(), 5_000);
    expect(await open()).toEqual([]);
    expect(await incidents.isDamaged('order-1')).toBe(false);
    await incidents.record(found({ foundAt: 9_000, detail: 'a second time' }));
    expect(await open()).toEqual([{ ...found({ foundAt: 9_000, detail: 'a second time' }), status: 'open' }]);
  });

  it('takes a repair of what was never recorded, and a second repair, as done', async () => {
    await incidents.close(found(), 5_000);
    expect(await open()).toEqual([]);
    await incidents.record(found());
    await incidents.close(found(), 5_000);
    await incidents.close(found(), 6_000);
    expect(await open()).toEqual([]);
  });

  it('is damaged as long as one of several incidents is open', async () => {
    await incidents.record(found({ version: 1 }));
    await incidents.record(found({ version: 2 }));
    await incidents.close(found({ version: 1 }), 1);
    expect(await incidents.isDamaged('order-1')).toBe(true);
    await incidents.close(found({ version: 2 }), 1);
    expect(await incidents.isDamaged('order-1')).toBe(false);
  });

  describe('stream ids that begin alike', () => {
    it.each([
      ['a', 'a#b'],
      ['a', 'ab'],
      ['a#0000000000000001', 'a'],
    ])('tells %s from %s', async (healthy, damaged) => {
      await incidents.record(found({ streamId: damaged, version: 1 }));
      expect(await incidents.isDamaged(healthy)).toBe(false);
      expect(await incidents.isDamaged(damaged)).toBe(true);
    });
  });

  it('reads more incidents than one request answers', async () => {
    const detail = 'x'.repeat(20_000);
    for (let version = 1; version <= 60; version += 1) {
      await incidents.record(found({ version, detail, foundAt: 100 - version }));
    }
    await incidents.close(found({ version: 60 }), 1);
    const listed = await open();
    expect(listed.map(({ version }) => version)).toEqual(Array.from({ length: 59 }, (_, index) => 59 - index));
  });
}
