// Random schedules: streams, commits, poison, faults, order and time of everything are drawn by fast-check. Whatever is
// drawn: resolved versions are a contiguous prefix, the digest is that of the prefix, transactional effects happen exactly
// once and in order, idempotent ones repeat at most once per fault or end of time, and no delivered version is forgotten.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { streamId, type Version } from '../../../../lib/model/ids.ts';
import { seededRandom } from '../../../support/world.ts';
import { expectSound } from './checks.ts';
import { FAULT_KINDS, type FaultKind, type FaultPlan } from './process.ts';
import { OTHER_TYPE, range, System, TYPE } from './system.ts';

/** FAST_CHECK_RUNS for a long run; the number here keeps the suite short. */
const RUNS = Number(process.env.FAST_CHECK_RUNS ?? 150);

const schedule = fc.record({
  seed: fc.nat(),
  effects: fc.constantFrom('transactional' as const, 'idempotent' as const),
  onPoison: fc.constantFrom('park' as const, 'skip' as const),
  groupCommits: fc.boolean(),
  maxAttempts: fc.integer({ min: 1, max: 4 }),
  streams: fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }), {
    minLength: 1,
    maxLength: 3,
  }),
  /** One of so many events fails, for so many attempts. */
  poisonOneOf: fc.integer({ min: 2, max: 40 }),
  poisonFor: fc.constantFrom(1, 2, 99),
  unwantedOneOf: fc.integer({ min: 2, max: 20 }),
  faultsPerMille: fc.constantFrom(0, 10, 30, 80),
  mostFaults: fc.integer({ min: 0, max: 6 }),
  kinds: fc.subarray([...FAULT_KINDS], { minLength: 1 }),
  jitterMs: fc.constantFrom(0, 5, 100, 1_500),
  skewMs: fc.constantFrom(0, 900),
  concurrency: fc.integer({ min: 1, max: 4 }),
  batchSize: fc.integer({ min: 1, max: 10 }),
  twicePerMille: fc.constantFrom(0, 100, 300),
  chunkEvents: fc.integer({ min: 1, max: 6 }),
  rewinds: fc.integer({ min: 0, max: 2 }),
});
type Schedule = typeof schedule extends fc.Arbitrary<infer T> ? T : never;

function faultsOf({ seed, faultsPerMille, mostFaults, kinds }: Schedule): FaultPlan & { stop(): void } {
  const random = seededRandom(seed + 1);
  let left = mostFaults;
  return {
    at: (): FaultKind | undefined => {
      if (left === 0 || random.next() * 1000 >= faultsPerMille) return undefined;
      left -= 1;
      return kinds[Math.floor(random.next() * kinds.length)];
    },
    stop: () => {
      left = 0;
    },
  };
}

