// What checkpoints must do, whatever engine is under them. Runs on the memory engine and on DynamoDB Local.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCheckpoints } from '../../lib/flow/checkpoint/checkpoints.ts';
import { foldDigest, GENESIS_DIGEST } from '../../lib/flow/checkpoint/digest.ts';
import { LEASE_MARGIN_MS } from '../../lib/flow/checkpoint/lease.ts';
import type { AcquireInput, AcquireResult, Checkpoints } from '../../lib/flow/checkpoint/port.ts';
import { deadLetterId } from '../../lib/flow/dead-letter/id.ts';
import { consumerName, streamId, type Version } from '../../lib/model/ids.ts';
import type { Dynamo, Write } from '../../lib/platform/dynamodb/port.ts';
import { CHECKPOINTS_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import type { TableSchema } from '../../lib/platform/dynamodb/table-schema.ts';
import type { Engine, EngineTables } from '../support/engines.ts';
import { interposed, lostResponse } from '../support/lost-response.ts';

const EFFECTS: TableSchema = { name: 'Effects', partitionKey: { name: 'pk', type: 'S' } };
const table = CHECKPOINTS_TABLE.name;
const key = { consumer: consumerName('inventory'), streamId: streamId('order#1') };
const v = (version: number) => version as Version;

export function checkpointsContract(engine: Engine): void {
  let tables: EngineTables;
  let checkpoints: Checkpoints;
  let owners = 0;
  let backUps: number[] = [];
  const over = (dynamo: Dynamo) => createCheckpoints({ dynamo, table, world: tables.world });

  beforeEach(async () => {
    tables = await engine.createTables([CHECKPOINTS_TABLE, EFFECTS]);
    checkpoints = over(tables.dynamo);
    backUps = [];
  });
  afterEach(() => tables.close());

  const now = () => tables.clock.now();
  const input = (change: Partial<AcquireInput> = {}): AcquireInput => {
    owners += 1;
    return {
      ...key,
      owner: `owner-${owners}`,
      wanted: v(1),
      now: now(),
      leaseDurationMs: 10_000,
      mode: 'shared',
      purpose: 'deliver',
      startVersion: v(0),
      backUp: async (notBefore) => {
        backUps.push(notBefore);
        return notBefore;
      },
      ...change,
    };
  };
  const take = async (change: Partial<AcquireInput> = {}, from = checkpoints) => {
    const result = await from.acquire(input(change));
    if (result.kind !== 'acquired') throw new Error(`not acquired: ${JSON.stringify(result)}`);
    return result;
  };
  const leaseOf = ({ owner, token }: Extract<AcquireResult, { kind: 'acquired' }>) => ({ ...key, owner, token });
  const effect = (name: string): Write => ({
    Update: {
      TableName: 'Effects',
      Key: { pk: name },
      UpdateExpression: 'ADD applied :one',
      ExpressionAttributeValues: { ':one': 1 },
    },
  });
  const resolveTo = async (version: number) => {
    const held = await take({ wanted: v(version) });
    await checkpoints.save(leaseOf(held), { version: v(version), release: {} }, { now: now() });
  };

  describe('taking a lease', () => {
    it('begins a new stream at version 0 of generation 1', async () => {
      const { checkpoint, previousEndedUncleanly, token } = await take({ wanted: v(3) });
      expect(checkpoint).toMatchObject({
        ...key,
        version: 0,
        generation: 1,
        generationStart: 0,
        resolvedCount: 0,
        resolvedDigest: GENESIS_DIGEST,
        wanted: 3,
        token: 1,
        lease: { until: now() + 10_000, mode: 'shared' },
        format: 1,
      });
      expect({ previousEndedUncleanly, token }).toEqual({ previousEndedUncleanly: false, token: 1 });
      expect(await checkpoints.get(key)).toEqual(checkpoint);
    });

    it('begins where the consumer starts, and asks for that only when there is no checkpoint', async () => {
      let asked = 0;
      const startVersion = async () => {
        asked += 1;
        return v(7);
      };
      const { checkpoint, token, owner } = await take({ wanted: v(9), startVersion });
      expect(checkpoint).toMatchObject({ version: 7, generationStart: 7, wanted: 9 });
      await checkpoints.save({ ...key, token, owner }, { version: v(9), release: {} }, { now: now() });
      await take({ wanted: v(10), startVersion });
      expect(asked).toBe(1);
    });

    it('refuses the lease while another holder has it, and records what was wanted', async () => {
      const first = await take({ wanted: v(1) });
      const second = await checkpoints.acquire(input({ wanted: v(5) }));
      expect(second).toEqual({ kind: 'held', until: first.checkpoint.lease?.until });
      expect(await checkpoints.get(key)).toMatchObject({ wanted: 5, token: 1 });
    });

    it('refuses the lease only with a back-up ahead, one for all who ask meanwhile', async () => {
      const until = (await take({ wanted: v(5) })).checkpoint.lease?.until as number;
      for (const wanted of [1, 6, 7]) await checkpoints.acquire(input({ wanted: v(wanted) }));
      expect(backUps).toEqual([until + LEASE_MARGIN_MS]);
      expect(await checkpoints.get(key)).toMatchObject({ wanted: 7, backUpAt: until + LEASE_MARGIN_MS });
    });

    it('takes no back-up for one that lies ahead of itself, and none that comes too late', async () => {
      const first = await take();
      await checkpoints.acquire(input());
      const due = backUps[0] as number;
      // The back-up itself arrives, and meets another holder.
      tables.clock.set(due - LEASE_MARGIN_MS + 1);
      await checkpoints.save(leaseOf(first), { release: {} }, { now: now() });
      const second = await take({ wanted: v(2), leaseDurationMs: 900_000 });
      await checkpoints.acquire(input());
      expect(backUps).toHaveLength(2);
      await checkpoints.save(leaseOf(second), { release: {} }, { now: now() });
      await take({ wanted: v(3) });
      await checkpoints.acquire(input());
      expect(backUps).toHaveLength(3);
    });

    it('never lowers what is wanted', async () => {
      await take({ wanted: v(5) });
      await checkpoints.acquire(input({ wanted: v(2) }));
      expect(await checkpoints.get(key)).toMatchObject({ wanted: 5 });
    });

    it('takes a released lease at once, with a higher token', async () => {
      await resolveTo(1);
      const { token, previousEndedUncleanly } = await take({ wanted: v(2) });
      expect({ token, previousEndedUncleanly }).toEqual({ token: 2, previousEndedUncleanly: false });
    });

    it('takes an unreleased lease only after its end and the margin, and says how it ended', async () => {
      const first = await take();
      const until = first.checkpoint.lease?.until as number;
      tables.clock.set(until + LEASE_MARGIN_MS);
      expect(await checkpoints.acquire(input())).toMatchObject({ kind: 'held' });
      tables.clock.set(until + LEASE_MARGIN_MS + 1);
      expect(await take()).toMatchObject({ token: 2, previousEndedUncleanly: true });
    });

    it('takes no lease when everything asked for is resolved', async () => {
      await resolveTo(4);
      expect(await checkpoints.acquire(input({ wanted: v(4) }))).toEqual({ kind: 'up-to-date', version: 4 });
      expect(await checkpoints.acquire(input({ wanted: v(2) }))).toEqual({ kind: 'up-to-date', version: 4 });
      expect((await checkpoints.get(key))?.token).toBe(1);
    });

    it('takes the lease for an old version when more is wanted', async () => {
      const held = await take({ wanted: v(6) });
      await checkpoints.save(leaseOf(held), { version: v(3), release: {} }, { now: now() });
      expect(await take({ wanted: v(2) })).toMatchObject({ checkpoint: { version: 3, wanted: 6 } });
    });

    it('lets one of 64 claimers win, and every loser leaves its trace', async () => {
      const claims = Array.from({ length: 64 }, (_, i) => checkpoints.acquire(input({ wanted: v(i + 1) })));
      const results = await Promise.all(claims);
      expect(results.filter(({ kind }) => kind === 'acquired')).toHaveLength(1);
      expect(results.filter(({ kind }) => kind === 'held')).toHaveLength(63);
      expect((await checkpoints.get(key))?.wanted).toBe(64);
    });

    it('recognises its own lease when the response was lost, and still knows how the holder before it ended', async () => {
      const first = await take();
      tables.clock.set((first.checkpoint.lease?.until as number) + LEASE_MARGIN_MS + 1);
      const again = await take({ wanted: v(2) }, over(lostResponse(tables.dynamo, { update: 1 })));
      expect(again).toMatchObject({ token: 2, previousEndedUncleanly: true, checkpoint: { wanted: 2 } });
    });

    it('does not take its own repeated request for an unclean end', async () => {
      const held = await take({}, over(lostResponse(tables.dynamo, { update: 1 })));
      expect(held).toMatchObject({ token: 1, previousEndedUncleanly: false });
    });
  });

  describe('a stream that waits', () => {
    const id = deadLetterId({ ...key, generation: 1, version: v(2) });
    const park = async () => {
      const held = await take({ wanted: v(2) });
      const parked = { version: v(2), deadLetterId: id, since: now() };
      await checkpoints.save(leaseOf(held), { version: v(1), parked, release: {} }, { now: now() });
    };
    const fail = async (retryAt: number) => {
      const held = await take({ wanted: v(2) });
      const lastError = { name: 'Error', message: 'no' };
      const attempting = { version: v(1), count: 1, firstFailedAt: now(), lastError, retryAt };
      await checkpoints.save(leaseOf(held), { attempting, release: {} }, { now: now() });
    };

    it('parked: records what is wanted and takes no lease, whoever asks', async () => {
      await park();
      for (const purpose of ['deliver', 'force'] as const) {
        const wanted = purpose === 'deliver' ? 5 : 6;
        const result = await checkpoints.acquire(input({ purpose, wanted: v(wanted) }));
        expect(result).toEqual({ kind: 'parked', deadLetterId: id });
        expect(await checkpoints.get(key)).toMatchObject({ wanted, token: 1 });
      }
    });

    it('parked: a rewind is applied all the same', async () => {
      await park();
      const request = { to: v(0), requestId: 'r1', requestedAt: now() };
      expect(await checkpoints.requestRewind(key, request)).toEqual({ kind: 'requested' });
      expect(await take()).toMatchObject({ checkpoint: { rewind: request, parked: { deadLetterId: id } } });
    });

    it('parked: a redelivery takes the lease', async () => {
      await park();
      expect(await take({ purpose: 'redeliver', wanted: v(0) })).toMatchObject({ checkpoint: { wanted: 2 } });
    });

    it('between two tries: a delivery is recorded and waits, a forced wake-up does not', async () => {
      const retryAt = now() + 16_000;
      await fail(retryAt);
      expect(await checkpoints.acquire(input({ wanted: v(4) }))).toEqual({ kind: 'deferred', until: retryAt });
      expect(backUps).toEqual([retryAt]);
      expect(await checkpoints.get(key)).toMatchObject({ wanted: 4, token: 1 });
      expect(await take({ purpose: 'force' })).toMatchObject({ token: 2, checkpoint: { attempting: { count: 1 } } });
    });

    it('between two tries: a delivery is worked on when the time has come', async () => {
      await fail(now() + 16_000);
      tables.clock.advance(16_000);
      expect(await take()).toMatchObject({ token: 2 });
    });

    it('is un-parked once, and the next holder knows what to do', async () => {
      await park();
      const unpark = () => tables.dynamo.transactWrite({ TransactItems: [checkpoints.unparkWrite(key, id, now())] });
      await unpark();
      const redriving = { version: 2, deadLetterId: id, decision: 'retry' };
      expect(await take()).toMatchObject({ checkpoint: { redriving } });
      expect((await checkpoints.get(key))?.parked).toBeUndefined();
      await expect(unpark()).rejects.toMatchObject({ name: 'TransactionCanceledException' });
    });

    it('for a holder is taken by a loser whose trace would have come too late', async () => {
      // The first update is the refused try to take the lease, the second one would leave the trace.
      const raced = (action: () => Promise<unknown>) => over(interposed(tables.dynamo, 2, action));
      const holder = await take({ wanted: v(2) });
      const releases = () => checkpoints.save(leaseOf(holder), { version: v(2), release: {} }, { now: now() });
      const afterRelease = await raced(releases).acquire(input({ wanted: v(3) }));
      expect(afterRelease).toMatchObject({ kind: 'acquired', checkpoint: { version: 2, wanted: 3 } });
    });

    it('is taken by a loser who meant to wait behind a dead letter that was redriven meanwhile', async () => {
      await park();
      const unparks = () => tables.dynamo.transactWrite({ TransactItems: [checkpoints.unparkWrite(key, id, now())] });
      const result = await over(interposed(tables.dynamo, 2, unparks)).acquire(input({ wanted: v(3) }));
      expect(result).toMatchObject({ kind: 'acquired', checkpoint: { redriving: { version: 2 } } });
    });

    it('is taken by a loser who meant to wait for a rewind that was asked for meanwhile', async () => {
      await park();
      const rewind = { to: v(0), requestId: 'r1', requestedAt: now() };
      const asks = () => checkpoints.requestRewind(key, rewind);
      const result = await over(interposed(tables.dynamo, 2, asks)).acquire(input({ wanted: v(3) }));
      expect(result).toMatchObject({ kind: 'acquired', checkpoint: { rewind } });
    });

    it('is taken by a loser who meant to wait for a try that came and went meanwhile', async () => {
      await fail(now() + 16_000);
      const triesAndReleases = async () => {
        const held = await take({ purpose: 'force', wanted: v(2) });
        await checkpoints.save(leaseOf(held), { version: v(2), attempting: null, release: {} }, { now: now() });
      };
      const result = await over(interposed(tables.dynamo, 2, triesAndReleases)).acquire(input({ wanted: v(3) }));
      expect(result).toMatchObject({ kind: 'acquired', checkpoint: { version: 2, wanted: 3 } });
    });

    it('can be un-parked to discard the event', async () => {
      await park();
      const write = checkpoints.unparkWrite(key, id, now(), 'discard');
      await tables.dynamo.transactWrite({ TransactItems: [write] });
      expect((await checkpoints.get(key))?.redriving).toMatchObject({ decision: 'discard' });
    });
  });

  describe('a redelivery', () => {
    it('finds nothing where there is no checkpoint, and creates none', async () => {
      const result = await checkpoints.acquire(input({ purpose: 'redeliver', wanted: v(0) }));
      expect(result).toEqual({ kind: 'up-to-date', version: 0 });
      expect(await checkpoints.get(key)).toBeUndefined();
    });

    it('meets a held lease without leaving a trace', async () => {
      await take({ wanted: v(1) });
      expect(await checkpoints.acquire(input({ purpose: 'redeliver', wanted: v(9) }))).toMatchObject({ kind: 'held' });
      expect((await checkpoints.get(key))?.wanted).toBe(1);
    });
  });

  describe('saving under the lease', () => {
    it('writes what is given, removes what is null and keeps the rest', async () => {
      const held = await take({ wanted: v(3) });
      const attempting = { version: v(1), count: 1, firstFailedAt: 5 };
      const digest = foldDigest(GENESIS_DIGEST, 1, 'a'.repeat(64), 'resolved');
      await checkpoints.save(leaseOf(held), { attempting, mode: 'alone' }, { now: now() });
      expect(await checkpoints.get(key)).toMatchObject({ attempting, lease: { mode: 'alone' }, version: 0 });
      tables.clock.advance(5);
      const change = { attempting: null, version: v(1), resolvedCount: 1, resolvedDigest: digest };
      expect(await checkpoints.save(leaseOf(held), change, { now: now() })).toEqual({ kind: 'saved' });
      const found = await checkpoints.get(key);
      expect(found).toMatchObject({
        version: 1,
        resolvedCount: 1,
        resolvedDigest: digest,
        wanted: 3,
        updatedAt: now(),
      });
      expect(found).not.toHaveProperty('attempting');
    });

    it('gives the lease back in the same write', async () => {
      const held = await take();
      await checkpoints.save(leaseOf(held), { version: v(1), release: { wantedAtMost: v(1) } }, { now: now() });
      expect(await checkpoints.get(key)).not.toHaveProperty('lease');
    });

    it('refuses to release when somebody asked for more, and says for what', async () => {
      const held = await take({ wanted: v(1) });
      await checkpoints.acquire(input({ wanted: v(4) }));
      const change = { version: v(1), release: { wantedAtMost: v(1) } };
      expect(await checkpoints.save(leaseOf(held), change, { now: now() })).toEqual({ kind: 'wanted-more', wanted: 4 });
      expect(await checkpoints.get(key)).toMatchObject({ version: 0, lease: {} });
    });

    it('refuses to release over a rewind that was asked for meanwhile', async () => {
      await resolveTo(3);
      const held = await take({ wanted: v(4) });
      const rewind = { to: v(1), requestId: 'r1', requestedAt: now() };
      await checkpoints.requestRewind(key, rewind);
      for (const release of [{ wantedAtMost: v(4) }, { unlessRewind: true }]) {
        const result = await checkpoints.save(leaseOf(held), { version: v(4), release }, { now: now() });
        expect(result).toEqual({ kind: 'wanted-more', wanted: 4, rewind });
      }
      expect(await checkpoints.save(leaseOf(held), { release: {} }, { now: now() })).toEqual({ kind: 'saved' });
    });

    it('refuses a holder whose lease was taken over', async () => {
      const zombie = await take();
      tables.clock.advance(10_000 + LEASE_MARGIN_MS + 1);
      await take();
      for (const alongside of [[], [effect('zombie')]]) {
        const result = await checkpoints.save(leaseOf(zombie), { version: v(1) }, { now: now(), alongside });
        expect(result).toEqual({ kind: 'lease-lost' });
      }
      expect(await tables.items('Effects')).toEqual([]);
      expect(await checkpoints.get(key)).toMatchObject({ version: 0, token: 2 });
    });

    it('refuses a holder that has given the lease back', async () => {
      const held = await take();
      await checkpoints.save(leaseOf(held), { release: {} }, { now: now() });
      expect(await checkpoints.save(leaseOf(held), { version: v(1) }, { now: now() })).toEqual({ kind: 'lease-lost' });
    });

    it('lets a late holder save while nobody took over', async () => {
      const held = await take();
      tables.clock.advance(60_000);
      expect(await checkpoints.save(leaseOf(held), { version: v(1) }, { now: now() })).toEqual({ kind: 'saved' });
    });
  });

  describe('saving in a transaction', () => {
    it('commits the effects with the checkpoint', async () => {
      const held = await take();
      const alongside = [effect('a'), effect('b')];
      const result = await checkpoints.save(leaseOf(held), { version: v(1), release: {} }, { now: now(), alongside });
      expect(result).toEqual({ kind: 'saved' });
      expect((await tables.items('Effects')).map(({ applied }) => applied)).toEqual([1, 1]);
    });

    it('commits neither when the release is refused', async () => {
      const held = await take({ wanted: v(1) });
      await checkpoints.acquire(input({ wanted: v(2) }));
      const change = { version: v(1), release: { wantedAtMost: v(1) } };
      const result = await checkpoints.save(leaseOf(held), change, { now: now(), alongside: [effect('a')] });
      expect(result).toEqual({ kind: 'wanted-more', wanted: 2 });
      expect(await tables.items('Effects')).toEqual([]);
    });

    it('names the write whose own condition does not hold', async () => {
      const held = await take();
      const mustExist: Write = {
        ConditionCheck: { TableName: 'Effects', Key: { pk: 'x' }, ConditionExpression: 'attribute_exists(pk)' },
      };
      const alongside = [effect('a'), mustExist];
      const result = await checkpoints.save(leaseOf(held), { version: v(1) }, { now: now(), alongside });
      expect(result).toMatchObject({ kind: 'cancelled', reasons: [{ index: 1, code: 'ConditionalCheckFailed' }] });
      expect(await checkpoints.get(key)).toMatchObject({ version: 0 });
    });

    it('says when the transaction as a whole can never be', async () => {
      const held = await take();
      const twice = { now: now(), alongside: [effect('a'), effect('a')] };
      expect(await checkpoints.save(leaseOf(held), { version: v(1) }, twice)).toMatchObject({
        kind: 'rejected',
        code: 'ValidationException',
      });
      const nowhere: Write = { Delete: { TableName: 'Nowhere', Key: { pk: 'x' } } };
      const unknown = { now: now(), alongside: [nowhere] };
      expect(await checkpoints.save(leaseOf(held), { version: v(1) }, unknown)).toMatchObject({ kind: 'rejected' });
    });

    it('applies once when the response was lost', async () => {
      const held = await take();
      const flaky = over(lostResponse(tables.dynamo, { transactWrite: 1 }));
      const change = { version: v(1), release: { wantedAtMost: v(1) } };
      const result = await flaky.save(leaseOf(held), change, { now: now(), alongside: [effect('a')] });
      expect(result).toEqual({ kind: 'saved' });
      expect(await tables.items('Effects')).toMatchObject([{ applied: 1 }]);
    });

    it('recognises its lost response also after somebody else took the released lease', async () => {
      const held = await take();
      const flaky = over(
        lostResponse(tables.dynamo, { transactWrite: 1 }, async () => {
          await take({ wanted: v(2) });
        }),
      );
      const change = { version: v(1), release: { wantedAtMost: v(1) } };
      const result = await flaky.save(leaseOf(held), change, { now: now(), alongside: [effect('a')] });
      expect(result).toEqual({ kind: 'saved' });
      expect(await tables.items('Effects')).toMatchObject([{ applied: 1 }]);
    });

    it('recognises its lost response when DynamoDB names only the effect that was there before', async () => {
      const held = await take();
      const flaky = over(lostResponse(tables.dynamo, { transactWrite: 1 }, undefined, { hideFirstReason: true }));
      const create: Write = {
        Put: { TableName: 'Effects', Item: { pk: 'new' }, ConditionExpression: 'attribute_not_exists(pk)' },
      };
      const result = await flaky.save(leaseOf(held), { version: v(1) }, { now: now(), alongside: [create] });
      expect(result).toEqual({ kind: 'saved' });
    });
  });

  describe('saving without a transaction', () => {
    it('refuses the request of an earlier save that DynamoDB carries out after a later one', async () => {
      const sent: Parameters<Dynamo['update']>[0][] = [];
      const recording: Dynamo = {
        ...tables.dynamo,
        update: (request) => {
          sent.push(request);
          return tables.dynamo.update(request);
        },
      };
      const store = over(recording);
      const lease = leaseOf(await take({ wanted: v(3) }, store));
      await store.save(lease, { version: v(1) }, { now: now() });
      const late = sent.at(-1) as (typeof sent)[number];
      await store.save(lease, { version: v(2) }, { now: now() });
      await expect(tables.dynamo.update(late)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
      expect(await checkpoints.get(key)).toMatchObject({ version: 2 });
    });

    it('recognises a lost response of the release', async () => {
      const held = await take();
      const flaky = over(lostResponse(tables.dynamo, { update: 1 }));
      const change = { version: v(1), release: { wantedAtMost: v(1) } };
      expect(await flaky.save(leaseOf(held), change, { now: now() })).toEqual({ kind: 'saved' });
    });
  });

  describe('asking for a rewind', () => {
    const request = (to: number, requestId = 'r1') => ({ to: v(to), requestId, requestedAt: now() });

    it('waits on the item for the next holder', async () => {
      await resolveTo(5);
      expect(await checkpoints.requestRewind(key, request(2))).toEqual({ kind: 'requested' });
      expect(await checkpoints.get(key)).toMatchObject({ version: 5, rewind: request(2) });
      expect(await take({ wanted: v(1) })).toMatchObject({ checkpoint: { rewind: request(2) } });
    });

    it('is refused when there is nothing to rewind', async () => {
      expect(await checkpoints.requestRewind(key, request(0))).toEqual({ kind: 'nothing-to-rewind' });
      await resolveTo(2);
      expect(await checkpoints.requestRewind(key, request(2))).toEqual({ kind: 'nothing-to-rewind' });
    });

    it('is made once, however often it is asked for, also after it was applied', async () => {
      await resolveTo(5);
      await checkpoints.requestRewind(key, request(2));
      expect(await checkpoints.requestRewind(key, request(2))).toEqual({ kind: 'already-requested' });
      expect(await checkpoints.requestRewind(key, request(0, 'r2'))).toEqual({ kind: 'busy' });
      const held = await take();
      const applied = { version: v(2), generation: 2, rewind: null, lastRewindId: 'r1', release: {} };
      await checkpoints.save(leaseOf(held), applied, { now: now() });
      const later = await take({ wanted: v(5) });
      await checkpoints.save(leaseOf(later), { version: v(5), release: {} }, { now: now() });
      expect(await checkpoints.requestRewind(key, request(2))).toEqual({ kind: 'already-requested' });
      expect(await checkpoints.requestRewind(key, request(2, 'r2'))).toEqual({ kind: 'requested' });
    });
  });

  describe('asking to pass without effects', () => {
    const request = (to: number, passTo: number, requestId = 'p1') => {
      return { to: v(to), passTo: v(passTo), requestId, requestedAt: now(), suppressEffects: true };
    };

    it('makes the checkpoint where there is none, so that the next holder finds the request', async () => {
      expect(await checkpoints.requestRewind(key, request(0, 3))).toEqual({ kind: 'requested' });
      expect(await checkpoints.requestRewind(key, request(0, 3))).toEqual({ kind: 'already-requested' });
      expect(await checkpoints.get(key)).toMatchObject({ version: 0, generation: 1, resolvedCount: 0, wanted: 0 });
      const held = await take({ wanted: v(1) });
      expect(held).toMatchObject({ checkpoint: { version: 0, generation: 1, rewind: request(0, 3) } });
      expect(held).toMatchObject({ token: 1, previousEndedUncleanly: false });
    });

    it('is refused when the checkpoint is elsewhere, or repeats what a rewind took back', async () => {
      await resolveTo(2);
      expect(await checkpoints.requestRewind(key, request(1, 5))).toEqual({ kind: 'nothing-to-rewind' });
      const held = await take({ wanted: v(5) });
      const repeating = { replay: { id: 'r1', until: v(4) }, release: {} };
      await checkpoints.save(leaseOf(held), repeating, { now: now() });
      expect(await checkpoints.requestRewind(key, request(2, 5))).toEqual({ kind: 'nothing-to-rewind' });
    });
  });

  describe('reading', () => {
    it('reads many, in no order, each once', async () => {
      const ids = Array.from({ length: 120 }, (_, i) => streamId(`s${i}`));
      for (const id of ids.slice(0, 110)) await checkpoints.acquire(input({ streamId: id }));
      const keys = [...ids, ...ids.slice(0, 3)].map((id) => ({ consumer: key.consumer, streamId: id }));
      const found = await checkpoints.getMany(keys);
      expect(found.map((one) => one.streamId).sort()).toEqual(ids.slice(0, 110).sort());
    });

    it('answers nothing for no keys', async () => {
      expect(await checkpoints.getMany([])).toEqual([]);
    });

    it('refuses an item that newer code wrote', async () => {
      const pk = `${key.consumer}#${key.streamId}`;
      await tables.dynamo.put({ TableName: table, Item: { pk, sk: 'checkpoint', format: 99 } });
      await expect(checkpoints.get(key)).rejects.toMatchObject({ code: 'NEWER_FORMAT', retryable: true });
    });
  });
}
