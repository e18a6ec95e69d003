// Announces gaps on the bus, where the recovery's rule starts its state machine. No consumer's rule matches the source.

import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { EventRecoveryError } from '../../model/errors.ts';
import { GAPS_FOUND, RECOVERY_SOURCE } from '../../model/wake-up.ts';
import type { Announcements } from './port.ts';

/** Rejects with `ANNOUNCEMENT_REFUSED` when EventBridge does not take the entry. */
export function createAnnouncements(bus: { client: Pick<EventBridgeClient, 'send'>; busName: string }): Announcements {
  return {
    async gapsFound(detail) {
      const { Entries = [] } = await bus.client.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: bus.busName,
              Source: RECOVERY_SOURCE,
              DetailType: GAPS_FOUND,
              Detail: JSON.stringify(detail),
            },
          ],
        }),
      );
      const [entry] = Entries;
      if (entry?.EventId !== undefined && entry.ErrorCode === undefined) return;
      throw new EventRecoveryError(
        'ANNOUNCEMENT_REFUSED',
        `PutEvents to ${bus.busName} refused the entry: ${entry?.ErrorCode ?? 'no result'} ${entry?.ErrorMessage ?? ''}; remedy: the next scan announces again`,
        { retryable: true, facts: { busName: bus.busName, code: entry?.ErrorCode } },
      );
    },
  };
}
