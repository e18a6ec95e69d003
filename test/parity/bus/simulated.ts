// The simulation's bus behind its sender.

import { createEventBridgeSender } from '../../simulation/world/clients.ts';
import { createEventBus } from '../../simulation/world/event-bus.ts';
import type { Opened } from '../scenario.ts';
import { openVirtualTime } from '../virtual-time.ts';
import type { BusSettings, BusSubject, Envelope } from './engine.ts';

/** Longer than any delivery takes. */
const SETTLE_MS = 10_000;

export async function simulatedBus({ rules }: BusSettings): Promise<Opened<BusSubject>> {
  const time = await openVirtualTime();
  const { scheduler, faults, trace, process, call } = time;
  const bus = createEventBus(scheduler, faults, trace, 1);
  const delivered: Record<string, Envelope[]> = {};
  for (const rule of rules) {
    delivered[rule.name] = [];
    const deliver = (envelope: string): void => void delivered[rule.name]?.push(JSON.parse(envelope));
    bus.addRule({ ...rule, deliver, onDropped: () => undefined });
  }
  return {
    subject: {
      client: createEventBridgeSender({ process, call, faults }, bus) as unknown as BusSubject['client'],
      busName: 'bus',
      world: process.world,
      until: time.until,
      async delivered() {
        await time.pass(SETTLE_MS);
        return delivered;
      },
    },
  };
}
