// What sequencing costs per commit. Units are computed from the items of each transaction, 2 x ceil(KB) each (Developer Guide,
// "DynamoDB transactions": two underlying writes of every item), because DynamoDB Local reports too little.

import { itemSize } from '../../platform/dynamodb/memory/size.ts';
import type { Item } from '../../platform/dynamodb/memory/values.ts';
import { createWorld } from '../../platform/world.ts';
import { createRecordSource } from './relay-records.ts';
import { createRelays, relay } from './relay-under-test.ts';
import type { BenchResult, ScenarioOutcome } from './scenario.ts';

/** Uncontended, ids up to 48 bytes; a batch of 1 has no limit and is reported. */
const BATCHES: readonly { name: string; streams: number; commits: number; limit?: number }[] = [
  { name: '99 commits of 99 streams', streams: 99, commits: 99, limit: 2.3 },
  { name: '100 commits of 5 streams', streams: 5, commits: 100, limit: 0.3 },
  { name: '1 commit', streams: 1, commits: 1 },
];

/** Batches one after the other, so that streams exist and numbers have grown. */
const ROUNDS = 20;

export async function measureCost(progress: (line: string) => void): Promise<ScenarioOutcome> {
  const results: BenchResult[] = [];
  const broken: string[] = [];
  for (const { name, streams, commits, limit } of BATCHES) {
    progress(`cost of batches of ${name}`);
    const value = await unitsPerCommit(streams, commits);
    const figure = { scenario: 'relay', metric: `extra cost, batch of ${name}`, unit: 'WCU/commit' };
    results.push({
      ...figure,
      subject: 'ours',
      value,
      ...(limit === undefined ? {} : { ratioToLimit: value / limit }),
    });
    if (limit === undefined) continue;
    results.push({ ...figure, subject: 'limit', value: limit });
    if (value > limit) broken.push(`a batch of ${name} costs ${value} WCU per commit; limit ${limit}`);
  }
  return { results, broken };
}

async function unitsPerCommit(streams: number, commits: number): Promise<number> {
  let units = 0;
  const { relays } = createRelays(createWorld(), 1, (dynamo) => ({
    ...dynamo,
    transactWrite: (input) => {
      for (const { Put } of input.TransactItems ?? []) units += 2 * Math.ceil(itemSize(Put?.Item as Item) / 1_024);
      return dynamo.transactWrite(input);
    },
  }));
  const records = createRecordSource(0, streams);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const one of relays) await relay(one, records(commits));
  }
  return units / (ROUNDS * commits);
}
