// Failures of the catalogue that belong to no single folder: between queue and function, between key and table, in the
// templates. The number is the catalogue's.

import { describe, expect, it } from '@jest/globals';
import { DEFAULT_SETTINGS } from '../../lib/flow/consumer/settings.ts';
import type { Log } from '../../lib/flow/log/port.ts';
import type { Position, StreamId, Version } from '../../lib/model/ids.ts';
import type { Dynamo } from '../../lib/platform/dynamodb/port.ts';
import { DEAD_LETTERS_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import { expectAllResolved } from '../flow/consumer/engine/checks.ts';
import { System } from '../flow/consumer/engine/system.ts';
import { consumerStack, resource } from '../infra/synth.ts';
import { planOf } from '../simulation/scenario/plan.ts';
import { runSeed } from '../simulation/scenario/run.ts';
import { networkError, throttled } from '../simulation/world/service-errors.ts';
import { synthesizedDefinition } from '../support/recovery-definition.ts';
import { createSmallSystem } from '../support/small-system.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Carries requests out and loses every answer, as long as `isLosing`. */
const losing =
  <Input, Output>(send: (input: Input) => Promise<Output>, isLosing: () => boolean) =>
  async (input: Input): Promise<Output> => {
    if (!isLosing()) return send(input);
    await send(input).catch(() => undefined);
    throw networkError();
  };

describe('between queue and function', () => {
  it('batches that are throttled before they are invoked end as resolved or parked (failure 4)', async () => {
    const kind = 'throttled-invoke';
    const seeds = Array.from({ length: 200 }, (_, index) => index + 1).filter(
      (seed) => (planOf(seed).faults.rates[kind] ?? 0) > 0.1,
    );
    const some = seeds.slice(0, 5);
    expect(some).toHaveLength(5);
    let throttledInvocations = 0;
    for (const seed of some) {
      const { result } = await runSeed(seed, { overrides: { faults: [kind, 'react-poison', 'react-fails'] } });
      expect(result.violation).toBeUndefined();
      throttledInvocations += result.faults[kind] ?? 0;
    }
    expect(throttledInvocations).toBeGreaterThan(20);
  });

  it('a dead letter outlives every message about it (failure 22)', async () => {
    const system = await createSmallSystem();
    await system.addConsumer({ name: 'billing', eventTypes: ['Placed'], effects: 'idempotent', maxAttempts: 1 }, () => {
      throw new Error('no');
    });
    await system.append('order-1', ['Placed', 'Placed']);
    await system.settle();
    system.purge('billing');
    system.clock.advance(20 * DAY_MS);
    expect(await system.deadLetters.get('billing#1#1#order-1')).toMatchObject({ status: 'parked', version: 1 });
    expect(await system.checkpoint('billing', 'order-1')).toMatchObject({
      version: 0,
      wanted: 2,
      parked: { version: 1 },
    });
    expect(DEAD_LETTERS_TABLE).not.toHaveProperty('timeToLiveAttribute');
  });
});

describe('between key and table', () => {
  it('an append that is tried again after 11 minutes is stored once (failure 13)', async () => {
    let isLosing = true;
    const wrap = (dynamo: Dynamo): Dynamo => ({ ...dynamo, put: losing(dynamo.put, () => isLosing) });
    const system = await createSmallSystem({ wrap });
    const event = { id: 'e1', type: 'Placed', data: { n: 1 } };
    const first = system.eventStore.append('order-1', [event], 0);
    await expect(first).rejects.toMatchObject({ code: 'APPEND_OUTCOME_UNKNOWN', retryable: true });
    isLosing = false;
    system.clock.advance(11 * MINUTE_MS);
    const again = await system.eventStore.append('order-1', [event], 0);
    expect(again).toMatchObject({ firstVersion: 1, version: 1, repeated: true });
    expect(await system.eventStore.getVersion('order-1')).toBe(1);
  });

  it('a page that is written again after 11 minutes, when DynamoDB has forgotten its token, is the same page (failure 13)', async () => {
    let isLosing = true;
    const wrap = (dynamo: Dynamo): Dynamo => ({
      ...dynamo,
      transactWrite: losing(dynamo.transactWrite, () => isLosing),
    });
    const { log, clock } = await createSmallSystem({ wrap });
    const input: Parameters<Log['sequence']>[0] = {
      head: 0 as Position,
      entries: [
        {
          streamId: 'order-1' as StreamId,
          version: 1 as Version,
          count: 1,
          recordedAt: clock.now(),
          types: ['Placed'],
          hashPrefix: '0123456789abcdef',
        },
      ],
      expected: new Map(),
      sequencedAt: clock.now(),
    };
    await expect(log.sequence(input)).rejects.toMatchObject({ code: 'ECONNRESET' });
    isLosing = false;
    clock.advance(11 * MINUTE_MS);
    expect(await log.sequence(input)).toMatchObject({ kind: 'sequenced', page: { firstPosition: 1, lastPosition: 1 } });
    expect(await log.head()).toBe(1);
  });

  it('a hot stream whose key is throttled skips nothing, and the others go on (failure 18)', async () => {
    let throttles = 0;
    const refuseHot = async (...keys: (Record<string, unknown> | undefined)[]): Promise<void> => {
      if (throttles >= 15 || !keys.some((key) => String(key?.pk).endsWith('#hot'))) return;
      throttles += 1;
      throw throttled();
    };
    const system = new System({
      declaration: { effects: 'idempotent' },
      wrapDynamo: (dynamo) => ({
        ...dynamo,
        update: (input) => refuseHot(input.Key).then(() => dynamo.update(input)),
        transactWrite: ({ TransactItems = [], ...input }) =>
          refuseHot(...TransactItems.map(({ Update }) => Update?.Key)).then(() =>
            dynamo.transactWrite({ TransactItems, ...input }),
          ),
      }),
    });
    const seen = () => system.effects.map(({ streamId, version }) => `${streamId}@${version}`);
    for (const stream of ['hot', 'cold']) {
      await system.append(stream, [1, 1, 1]);
      await system.deliver(stream, [1, 3, 2]);
    }
    await system.untilQuiet();
    expect(throttles).toBe(15);
    expect(seen()).toEqual(['cold@1', 'cold@2', 'cold@3', 'hot@1', 'hot@2', 'hot@3']);
    expect(system.violations).toEqual([]);
    await expectAllResolved(system, 'hot', 3);
    await expectAllResolved(system, 'cold', 3);
  });
});

describe('in the templates', () => {
  it('a consumer opts out of the detection of loops, because its own cap ends them (failure 21)', () => {
    const template = consumerStack().template();
    expect(resource(template, 'AWS::Lambda::Function', 'Mailer').Properties).toMatchObject({ RecursiveLoop: 'Allow' });
    // Lambda would stop after about 16; continuations without progress end soon after that, in the dead-letter queue.
    expect(DEFAULT_SETTINGS.maxHops).toBeLessThanOrEqual(20);
  });

  it('gaps are filled by a Distributed Map whose results are not collected (failure 27)', () => {
    const { States } = synthesizedDefinition();
    expect(States.FillGaps).toMatchObject({
      Type: 'Map',
      ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED' } },
      ResultPath: null,
    });
  });
});
