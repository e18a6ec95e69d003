// The scrub dies at each of its database requests, before and after it was carried out; damage happens at each moment of a
// rotation; appends and relays go on between any two of its requests. Damage is found within the stated bound, and nothing
// that is only on its way is taken for damage.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { composeScrub } from '../../../lib/recovery/scrub/compose.ts';
import { scrub } from '../../../lib/recovery/scrub/scrub.ts';
import { createScrubBench, INPUT, rotateWith, type ScrubBench } from './support.ts';

/** Runs `before` and `after` around each request. */
const around = (
  dynamo: Dynamo,
  { before, after }: { before?: () => Promise<void>; after?: () => Promise<void> },
): Dynamo =>
  new Proxy(dynamo, {
    get: (target, name: keyof Dynamo) => async (input: never) => {
      await before?.();
      const answer = await (target[name] as (input: never) => Promise<unknown>)(input);
      await after?.();
      return answer;
    },
  });

class Died extends Error {}

/** Dies at the nth request; whatever it still tries does not happen. */
function dyingAt(dynamo: Dynamo, nth: number, when: 'before' | 'after') {
  let requests = 0;
  const die = () => {
    if (requests > nth || (requests === nth && when === 'before')) throw new Died();
  };
  const dying = around(dynamo, {
    before: async () => {
      requests += 1;
      die();
    },
    after: async () => {
      if (requests === nth) {
        requests += 1;
        throw new Died();
      }
    },
  });
  return { dying, isDead: () => requests >= nth };
}

async function damaged(): Promise<ScrubBench> {
  const bench = await createScrubBench();
  await bench.fill();
  await bench.change('order-3', 2, { recordedAt: 7 });
  await bench.drop('order-1', 4);
  await bench.drop('order-2', 1);
  const head = await bench.head('order-4');
  await bench.putItem({ ...head, hashPrefix: 'ffffffffffffffff' }, 'Log');
  await bench.system.append('order-5', ['OrderPlaced']);
  bench.system.clock.advance(16 * 60_000);
  return bench;
}
const EXPECTED = [
  'truncated-stream order-1 4-4',
  'truncated-stream order-2 1-3',
  'hash-mismatch order-3 2-2',
  'directory-mismatch order-4 0-0',
  'unsequenced-commit order-5 1-1',
];

describe.each(['before', 'after'] as const)('a scrub that dies %s a request', (when) => {
  it.each([0, 60_000])('goes on in the same rotation and finds everything (%p ms a call)', async (timeMs) => {
    let deaths = 0;
    for (let nth = 1; nth < 400; nth += 1) {
      const bench = await damaged();
      const { dying, isDead } = dyingAt(bench.system.dynamo, nth, when);
      const deps = composeScrub({ ...bench.parts, dynamo: dying });
      const end = await rotateWith(deps, { timeMs, pageItems: 4 }).catch((error: unknown) => error);
      if (!isDead()) {
        expect(end).toBeInstanceOf(Array);
        break;
      }
      deaths += 1;
      expect(end).toBeInstanceOf(Died);
      bench.system.clock.advance(INPUT.leaseMs + 2_001);
      for (let call = 0; call < 50; call += 1) {
        const outcome = await scrub(bench.deps, { ...INPUT, timeMs, pageItems: 4, rotateNow: false });
        if (outcome.kind === 'scrubbed' && outcome.result.state.pass === 'idle') break;
      }
      expect(await bench.found()).toEqual(EXPECTED);
      expect((await bench.deps.states.read()).rotation).toBe(1);
      expect(bench.handedOver.map(({ streamId }) => streamId)).toContain('order-5');
      expect(bench.announced.flatMap(({ findings }) => findings).at(-1)).toBeGreaterThan(0);
      for (const { announcedAt } of await bench.open()) expect(announcedAt).toBeDefined();
    }
    expect(deaths).toBeGreaterThan(40);
  });
});

describe('the bound', () => {
  it.each([
    ['an altered commit', (bench: ScrubBench) => bench.change('order-3', 2, { count: 2 })],
    ['a lost tail', (bench: ScrubBench) => bench.drop('order-1', 4)],
    ['a lost stream', (bench: ScrubBench) => bench.drop('order-2', 1)],
    [
      'a lost directory item',
      (bench: ScrubBench) =>
        bench.system.dynamo
          .delete({ TableName: 'Log', Key: { pk: 'stream#order-4', sk: 'head' } })
          .then(() => undefined),
    ],
    [
      'a lost page',
      async (bench: ScrubBench) => {
        const [, second] = await bench.pages();
        await bench.system.dynamo.delete({ TableName: 'Log', Key: { pk: second?.pk, sk: second?.sk } });
      },
    ],
  ])('%s, done at any moment of a rotation, is found before the next one has ended', async (_name, damage) => {
    let early = 0;
    for (let nth = 0; ; nth += 1) {
      const bench = await createScrubBench();
      await bench.fill();
      let steps = 0;
      let isDone = false;
      for (;;) {
        if (steps === nth) {
          await damage(bench);
          isDone = true;
        }
        const outcome = await scrub(bench.deps, { ...INPUT, timeMs: 0, pageItems: 2, rotateNow: steps === 0 });
        steps += 1;
        if (outcome.kind === 'scrubbed' && outcome.result.state.pass === 'idle') break;
      }
      if (!isDone) break;
      if ((await bench.found()).length > 0) early += 1;
      bench.system.clock.advance(1_000);
      await bench.rotate({ pageItems: 3 });
      expect((await bench.found()).length).toBeGreaterThan(0);
    }
    // Done before its place was passed, it is found by the same rotation.
    expect(early).toBeGreaterThan(0);
  });
});

type Action = 'nothing' | 'append' | 'append-new' | 'relay';

describe('traffic', () => {
  it('between any two requests makes no damage', async () => {
    const actions = fc.array(fc.constantFrom<Action>('nothing', 'append', 'append', 'append-new', 'relay'), {
      minLength: 5,
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(
        actions,
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(0, 60_000),
        async (todo, pageItems, timeMs) => {
          const bench = await createScrubBench();
          await bench.fill();
          const { system } = bench;
          let at = 0;
          let streams = 10;
          const act = async () => {
            const action = todo[at++ % todo.length];
            if (action === 'append') await system.append(`order-${1 + (at % 4)}`, ['OrderPaid']);
            if (action === 'append-new') await system.append(`order-${streams++}`, ['OrderPlaced', 'OrderPaid']);
            if (action === 'relay') await system.relay();
          };
          const left = { acts: 80 };
          const before = async () => {
            if (left.acts-- > 0) await act();
          };
          const deps = composeScrub({ ...bench.parts, dynamo: around(system.dynamo, { before }) });
          await rotateWith(deps, { pageItems, timeMs });
          expect(await bench.found()).toEqual([]);
          expect(bench.handedOver).toEqual([]);
          expect(at).toBeGreaterThan(20);
        },
      ),
      { numRuns: 80 },
    );
  });

  it('does not hide damage', async () => {
    const bench = await createScrubBench();
    await bench.fill();
    await bench.drop('order-1', 2);
    await bench.change('order-3', 5, { encoding: 'none' });
    let acts = 0;
    const before = async () => {
      if (acts++ < 60) await bench.system.append(`order-${acts % 2 === 0 ? 4 : 7}`, ['OrderPaid']);
      if (acts % 7 === 0) await bench.system.relay();
    };
    await rotateWith(composeScrub({ ...bench.parts, dynamo: around(bench.system.dynamo, { before }) }));
    expect(await bench.found()).toEqual(['missing-commit order-1 2-3', 'hash-mismatch order-3 5-5']);
  });
});
