// Whatever is delivered, in whatever order and how often, by however many relays that die wherever they like: positions
// are contiguous, each event has exactly one, in stream order, and every event was announced to every consumer.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { StoredCommit } from '../../../lib/model/commit.ts';
import type { BackfillDetail } from '../../../lib/model/wake-up.ts';
import { EVENTS_TABLE, LOG_TABLE } from '../../../lib/platform/dynamodb/schemas.ts';
import { memoryEngine } from '../../support/engines.ts';
import { seededRandom } from '../../support/world.ts';
import { type Fault, Process, Turns, through } from './interleaving.ts';
import { openRelay, record, stream } from './support.ts';

/** The place of the process that backfills go on in; the relays of the DynamoDB stream are 0 to 2. */
const CONTINUATIONS = 3;

interface Scenario {
  seed: number;
  streams: number[][];
  relays: number;
  batchSize: number;
  /** Share of the records that the stream has forgotten, other than the last of each stream. */
  trimmed: number;
  faults: Fault[];
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat({ max: 2 ** 31 - 1 }),
  streams: fc.array(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 9 }), {
    minLength: 1,
    maxLength: 4,
  }),
  relays: fc.integer({ min: 1, max: 3 }),
  batchSize: fc.integer({ min: 1, max: 8 }),
  trimmed: fc.constantFrom(0, 0.3, 0.9),
  faults: fc.array(
    fc.record({
      relay: fc.nat({ max: CONTINUATIONS }),
      request: fc.integer({ min: 1, max: 70 }),
      death: fc.constantFrom('before' as const, 'after' as const, 'lost-response' as const, 'refused' as const),
    }),
    { maxLength: 8 },
  ),
});

const shuffled = <T>(items: readonly T[], random: { next(): number }): T[] => {
  const copy = [...items];
  for (let last = copy.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random.next() * (last + 1));
    [copy[last], copy[other]] = [copy[other] as T, copy[last] as T];
  }
  return copy;
};

/** What the DynamoDB stream gives one reader: any order, some twice, the last commit of each stream at least once. */
function delivered(streams: readonly StoredCommit[][], { trimmed }: Scenario, random: { next(): number }) {
  const kept = streams.flatMap((commits) =>
    commits.filter((_, index) => index === commits.length - 1 || random.next() >= trimmed),
  );
  const doubled = kept.filter(() => random.next() < 0.2);
  return shuffled([...kept, ...doubled], random).map((commit, index) => record(commit, index + 1));
}

