// The log's promises, checked at every page: positions contiguous from 1, each event exactly one, streams in version
// order, pages never rewritten, and the stream directory always the sum of the pages.

import { decodePage } from '../../../lib/flow/log/pages.ts';
import type { Change } from './change.ts';
import type { Ledger } from './ledger.ts';
import type { Violations } from './violations.ts';

export interface LogChecks {
  onChange(change: Change): void;
  /** Sequenced head of a stream by the pages. */
  sequenced(streamId: string): number;
  /** Age of the oldest commit that is not sequenced, by true time. */
  lagMs(now: number): number;
  /** Call when the system is quiet: everything stored must be sequenced. */
  finish(): void;
}

const HASH_PREFIX = 16;

export function createLogChecks(options: { ledger: Ledger; violations: Violations }): LogChecks {
  const { ledger, violations } = options;
  const heads = new Map<string, { version: number; position: number }>();
  const directory = new Map<string, number>();
  let head = 0;

  const onPage = ({ before, after, by }: Change): void => {
    if (before !== undefined || after === undefined) {
      violations.report('log-rewritten', `page ${String(before?.sk)} by ${by}`);
      return;
    }
    const page = decodePage(after);
    if (page.firstPosition !== head + 1) {
      violations.report('log-hole', `page ${page.firstPosition} by ${by}, the head was ${head}`);
    }
    for (const entry of page.entries) {
      const where = `position ${entry.position}: ${entry.streamId}@${entry.version} by ${by}`;
      const known = heads.get(entry.streamId) ?? { version: 0, position: 0 };
      if (entry.version !== known.version + 1) {
        violations.report('log-out-of-stream-order', `${where}, the log was at version ${known.version}`);
      }
      if (entry.position !== head + 1) violations.report('log-hole', `${where}, expected position ${head + 1}`);
      if (entry.previousPosition !== known.position) {
        violations.report('log-hole', `${where}: previous position ${entry.previousPosition}, was ${known.position}`);
      }
      for (let index = 0; index < entry.count; index++) {
        const stored = ledger.event(entry.streamId, entry.version + index);
        if (stored?.type !== entry.types[index] || !stored?.commitHash.startsWith(entry.hashPrefix)) {
          violations.report('log-out-of-stream-order', `${where}: not what is stored at ${entry.version + index}`);
        }
        if (entry.hashPrefix.length !== HASH_PREFIX) violations.report('log-hole', `${where}: short hash prefix`);
      }
      heads.set(entry.streamId, { version: entry.version + entry.count - 1, position: entry.position });
      head += entry.count;
    }
    if (page.lastPosition !== head)
      violations.report('log-hole', `page ends at ${page.lastPosition}, expected ${head}`);
  };

  const sequenced = (streamId: string): number => heads.get(streamId)?.version ?? 0;

  return {
    onChange: (change) => {
      const item = change.after ?? change.before;
      const pk = String(item?.pk);
      if (pk.startsWith('page#')) onPage(change);
      else if (pk.startsWith('stream#') && item?.sk === 'head') {
        directory.set(pk.slice('stream#'.length), Number(change.after?.version ?? 0));
      }
      // Page and directory move in one transaction, and the pages are looked at first or second: compare at the end of both.
    },
    sequenced,
    lagMs: (now) => {
      let lag = 0;
      for (const [streamId, events] of ledger.stored) {
        const first = events[sequenced(streamId)];
        if (first !== undefined) lag = Math.max(lag, now - first.storedAt);
      }
      return lag;
    },
    finish: () => {
      for (const [streamId, events] of ledger.stored) {
        if (sequenced(streamId) < events.length) {
          violations.report(
            'unsequenced-event',
            `${streamId} ends at ${events.length}, the log at ${sequenced(streamId)}`,
          );
        }
        if (directory.get(streamId) !== sequenced(streamId)) {
          violations.report(
            'directory-wrong',
            `${streamId}: directory says ${directory.get(streamId)}, pages say ${sequenced(streamId)}`,
          );
        }
      }
    },
  };
}
