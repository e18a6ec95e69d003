// A `Dynamo` whose requests are counted in capacity units, as DynamoDB reports them: for estimates from a sample, benchmarks and tests.
// A write that its condition refuses is charged, too (Developer Guide, "Working with items"): one unit, our items are small.

import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb';
import type { Dynamo } from './port.ts';

export interface Units {
  requests: number;
  read: number;
  write: number;
}

export interface CountedDynamo {
  dynamo: Dynamo;
  /** What was consumed since the last call. */
  take(): Units;
}

const READS = ['get', 'query', 'scan', 'batchGet'] as const;
const WRITES = ['put', 'update', 'delete', 'batchWrite', 'transactWrite'] as const;
const nothing = (): Units => ({ requests: 0, read: 0, write: 0 });

/** @param counts tables that count. @default all */
export function countUnits(dynamo: Dynamo, counts: (table: string) => boolean = () => true): CountedDynamo {
  let units = nothing();
  const counted =
    (kind: 'read' | 'write', call: (input: never) => Promise<object>) =>
    async (input: object): Promise<never> => {
      units.requests += 1;
      try {
        const answer = await call({ ...input, ReturnConsumedCapacity: 'TOTAL' } as never);
        const { ConsumedCapacity: capacity } = answer as { ConsumedCapacity?: ConsumedCapacity | ConsumedCapacity[] };
        for (const { TableName = '', CapacityUnits = 0 } of [capacity ?? []].flat()) {
          if (counts(TableName)) units[kind] += CapacityUnits;
        }
        return answer as never;
      } catch (error) {
        if (kind === 'write') units.write += 1;
        throw error;
      }
    };
  const reads = Object.fromEntries(READS.map((name) => [name, counted('read', dynamo[name] as never)]));
  const writes = Object.fromEntries(WRITES.map((name) => [name, counted('write', dynamo[name] as never)]));
  return {
    dynamo: { ...reads, ...writes } as unknown as Dynamo,
    take() {
      const taken = units;
      units = nothing();
      return taken;
    },
  };
}
