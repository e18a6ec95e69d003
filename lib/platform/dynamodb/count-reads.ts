// A `Dynamo` whose reads are counted in capacity units, as DynamoDB reports them: for estimates from a sample.

import type { Dynamo } from './port.ts';

export interface CountedReads {
  dynamo: Dynamo;
  /** Units since the last call. */
  take(): number;
}

interface Capacity {
  CapacityUnits?: number;
}

/** Counts Query, GetItem and BatchGetItem; everything else passes as it is. */
export function countReads(dynamo: Dynamo): CountedReads {
  let units = 0;
  const total = { ReturnConsumedCapacity: 'TOTAL' } as const;
  const counted = <Answer extends { ConsumedCapacity?: Capacity | readonly Capacity[] }>(answer: Answer): Answer => {
    for (const { CapacityUnits = 0 } of [answer.ConsumedCapacity ?? []].flat() as Capacity[]) units += CapacityUnits;
    return answer;
  };
  return {
    dynamo: {
      ...dynamo,
      query: async (input) => counted(await dynamo.query({ ...input, ...total })),
      get: async (input) => counted(await dynamo.get({ ...input, ...total })),
      batchGet: async (input) => counted(await dynamo.batchGet({ ...input, ...total })),
    },
    take() {
      const taken = units;
      units = 0;
      return taken;
    },
  };
}
