// What the dead letters' table must do, whatever engine is under it. Runs on the memory engine and on DynamoDB Local.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createDeadLetters } from '../../lib/flow/dead-letter/dead-letters.ts';
import { deadLetterId } from '../../lib/flow/dead-letter/id.ts';
import type { DeadLetterFilter, DeadLetters } from '../../lib/flow/dead-letter/port.ts';
import type { DeadLetter, DeadLetterStatus } from '../../lib/model/dead-letter.ts';
import { consumerName, eventId, eventType, streamId, type Version } from '../../lib/model/ids.ts';
import type { Write } from '../../lib/platform/dynamodb/port.ts';
import { DEAD_LETTERS_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import type { Engine, EngineTables } from '../support/engines.ts';

const table = DEAD_LETTERS_TABLE.name;

const row = (change: Partial<DeadLetter> = {}): DeadLetter => {
  const about = {
    consumer: consumerName('inventory'),
    streamId: streamId('order-1'),
    version: 3 as Version,
    generation: 1,
    ...change,
  };
  return {
    id: deadLetterId(about),
    eventId: eventId('e3'),
    eventType: eventType('OrderPlaced'),
    correlationId: 'c1',
    error: { name: 'Error', message: 'no stock', stack: 'at react' },
    fingerprint: 'f1',
    attempts: 3,
    rounds: 0,
    status: 'parked',
    firstFailedAt: 1_000,
    lastFailedAt: 2_000,
    updatedAt: 2_000,
    format: 1,
    ...about,
  };
};

export function deadLettersContract(engine: Engine): void {
  let tables: EngineTables;
  let deadLetters: DeadLetters;

  beforeEach(async () => {
    tables = await engine.createTables([DEAD_LETTERS_TABLE]);
    deadLetters = createDeadLetters({ dynamo: tables.dynamo, table, world: tables.world });
  });
  afterEach(() => tables.close());

  const commit = (...writes: Write[]) => tables.dynamo.transactWrite({ TransactItems: writes });
  const record = (...rows: DeadLetter[]) => commit(...rows.map((one) => deadLetters.recordWrite(one)));
  const ids = async (filter: DeadLetterFilter) => {
    const found: string[] = [];
    for await (const { id } of deadLetters.list(filter)) found.push(id);
    return found;
  };

  describe('recording', () => {
    it('keeps the row as it was given', async () => {
      const previous = { generation: 1, version: 2 as Version };
      await record(row({ previous }));
      expect(await deadLetters.get(row().id)).toEqual(row({ previous }));
    });

    it('keeps rounds, first failure and place in the chain when the same event fails again', async () => {
      const previous = { generation: 1, version: 2 as Version };
      await record(row({ rounds: 2, previous }));
      await record(row({ rounds: 0, firstFailedAt: 9_000, lastFailedAt: 9_500, attempts: 1 }));
      expect(await deadLetters.get(row().id)).toMatchObject({
        rounds: 2,
        previous,
        firstFailedAt: 1_000,
        lastFailedAt: 9_500,
        attempts: 1,
      });
    });

    it('knows nothing of an id that was never recorded', async () => {
      expect(await deadLetters.get('inventory#1#1#x')).toBeUndefined();
    });
  });

  describe('changing the status', () => {
    it('changes it, with whatever else belongs to it', async () => {
      await record(row());
      const extra = { discardReason: 'test order' };
      await commit(deadLetters.statusWrite(row().id, ['parked', 'redriving'], 'discarded', 5_000, extra));
      expect(await deadLetters.get(row().id)).toMatchObject({ status: 'discarded', updatedAt: 5_000, ...extra });
    });

    it.each([
      ['another status', 'skipped' as DeadLetterStatus],
      ['no row', undefined],
    ])('refuses %s', async (_, status) => {
      if (status) await record(row({ status }));
      const change = deadLetters.statusWrite(row().id, ['parked', 'redriving'], 'resolved', 5_000);
      await expect(commit(change)).rejects.toMatchObject({ name: 'TransactionCanceledException' });
      expect((await deadLetters.get(row().id))?.status).toBe(status);
    });
  });

  describe('those that nobody was told of', () => {
    const failed = (version: number, lastFailedAt: number) =>
      row({ version: version as Version, lastFailedAt, untold: 'yes' });
    const rows = [failed(1, 3_000), failed(2, 1_000), failed(3, 2_000)] as const;
    const [one, two, three] = rows;
    const versions = async (end: 'oldest' | 'newest', atMost: number) =>
      (await deadLetters.untold(end, atMost)).map(({ version }) => version);
    beforeEach(() => record(...rows, row({ version: 4 as Version })));

    it('are found from both ends of time, up to a bound', async () => {
      expect(await versions('oldest', 2)).toEqual([2, 3]);
      expect(await versions('newest', 2)).toEqual([1, 3]);
      expect(await versions('oldest', 9)).toEqual([2, 3, 1]);
    });

    it('are found no more when somebody was told, whatever their status', async () => {
      await deadLetters.markTold(three);
      await deadLetters.markTold(three);
      await commit(deadLetters.statusWrite(two.id, ['parked'], 'redriving', 5_000));
      expect(await versions('oldest', 9)).toEqual([2, 1]);
      expect(await deadLetters.get(three.id)).toEqual({ ...three, untold: undefined });
    });

    it('are found again with every failure, also one that came while people were told of the one before', async () => {
      await record({ ...one, lastFailedAt: 4_000 });
      await deadLetters.markTold(one);
      expect(await versions('oldest', 9)).toEqual([2, 3, 1]);
      await deadLetters.markTold({ ...one, lastFailedAt: 4_000 });
      expect(await versions('oldest', 9)).toEqual([2, 3]);
      await record({ ...one, lastFailedAt: 5_000 });
      expect(await versions('oldest', 9)).toEqual([2, 3, 1]);
    });

    it('do not come into being by being told of', async () => {
      await deadLetters.markTold({ id: 'inventory#1#9#order-1', lastFailedAt: 1 });
      expect(await deadLetters.get('inventory#1#9#order-1')).toBeUndefined();
    });
  });

  describe('listing', () => {
    const at = (version: number, firstFailedAt: number, change: Partial<DeadLetter> = {}) =>
      row({ version: version as Version, firstFailedAt, ...change });
    const rows = [
      at(1, 5_000, { fingerprint: 'f2' }),
      at(2, 3_000, { status: 'skipped' }),
      at(3, 4_000, { eventType: eventType('OrderPaid'), status: 'resolved' }),
      at(4, 1_000, { consumer: consumerName('mailer'), eventId: eventId('e4') }),
      at(5, 2_000, { fingerprint: 'f2', status: 'superseded' }),
    ];
    const [one, two, three, four, five] = rows.map(({ id }) => id);
    beforeEach(() => record(...rows));

    it.each<[string, DeadLetterFilter, (string | undefined)[]]>([
      ['by consumer', { consumer: 'inventory' }, [five, two, three, one]],
      ['by event', { eventId: 'e4', consumer: 'mailer' }, [four]],
      ['by type', { eventType: 'OrderPaid' }, [three]],
      ['by fingerprint', { fingerprint: 'f2' }, [five, one]],
      ['by status', { status: 'parked' }, [four, one]],
      ['by several fields', { consumer: 'inventory', fingerprint: 'f1', status: 'skipped' }, [two]],
      ['by time, bounds included', { consumer: 'inventory', failedFrom: 3_000, failedTo: 4_000 }, [two, three]],
      ['by time alone', { failedFrom: 2_000, failedTo: 3_000 }, [five, two]],
      ['everything', {}, [four, five, two, three, one]],
      ['nothing that is there', { consumer: 'nobody' }, []],
      ['an inverted range', { failedFrom: 2, failedTo: 1 }, []],
    ])('%s, oldest failure first', async (_, filter, expected) => {
      expect(await ids(filter)).toEqual(expected);
    });

    it('reads page after page', async () => {
      const stack = 'x'.repeat(2_900);
      const many = Array.from({ length: 400 }, (_, i) =>
        at(100 + i, 10_000 + i, { consumer: consumerName('big'), error: { name: 'Error', message: 'big', stack } }),
      );
      for (let i = 0; i < many.length; i += 100) await record(...many.slice(i, i + 100));
      expect(await ids({ consumer: 'big' })).toEqual(many.map(({ id }) => id));
    });
  });
}
