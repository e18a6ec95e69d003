// Alerts as people get them: a queue of the drill's own on the alerts topic counts them. One per group of dead letters
// (consumer and fingerprint) and window, however many events failed and however often somebody asks.

import type { DeadLetter } from '../../model/dead-letter.ts';
import { windowOf } from '../alert/alerts.ts';
import type { DrillContext } from './context.ts';
import { openTopicQueue } from './topic-queue.ts';
import { waitUntil } from './wait-until.ts';

const INTAKE = 'IntakeDeadLetters';
const ANNOUNCE = { action: 'announce' };
/** A claim whose publishing was lost is taken over after a minute. */
const PATIENCE_MS = 90_000;

export interface AlertCounts {
  /** Groups that people must hear of. */
  expected: number;
  published: number;
}

export interface AlertWatch {
  /** Announces twice at once, as a schedule that overlaps would, and waits until every group of `open` was told. */
  announce(open: readonly DeadLetter[]): Promise<void>;
  /** Books a problem unless each announced group was told exactly once. */
  check(): Promise<AlertCounts>;
  stop(): void;
}

const groupOf = (consumer: unknown, fingerprint: unknown, window: number): string =>
  `${consumer} ${fingerprint} ${new Date(window).toISOString()}`;

export async function watchAlerts(context: DrillContext): Promise<AlertWatch> {
  const { system, prefix } = context;
  const topic = await openTopicQueue(system, system.outputs.AlertsTopicArn ?? '', `alerts-${prefix}`);
  const expected = new Set<string>();

  /** How often each expected group was told. */
  async function told(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const message of await topic.messages()) {
      const { consumer, fingerprint, windowStart } = JSON.parse(message) as Record<string, unknown>;
      if (fingerprint === undefined) continue;
      const group = groupOf(consumer, fingerprint, Date.parse(String(windowStart)));
      if (expected.has(group)) counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    return counts;
  }

  return {
    async announce(open) {
      for (const { consumer, fingerprint, lastFailedAt } of open) {
        expected.add(groupOf(consumer, fingerprint, windowOf(lastFailedAt)));
      }
      await waitUntil(
        `${expected.size} alerts`,
        async () => {
          await Promise.all([system.invoke(INTAKE, ANNOUNCE), system.invoke(INTAKE, ANNOUNCE)]);
          return (await told()).size === expected.size ? true : undefined;
        },
        { timeoutMs: PATIENCE_MS, pollMs: 2_000 },
      );
    },
    async check() {
      const counts = await told();
      for (const group of expected) {
        const times = counts.get(group) ?? 0;
        if (times !== 1) context.problem(`the group ${group} was announced ${times} times, not once`);
      }
      return { expected: expected.size, published: [...counts.values()].reduce((sum, count) => sum + count, 0) };
    },
    stop: topic.stop,
  };
}