const shuffled = <Item>(items: readonly Item[], random: { next(): number }): Item[] =>
  items
    .map((item) => [random.next(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);

async function play(given: Schedule): Promise<void> {
  const random = seededRandom(given.seed);
  const isDrawn = (stream: string, version: number, oneOf: number, salt: number) =>
    Math.floor(seededRandom(given.seed + version * 31 + stream.charCodeAt(1) * 1009 + salt).next() * oneOf) === 0;
  const isPoison = (stream: string, version: number) => isDrawn(stream, version, given.poisonOneOf, 7);
  const isUnwanted = (stream: string, version: number) => isDrawn(stream, version, given.unwantedOneOf, 13);
  const plan = faultsOf(given);
  const { effects, onPoison, maxAttempts } = given;
  const groupCommits = given.groupCommits && effects === 'transactional';
  const system = new System({
    declaration: { effects, onPoison, maxAttempts, groupCommits },
    plan,
    seed: given.seed,
    jitterMs: given.jitterMs,
    skewMs: given.skewMs,
    concurrency: given.concurrency,
    batchSize: given.batchSize,
    twicePerMille: given.twicePerMille,
    maxReceives: 60,
    settings: { chunkEvents: given.chunkEvents },
    react: ({ event, context }) => {
      if (isPoison(event.streamId, event.metadata.version) && context.attempt <= given.poisonFor)
        throw new Error('poison');
      return undefined;
    },
  });

  const names = given.streams.map((_, i) => `s${i}`);
  for (const [i, name] of names.entries()) {
    const commits = given.streams[i] as number[];
    await system.append(name, commits, (version) => (isUnwanted(name, version) ? OTHER_TYPE : TYPE));
  }
  const count = (name: string) => (given.streams[names.indexOf(name)] as number[]).reduce((a, b) => a + b, 0);
  const deliveries = names.flatMap((name) => range(1, count(name)).map((version) => [name, version] as const));
  // Of every ten deliveries one is lost and one comes twice; the last of each stream comes.
  const kept = deliveries.filter(([name, version]) => version === count(name) || random.next() > 0.1);
  for (const [name, version] of shuffled([...kept, ...kept.filter(() => random.next() < 0.1)], random)) {
    await system.deliver(name, [version], { bodies: random.next() < 0.7 });
  }
  await system.untilQuiet();
  for (let i = 0; i < given.rewinds; i += 1) {
    for (const name of names) {
      const request = { to: Math.floor(random.next() * count(name)) as Version, requestId: `r${i}`, requestedAt: 0 };
      await system.checkpoints.requestRewind({ consumer: system.consumer, streamId: streamId(name) }, request);
      system.wakeUp(name, 1, 'rewind');
    }
    await system.untilQuiet();
  }

  expect(system.queue.dead).toEqual([]);
  for (const name of names) await checkStream(system, name, count(name), { ...given, isUnwanted });
}

async function checkStream(
  system: System,
  name: string,
  count: number,
  { effects, isUnwanted, rewinds }: Schedule & { isUnwanted(stream: string, version: number): boolean },
): Promise<void> {
  await expectSound(system, name);
  const checkpoint = await system.checkpoint(name);
  const { version = 0, parked, wanted } = checkpoint ?? {};
  // Nothing that was delivered is forgotten: it is resolved, or it waits behind a dead letter that says why.
  expect(wanted).toBe(count);
  expect(version).toBe(parked === undefined ? count : parked.version - 1);
  expect(checkpoint?.lease).toBeUndefined();
  expect(checkpoint?.rewind).toBeUndefined();
  const rows = await Promise.all(
    range(1, count).map((one) => system.deadLetters.get(`inventory#${checkpoint?.generation}#${one}#${name}`)),
  );
  const passed = new Set(rows.flatMap((row) => (row?.passedAs === 'skipped' ? [row.version as number] : [])));
  if (parked) expect(rows[parked.version - 1]).toMatchObject({ status: 'parked', id: parked.deadLetterId });

  const expected = range(1, version).filter((one) => !isUnwanted(name, one) && !passed.has(one));
  if (effects === 'transactional') {
    for (const scope of ['live', 'r0', 'r1']) {
      const applied = system.applied(name, scope);
      // Exactly once, in order, in every generation.
      expect(applied).toEqual([...new Set(applied)].sort((a, b) => a - b));
    }
    if (rewinds === 0) expect(system.applied(name)).toEqual(expected);
  } else if (rewinds === 0) {
    const seen = system.effects.filter((effect) => effect.streamId === name).map((effect) => effect.version);
    const first = [...new Set(seen)];
    expect(first.filter((one) => !passed.has(one) && one <= version)).toEqual(expected);
    const interrupted = system.log.faults.length + system.interruptions + system.metrics.total('ReactDeadlines');
    expect(seen.length - first.length).toBeLessThanOrEqual(interrupted);
  }
}

describe('any schedule', () => {
  it('resolves a contiguous prefix, exactly once where that is promised, and forgets nothing', async () => {
    await fc.assert(fc.asyncProperty(schedule, play), { numRuns: RUNS, endOnFailure: RUNS > 1_000 });
  }, 600_000);
});
