// The local system's bus behind its gateway, called by the SDK's own client.

import { setTimeout as sleep } from 'node:timers/promises';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { createBuses } from '../../../lib/local/bus/buses.ts';
import { createDeliveryFaults } from '../../../lib/local/bus/delivery-faults.ts';
import { createCallFaults } from '../../../lib/local/faults/call-faults.ts';
import { eventsService } from '../../../lib/local/gateway/events-service.ts';
import { startGateway } from '../../../lib/local/gateway/gateway.ts';
import { createIdentities } from '../../../lib/local/iam/identities.ts';
import { createWorld } from '../../../lib/platform/world.ts';
import type { Opened } from '../scenario.ts';
import type { BusSettings, BusSubject, Envelope } from './engine.ts';

const BUS = 'bus';
const POLL_MS = 5;

export async function localBus({ rules }: BusSettings): Promise<Opened<BusSubject>> {
  const delivered: Record<string, Envelope[]> = {};
  const queueArn = (name: string): string => `arn:aws:sqs:us-east-1:111122223333:${name}`;
  const identities = createIdentities({ partitionKey: () => undefined, queueTags: () => ({}) });
  const buses = createBuses({
    identities,
    faults: createDeliveryFaults(),
    destinations: {
      send: async (arn, payload) => void delivered[arn.split(':').at(-1) ?? '']?.push(JSON.parse(payload)),
    },
  });
  buses.addBus(BUS);
  for (const { name, source, detailTypes } of rules) {
    delivered[name] = [];
    identities.allowOnResource(queueArn(name), [
      { Effect: 'Allow', Action: 'sqs:SendMessage', Principal: { Service: 'events.amazonaws.com' }, Resource: '*' },
    ]);
    buses.addRule({
      logicalId: name,
      name,
      arn: `arn:aws:events:us-east-1:111122223333:rule/${BUS}/${name}`,
      busName: BUS,
      pattern: { source: [source], 'detail-type': [...detailTypes] },
      enabled: true,
      targets: [{ Id: 'queue', Arn: queueArn(name) }],
    });
  }
  const gateway = await startGateway({
    engines: {},
    services: { eventbridge: eventsService(buses) },
    callerOf: () => undefined,
    denied: () => undefined,
    faults: createCallFaults((name) => name, Date.now),
    internal: () => ({ status: 404, headers: {}, body: Buffer.alloc(0) }),
    answered: (_, reply) => reply,
    refused: () => undefined,
  });
  const client = new EventBridgeClient({
    endpoint: gateway.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  });
  return {
    async close() {
      client.destroy();
      buses.stop();
      await gateway.stop();
    },
    subject: {
      client,
      busName: BUS,
      world: createWorld(),
      until: (work) => work(),
      async delivered() {
        while (buses.inFlight > 0) await sleep(POLL_MS);
        const undelivered = buses.undelivered();
        if (undelivered.length > 0) throw new Error(JSON.stringify(undelivered));
        return delivered;
      },
    },
  };
}
