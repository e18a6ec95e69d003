// Records of a DynamoDB stream that a function never gets, as when they were trimmed before it read them: injected, so that a
// drill can lose a commit for its relay for good.

import type { FaultHandle, RecordFault } from '../../recovery/drill/faults.ts';
import { type CountedHandle, countedHandle } from '../faults/handle.ts';
import type { StreamRecord } from './failure-record.ts';

export interface LostRecords {
  /** `functionName` is physical. */
  add(fault: RecordFault, functionName: string): FaultHandle;
  /** Fires the fault, when there is one for this record. */
  isLost(functionName: string, record: StreamRecord): boolean;
  clear(): void;
}

export function createLostRecords(): LostRecords {
  const active = new Set<{ functionName: string; fault: RecordFault; handle: CountedHandle }>();
  return {
    add(fault, functionName) {
      const handle = countedHandle(`records lost for ${functionName}`, () => active.delete(entry));
      const entry = { functionName, fault, handle };
      active.add(entry);
      return handle;
    },
    isLost(functionName, record) {
      for (const { functionName: name, fault, handle } of active) {
        if (name !== functionName || !fault.match(JSON.stringify(record))) continue;
        handle.fire();
        return true;
      }
      return false;
    },
    clear: () => active.clear(),
  };
}
