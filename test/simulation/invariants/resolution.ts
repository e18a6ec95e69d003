// How far each consumer has really resolved a stream, by the ledger alone: an event counts when its effect took place, when
// the consumer does not want its type, or when a dead letter passed it. The checkpoint may never be ahead of this.

import { hash as hashText } from 'node:crypto';
import type { Ledger } from './ledger.ts';

/** One generation of one consumer on one stream. */
export interface Resolution {
  /** Effects that took place. */
  readonly done: Set<number>;
  /** Versions passed without effect, with the outcome that the digest must carry. */
  readonly passed: Map<number, 'skipped' | 'discarded'>;
  /** Lowest version that is not resolved. */
  nextUnresolved(): number;
  /** The digest over everything from the start of the generation up to `version`. */
  digestAt(version: number): string;
}

const GENESIS = '0'.repeat(64);

export function createResolution(
  ledger: Ledger,
  streamId: string,
  start: number,
  wants: (type: string) => boolean,
): Resolution {
  const done = new Set<number>();
  const passed = new Map<number, 'skipped' | 'discarded'>();
  const digests: string[] = [GENESIS];
  let next = start + 1;
  return {
    done,
    passed,
    nextUnresolved: () => {
      for (;;) {
        const event = ledger.event(streamId, next);
        if (event === undefined || (wants(event.type) && !done.has(next) && !passed.has(next))) return next;
        next++;
      }
    },
    digestAt: (version) => {
      for (let made = digests.length; made <= version - start; made++) {
        const at = start + made;
        const hash = ledger.event(streamId, at)?.commitHash ?? 'no such event';
        const outcome = passed.get(at) ?? 'resolved';
        const previous = digests[made - 1] as string;
        digests.push(hashText('sha256', `${previous}|${at}|${hash}|${outcome}`));
      }
      return digests[version - start] ?? 'before the start';
    },
  };
}
