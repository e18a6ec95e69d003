// Announces damage on the bus, where the recovery's rule starts its state machine. No consumer's rule matches the source.

import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { EventRecoveryError } from '../../model/errors.ts';
import { DAMAGE_FOUND, RECOVERY_SOURCE, WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { DamageFound, Finding } from './types.ts';

/** Tells the recovery. A lost announcement costs a period: what was not announced is announced by the next scrub. */
export interface DamageAnnouncements {
  /** @throws EventRecoveryError `ANNOUNCEMENT_REFUSED` (retryable) */
  damageFound(detail: DamageFound): Promise<void>;
}

/** A bus entry has 1 MB; ten findings of 256 bytes of stream id each leave room for a reader's own copies. */
const LISTED_MAX = 10;

export function damageFound(findings: readonly Finding[], scrubbedAt: number): DamageFound {
  const kinds: DamageFound['kinds'] = {};
  for (const { kind } of findings) kinds[kind] = (kinds[kind] ?? 0) + 1;
  const listed = findings
    .slice(0, LISTED_MAX)
    .map(({ id, kind, streamId, from, to }) => ({ id, kind, streamId, from, to }));
  return { format: WAKE_UP_FORMAT, scrubbedAt, findings: findings.length, kinds, listed };
}

export function createDamageAnnouncements(bus: {
  client: Pick<EventBridgeClient, 'send'>;
  busName: string;
}): DamageAnnouncements {
  return {
    async damageFound(detail) {
      const entry = {
        EventBusName: bus.busName,
        Source: RECOVERY_SOURCE,
        DetailType: DAMAGE_FOUND,
        Detail: JSON.stringify(detail),
      };
      const { Entries = [] } = await bus.client.send(new PutEventsCommand({ Entries: [entry] }));
      const [answer] = Entries;
      if (answer?.EventId !== undefined && answer.ErrorCode === undefined) return;
      throw new EventRecoveryError(
        'ANNOUNCEMENT_REFUSED',
        `PutEvents to ${bus.busName} refused the entry: ${answer?.ErrorCode ?? 'no result'} ${answer?.ErrorMessage ?? ''}; remedy: none, the next scrub announces again`,
        { retryable: true, facts: { busName: bus.busName, code: answer?.ErrorCode } },
      );
    },
  };
}
