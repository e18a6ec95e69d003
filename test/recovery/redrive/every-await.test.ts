// The redrive dies at each of its database requests, before and after it was carried out, and at each message. What a later
// invocation and the gap scan then make of it must be what an undisturbed redrive makes: each event once, in order.

import { describe, expect, it } from '@jest/globals';
import { WAKE_UP_FORMAT } from '../../../lib/model/wake-up.ts';
import { createDeath, mortal } from '../../support/death.ts';
import { type Bench, createBench } from './support.ts';

async function healAndProve(bench: Bench): Promise<void> {
  // Leases of the dead run out.
  bench.system.clock.advance(400_000);
  await bench.finish();
  // What the gap scan does for every open row.
  for await (const gap of bench.openGaps.list('billing' as never)) {
    const { consumer, streamId, to: version } = gap;
    await bench.system.wakeUps.send(bench.system.queueUrlOf('billing'), [
      { message: { format: WAKE_UP_FORMAT, kind: 'wake-up', consumer, streamId, version, hops: 0, reason: 'gap' } },
    ]);
  }
  await bench.system.settle();
  await bench.go();
  await bench.finish();
}

describe.each(['park', 'skip'] as const)('a redrive of %s consumers that dies', (onPoison) => {
  it.each(['before', 'after'] as const)('%s any request ends as if nothing had happened twice', async (when) => {
    let deaths = 0;
    for (let nth = 1; nth < 60; nth++) {
      const death = createDeath();
      const bench = await createBench({ onPoison, wrap: (dynamo) => mortal(dynamo, death) });
      await bench.fill({ 'order-1': 3, 'order-2': 2 }, 'order-1@2', 'order-2@1');
      bench.poison.clear();
      const send = bench.deps.wakeUps.send;
      bench.deps.wakeUps = { send: (url, messages) => death.around(() => send(url, messages)) };
      bench.onPause(async () => undefined);
      death.arm(nth, when);
      const end = await bench.go({ canary: false }).catch((error: unknown) => error);
      if (death.disarm()) {
        expect(end).toMatchObject({ result: 'done' });
        break;
      }
      deaths += 1;
      expect(end).toBeInstanceOf(Error);
      bench.onPause(() => bench.system.settle());
      await healAndProve(bench);
      expect([...bench.effectsDone].sort()).toEqual(['order-1@1', 'order-1@2', 'order-1@3', 'order-2@1', 'order-2@2']);
      expect((await bench.letters()).map(({ status }) => status)).toEqual(['resolved', 'resolved']);
      await bench.expectProved({ resolved: 5, parked: 0, waiting: 0 });
    }
    expect(deaths).toBeGreaterThan(15);
  });
});
