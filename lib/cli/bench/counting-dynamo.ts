// A `Dynamo` that counts requests and capacity units, as DynamoDB reports them. Only for single-item requests and reads:
// DynamoDB Local reports too little for transactions (docs/emulators.md).

import type { Dynamo } from '../../platform/dynamodb/port.ts';

export interface Counted {
  requests: Record<'put' | 'get' | 'query' | 'batchGet', number>;
  writeUnits: number;
  readUnits: number;
}

export interface CountingDynamo extends Dynamo {
  /** What was counted since the last call. */
  take(): Counted;
}

const nothing = (): Counted => ({
  requests: { put: 0, get: 0, query: 0, batchGet: 0 },
  writeUnits: 0,
  readUnits: 0,
});

interface Capacity {
  CapacityUnits?: number;
}

export function counting(dynamo: Dynamo): CountingDynamo {
  let counted = nothing();
  const units = (capacity: Capacity | readonly Capacity[] | undefined): number =>
    [capacity ?? []].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
  const total = { ReturnConsumedCapacity: 'TOTAL' } as const;
  const uncounted = (name: string) => (): never => {
    throw new TypeError(`counting: ${name} is not counted; use another wrapper for it`);
  };

  return {
    async put(input) {
      counted.requests.put += 1;
      const answer = await dynamo.put({ ...input, ...total });
      counted.writeUnits += units(answer.ConsumedCapacity);
      return answer;
    },
    async get(input) {
      counted.requests.get += 1;
      const answer = await dynamo.get({ ...input, ...total });
      counted.readUnits += units(answer.ConsumedCapacity);
      return answer;
    },
    async query(input) {
      counted.requests.query += 1;
      const answer = await dynamo.query({ ...input, ...total });
      counted.readUnits += units(answer.ConsumedCapacity);
      return answer;
    },
    async batchGet(input) {
      counted.requests.batchGet += 1;
      const answer = await dynamo.batchGet({ ...input, ...total });
      counted.readUnits += units(answer.ConsumedCapacity);
      return answer;
    },
    update: uncounted('update'),
    delete: uncounted('delete'),
    scan: uncounted('scan'),
    batchWrite: uncounted('batchWrite'),
    transactWrite: uncounted('transactWrite'),
    take() {
      const taken = counted;
      counted = nothing();
      return taken;
    },
  };
}
