// Real input: the 329 webhook payloads of @octokit/webhooks-examples (up to 27 KB), one stream per repository. Each payload
// rides inside an order, so that the example's consumers have an effect on it, and is compared byte for byte when it is
// read back.

import { createRequire } from 'node:module';
import type { Json, NewEvent } from '../../../model/event.ts';
import type { DrillSystem } from '../system.ts';
import type { PlannedStream, Workload } from '../workload.ts';
import { ORDER_CONSUMERS, openOrderEffects } from './order-consumers.ts';

interface Payload {
  repository?: { full_name?: string };
  organization?: { login?: string };
  sender?: { login?: string };
}

interface Webhook {
  name: string;
  examples: Payload[];
}

/** Payloads without a repository (organizations, installations) go by their organization, or into one stream. */
const streamNameOf = (payload: Payload): string =>
  payload.repository?.full_name ?? payload.organization?.login ?? 'no-repository';

export const github: Workload = {
  name: 'github',
  consumers: ORDER_CONSUMERS,
  plan({ prefix }) {
    const streams = new Map<string, NewEvent[]>();
    let number = 0;
    for (const webhook of readWebhooks()) {
      for (const payload of webhook.examples) {
        number += 1;
        const streamId = prefix + streamNameOf(payload);
        const events = streams.get(streamId) ?? [];
        streams.set(streamId, events);
        events.push({
          id: `delivery-${prefix}${number}`,
          type: 'OrderPlaced',
          data: {
            orderId: `delivery-${number}`,
            customerId: payload.sender?.login ?? 'nobody',
            sku: webhook.name,
            quantity: 1,
            webhook: payload as Json,
          },
        });
      }
    }
    return [...streams].map(([streamId, events]) => ({ streamId, events }));
  },
  openEffectLog: openOrderEffects,
  compare: (planned, system) => readBack(planned, system),
};

async function readBack(planned: readonly PlannedStream[], system: DrillSystem): Promise<string[]> {
  const differences: string[] = [];
  for (const { streamId, events } of planned) {
    const stored = await system.eventStore.read(streamId);
    if (stored.length !== events.length)
      differences.push(`${streamId}: ${stored.length} events read, ${events.length} appended`);
    for (const [index, event] of stored.entries()) {
      const same = JSON.stringify(event.data) === JSON.stringify(events[index]?.data);
      if (!same) differences.push(`${streamId}: version ${event.metadata.version} is read back changed`);
    }
  }
  return differences;
}

const readWebhooks = (): Webhook[] => createRequire(import.meta.url)('@octokit/webhooks-examples') as Webhook[];
