// EventBridge: PutEvents with refused entries, rules by detail type, targets that are queues. Delivery is at least once, in
// no order, and under faults sometimes not at all; the envelope is the one that EventBridge hands to a target.

import { type EntryVerdict, judgePutEvents, type PutEntry } from '../../../lib/local/bus/put-events.ts';
import { createPrng } from '../kernel/prng.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Trace } from '../kernel/trace.ts';
import type { Faults } from './faults.ts';

export interface PutEventsResult {
  FailedEntryCount: number;
  Entries: { EventId?: string; ErrorCode?: string; ErrorMessage?: string }[];
}

export interface Rule {
  name: string;
  source: string;
  detailTypes: readonly string[];
  deliver: (envelope: string) => void;
  /** Told when a fault takes a delivery away for good. */
  onDropped: (envelope: string) => void;
}

export interface EventBus {
  /** @throws Error `ValidationException` when the request is refused as a whole */
  putEvents(entries: readonly PutEntry[]): PutEventsResult;
  addRule(rule: Rule): void;
  readonly stats: { accepted: number; refused: number; delivered: number; dropped: number };
}

export function createEventBus(scheduler: Scheduler, faults: Faults, trace: Trace, seed: number): EventBus {
  const choices = createPrng(seed, 'bus');
  const rules: Rule[] = [];
  const stats = { accepted: 0, refused: 0, delivered: 0, dropped: 0 };

  const deliver = (rule: Rule, envelope: string, afterMs: number): void => {
    scheduler.after(afterMs, () => {
      stats.delivered++;
      rule.deliver(envelope);
    });
  };

  const route = (entry: Extract<EntryVerdict, { kind: 'taken' }>, id: string): void => {
    const { source, detailType, detail, resources, time = new Date(scheduler.now()) } = entry;
    const matching = rules.filter((rule) => rule.source === source && rule.detailTypes.includes(detailType));
    if (matching.length === 0) return;
    const envelope = JSON.stringify({
      version: '0',
      id,
      'detail-type': detailType,
      source,
      account: '000000000000',
      // EventBridge gives whole seconds.
      time: `${time.toISOString().slice(0, 19)}Z`,
      region: 'eu-central-1',
      resources,
      detail,
    });
    for (const rule of matching) {
      if (faults.strikes('bus-drop', `${rule.name} ${detailType}`)) {
        stats.dropped++;
        rule.onDropped(envelope);
        continue;
      }
      const late = faults.strikes('bus-reorder', rule.name) ? faults.details('bus-reorder').int(1_000, 180_000) : 0;
      deliver(rule, envelope, choices.int(20, 250) + late);
      if (faults.strikes('bus-duplicate', rule.name)) {
        deliver(rule, envelope, faults.details('bus-duplicate').int(20, 60_000));
      }
    }
  };

  return {
    addRule: (rule) => {
      rules.push(rule);
    },
    putEvents: (entries) => {
      const verdict = judgePutEvents(entries);
      if (verdict.kind === 'refused') {
        throw Object.assign(new Error(verdict.message), { name: 'ValidationException' });
      }
      const results = verdict.entries.map((entry) => {
        if (entry.kind === 'refused') return { ErrorCode: entry.code, ErrorMessage: entry.message };
        if (faults.strikes('put-events-partial', entry.detailType)) {
          stats.refused++;
          const code = faults.details('put-events-partial').pick(['ThrottlingException', 'InternalFailure']);
          return { ErrorCode: code, ErrorMessage: 'refused by the simulation' };
        }
        const id = `bus-${++stats.accepted}`;
        route(entry, id);
        return { EventId: id };
      });
      trace.note('bus', `accepts ${results.filter((result) => result.EventId).length} of ${entries.length}`);
      return { FailedEntryCount: results.filter((result) => result.ErrorCode).length, Entries: results };
    },
    stats,
  };
}
