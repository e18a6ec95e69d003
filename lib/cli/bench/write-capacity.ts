// Counts the write units of updates and transactions, table by table, in a way that a scenario can trust: by the answer of
// the engine where it is granted, and by AWS's rule where it is refused (a refused conditional write is charged, too).

import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb';
import type { Dynamo } from '../../platform/dynamodb/port.ts';

export interface WriteCapacity {
  /** Units by table since the last call. */
  take(): Record<string, number>;
}

export function countWriteUnits(dynamo: Dynamo): { dynamo: Dynamo; capacity: WriteCapacity } {
  let units: Record<string, number> = {};
  const add = (consumed: readonly ConsumedCapacity[]): void => {
    for (const { TableName = '', CapacityUnits = 0 } of consumed)
      units[TableName] = (units[TableName] ?? 0) + CapacityUnits;
  };
  const total = { ReturnConsumedCapacity: 'TOTAL' } as const;
  return {
    dynamo: {
      ...dynamo,
      async update(input) {
        try {
          const answer = await dynamo.update({ ...input, ...total });
          add([answer.ConsumedCapacity ?? {}]);
          return answer;
        } catch (error) {
          // Developer Guide, "Working with items": a failed conditional write consumes units; our items are below 1 KB.
          add([{ TableName: input.TableName, CapacityUnits: 1 }]);
          throw error;
        }
      },
      async transactWrite(input) {
        const answer = await dynamo.transactWrite({ ...input, ...total });
        add(answer.ConsumedCapacity ?? []);
        return answer;
      },
    },
    capacity: {
      take() {
        const taken = units;
        units = {};
        return taken;
      },
    },
  };
}