/** The event source mapping: a batch comes again until it is done, from the lowest failed record on. */
async function run(given: Scenario) {
  const random = seededRandom(given.seed);
  const turns = new Turns(random);
  const tables = await memoryEngine.createTables([EVENTS_TABLE, LOG_TABLE]);
  const streams = given.streams.map((counts, index) => stream(`stream-${index}`, counts));
  const observer = await openRelay({ tables });
  for (const commits of streams) await observer.store(commits);
  const announced: { streamId: string; version: number; moved: boolean }[] = [];
  const wakeUps: BackfillDetail[] = [];
  let deaths = 0;

  const processOf = (index: number) => {
    const process = new Process(index, given.faults, turns);
    const start = async () => {
      const fresh = await openRelay({
        tables,
        seed: given.seed + index,
        limits: { batch: { streamCommits: 3, commits: 8 }, continuation: { streamCommits: 4, commits: 4 } },
        wrap: (dynamo) => through(() => process, dynamo),
      });
      fresh.dependencies.bus = through(() => process, {
        async publish(entries) {
          for (const { kind, detail } of entries) announced.push({ ...detail, moved: kind === 'stream-moved' });
          return { failed: [] };
        },
      });
      fresh.dependencies.continuations = through(() => process, {
        send: async (detail) => {
          wakeUps.push(detail);
        },
      });
      return fresh;
    };
    return { process, start };
  };

  const readFromTheBeginning = async (index: number) => {
    const { process, start } = processOf(index);
    let relay = await start();
    let records = delivered(streams, given, random);
    for (let tries = 0; records.length > 0; tries += 1) {
      if (tries > 300) throw new Error('the shard is blocked');
      const batch = records.slice(0, given.batchSize);
      const report = await process.invoke(() => relay.batch(batch));
      if (report === undefined) {
        relay = await start();
        continue;
      }
      records = records.slice(report.failures[0]?.index ?? batch.length);
    }
    deaths += process.deaths;
  };

  /** The bus and Lambda's retries: a wake-up comes again until it succeeds. */
  const continueWhatWasSent = async (isOver: () => boolean) => {
    const { process, start } = processOf(CONTINUATIONS);
    let relay = await start();
    for (let tries = 0; tries < 3_000; tries += 1) {
      const [detail] = wakeUps;
      if (detail === undefined) {
        if (isOver()) return;
        await turns.wait();
        continue;
      }
      const deathsBefore = process.deaths;
      const report = await process.invoke(() => relay.goOn(detail)).catch(() => undefined);
      if (report !== undefined) wakeUps.splice(wakeUps.indexOf(detail), 1);
      if (process.deaths > deathsBefore) relay = await start();
      deaths += process.deaths - deathsBefore;
    }
    throw new Error('the backfills do not come to an end');
  };

  let over = false;
  const readers = Promise.all(Array.from({ length: given.relays }, (_, index) => readFromTheBeginning(index)));
  const all = Promise.all([
    readers.then(() => {
      over = true;
    }),
    continueWhatWasSent(() => over),
  ]);
  await turns.run(all);
  return { observer, streams, announced, deaths };
}

const expectations = async ({ observer, streams, announced }: Awaited<ReturnType<typeof run>>) => {
  const entries = await observer.entries();
  let next = 1;
  for (const entry of entries) {
    expect(entry.position).toBe(next);
    next += entry.count;
  }
  const inLog = new Map<string, { version: number; count: number; hashPrefix: string }[]>();
  for (const { streamId, version, count, hashPrefix } of entries) {
    inLog.set(streamId, [...(inLog.get(streamId) ?? []), { version, count, hashPrefix }]);
  }
  for (const commits of streams) {
    const { streamId } = commits[0] as StoredCommit;
    expect(inLog.get(streamId)).toEqual(
      commits.map(({ version, count, hash }) => ({ version, count, hashPrefix: hash.slice(0, 16) })),
    );
    for (const { version, count } of commits) {
      for (let event = version as number; event < version + count; event += 1) {
        const heard = announced.some(
          (said) => said.streamId === streamId && (said.moved ? said.version >= event : said.version === event),
        );
        expect({ streamId, event, heard }).toEqual({ streamId, event, heard: true });
      }
    }
  }
  expect(await observer.incidents()).toEqual([]);
};

describe('any delivery to any number of relays', () => {
  it('gives each event exactly one position, in order, and announces it (failures 26, 31, 32, 38)', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        await expectations(await run(given));
      }),
      { numRuns: 150, seed: 20_260_101 },
    );
  });

  const deathsAt = [0, CONTINUATIONS].flatMap((relay) =>
    (['before', 'after', 'lost-response', 'refused'] as const).map((death) => [death, relay] as const),
  );

  it.each(deathsAt)('survives at each request, one after the other: %s in process %d', async (death, relay) => {
    let deaths = 0;
    for (let request = 1; request <= 45; request += 1) {
      const given: Scenario = {
        seed: request,
        streams: [[1, 2, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1], [1], [3, 1]],
        relays: 1,
        batchSize: 3,
        trimmed: 0.9,
        faults: [{ relay, request, death }],
      };
      const outcome = await run(given);
      deaths += outcome.deaths;
      await expectations(outcome);
    }
    expect(deaths > 10).toBe(death === 'before' || death === 'after');
  });
});
