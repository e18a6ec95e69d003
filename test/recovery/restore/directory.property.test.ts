// Whatever is done to the stream directory and to stored commits at once: restores bring back both, and nothing of the log changes.

import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { directoryKey } from '../../../lib/flow/log/keys.ts';
import { createBench } from './support.ts';

const STREAMS = { a: 4, b: 3 } as const;
type StreamId = keyof typeof STREAMS;
const streamId = fc.constantFrom(...(Object.keys(STREAMS) as StreamId[]));
const version = fc.integer({ min: 1, max: 4 });
const directory = fc.record({
  streamId,
  how: fc.oneof(
    fc.constant('lost' as const),
    fc.record({ version }),
    fc.record({
      name: fc.constantFrom('version', 'position', 'hashPrefix', 'updatedAt', 'format', 'more'),
      value: fc.constantFrom<unknown>(null, '', 'x', 0, -1, 1, 2, 3, 5, 1.5, [], '0123456789abcdef'),
    }),
  ),
});
const commit = fc.record({ streamId, version, how: fc.constantFrom('remove', 'damage') });
const ROUNDS_MAX = 4;

it('a restore puts directory and commits right, whatever was done to both', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(directory, { minLength: 1, maxLength: 3 }),
      fc.array(commit, { maxLength: 3 }),
      async (directories, commits) => {
        const bench = await createBench();
        const { dynamo, clock } = bench.system;
        await bench.fill(STREAMS);
        await bench.archive();
        const [whole, log] = [await bench.everything(), await bench.system.items('Log')];
        const entries = [];
        for await (const page of bench.system.log.pages(0)) entries.push(...page.entries);
        clock.advance(3_600_000);
        for (const { streamId, how } of directories) {
          const Key = { ...directoryKey(streamId) };
          const { Item } = await dynamo.get({ TableName: 'Log', Key });
          if (Item === undefined || how === 'lost') {
            await dynamo.delete({ TableName: 'Log', Key });
          } else if ('version' in how) {
            const entry = entries.find((each) => each.streamId === streamId && each.version === how.version);
            if (entry === undefined) continue;
            const { version, position, hashPrefix } = entry;
            await dynamo.put({ TableName: 'Log', Item: { ...Item, version, position, hashPrefix } });
          } else await dynamo.put({ TableName: 'Log', Item: { ...Item, [how.name]: how.value } });
        }
        for (const { streamId, version, how } of commits) {
          if ((await bench.item(streamId, version)) === undefined) continue;
          await (how === 'remove' ? bench.remove(streamId, version) : bench.damage(streamId, version));
        }
        const known = async () => {
          const [events, items] = [await bench.system.items('Events'), await bench.system.items('Log')];
          const isThere = (id: string) =>
            events.some((item) => item.streamId === id) || items.some(({ pk }) => pk === directoryKey(id).pk);
          return Object.keys(STREAMS).filter(isThere);
        };
        // Neither a commit nor a directory item: only the log's pages know it, which have no index by stream.
        fc.pre((await known()).length === 2);
        let result = '';
        for (let round = 0; round < ROUNDS_MAX && result !== 'nothing'; round += 1) {
          // As after a finding of the scrub, which compares every entry of the log with the directory.
          const plan = await bench.plan({ streams: await known(), searchLog: true });
          result = plan.result;
          if (result === 'planned') await bench.apply(plan.planId);
        }
        expect(result).toBe('nothing');
        expect(await bench.everything()).toEqual(whole);
        expect(await bench.system.items('Log')).toEqual(log);
        for (const wakeUp of bench.wakeUps) await bench.system.continueRelay(wakeUp);
        await bench.system.settle();
        expect((await bench.system.items('Log')).filter(({ pk }) => String(pk).startsWith('page#'))).toEqual(
          log.filter(({ pk }) => String(pk).startsWith('page#')),
        );
      },
    ),
    { numRuns: 200 },
  );
});
