// Where the events between the checkpoint and the wanted version come from: from the messages as long as they follow the
// checkpoint without a hole, from the store for the rest. Pure.

import type { Version } from '../../model/ids.ts';
import type { DeliveredEvent } from './messages.ts';

export interface CatchUpInput {
  /** Everything up to here is resolved. */
  version: Version;
  /** Highest version that anybody asked for. */
  wanted: Version;
  delivered: ReadonlyMap<Version, DeliveredEvent>;
}

export type CatchUp =
  /** A duplicate, or a late delivery. */
  | { kind: 'up-to-date' }
  /** `fromMessages` in order, then the store from `storeFrom` on; absent when the messages suffice. */
  | { kind: 'behind'; fromMessages: DeliveredEvent[]; storeFrom?: Version };

export function decideCatchUp({ version, wanted, delivered }: CatchUpInput): CatchUp {
  if (wanted <= version) return { kind: 'up-to-date' };
  const fromMessages: DeliveredEvent[] = [];
  let next = version + 1;
  let previous: DeliveredEvent | undefined;
  for (; next <= wanted; next += 1) {
    const payload = delivered.get(next as Version);
    if (payload === undefined || !follows(previous, payload)) break;
    fromMessages.push(payload);
    previous = payload;
  }
  return { kind: 'behind', fromMessages, ...(next <= wanted && { storeFrom: next as Version }) };
}

/** The next event is of the same commit, or begins a commit: a body that claims otherwise is not used. */
function follows(previous: DeliveredEvent | undefined, next: DeliveredEvent): boolean {
  if (previous === undefined) return true;
  const beginsCommit = next.commitVersion === next.event.metadata.version;
  return beginsCommit || next.commitVersion === previous.commitVersion;
}
