// What goes on beside a restore does not end it, and one strange stream does not keep the others from being repaired.

import { describe, expect, it } from '@jest/globals';
import { isEventRecoveryError } from '../../../lib/model/errors.ts';
import { createBench } from './support.ts';

const codeOf = (error: unknown): unknown => (isEventRecoveryError(error) ? error.code : error);

describe('a restore', () => {
  it('is not disturbed by an append that is sequenced while it looks at the stream', async () => {
    let hook: (() => Promise<void>) | undefined;
    const bench = await createBench({
      around: async (what, call) => {
        const answer = await call();
        // The directory was read, the log not yet.
        if (what === 'dynamo batchGet' && hook !== undefined) {
          const action = hook;
          hook = undefined;
          await action();
        }
        return answer;
      },
    });
    await bench.fill({ a: 6 });
    await bench.archive();
    await bench.damage('a', 3);
    const { planId } = await bench.plan({ streams: ['a'] });
    hook = async () => {
      await bench.system.append('a', ['Placed']);
      await bench.system.settle();
    };
    expect(await bench.apply(planId)).toMatchObject({ result: 'done', totals: { done: 1, failed: 0 } });
    expect(hook).toBeUndefined();
    expect(await bench.idsOf('a')).toHaveLength(7);
  });

  it('is planned for the other findings when one names a stream that cannot exist', async () => {
    const bench = await createBench();
    await bench.fill({ a: 3 });
    await bench.archive();
    await bench.remove('a', 3);
    for (const streamId of ['$bad', 'a']) {
      const Item = { pk: 'finding', sk: streamId, kind: 'truncated-stream', streamId, status: 'open' };
      await bench.system.dynamo.put({ TableName: 'Recovery', Item });
    }
    const plan = await bench.plan();
    expect(plan.listed.map(({ streamId }) => streamId)).toEqual(['a']);
    expect(plan.refused).toMatchObject([{ streamId: '$bad', code: expect.any(String) }]);
  });

  it('takes as many forks as fit into its row, and refuses one more when it is planned', async () => {
    const bench = await createBench();
    await bench.fill({ a: 2 });
    await bench.archive();
    await bench.remove('a', 2);
    for (let n = 0; n < 501; n += 1) await bench.appendAt('a', 2 + n, [{ id: `n-${n}`, type: 'Placed', data: {} }]);
    expect(await bench.plan({ streams: ['a'] }).then(() => 'no error', codeOf)).toBe('TOO_MUCH_DAMAGE');
    await bench.remove('a', 502);
    const done = await bench.apply((await bench.plan({ streams: ['a'] })).planId);
    expect(done).toMatchObject({ result: 'done', totals: { done: 1, forks: 500, failed: 0 } });
    expect(await bench.idsOf('a')).toHaveLength(502);
  });
});
