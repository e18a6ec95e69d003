// A bus with rules by source and detail type, called as the SDK calls it.

import type { EventBridgeBus } from '../../../lib/flow/relay/put-events.ts';
import type { World } from '../../../lib/platform/clock.ts';

export interface BusRule {
  name: string;
  source: string;
  detailTypes: readonly string[];
}

export interface BusSettings {
  rules: readonly BusRule[];
}

export interface BusSubject {
  client: EventBridgeBus['client'];
  busName: string;
  world: Pick<World, 'timers' | 'random'>;
  until<T>(work: () => Promise<T>): Promise<T>;
  /** Envelopes that each rule's target got, when nothing is under way any more. */
  delivered(): Promise<Record<string, Envelope[]>>;
}

export interface Envelope {
  id: string;
  version: string;
  'detail-type': string;
  source: string;
  time: string;
  resources: readonly string[];
  detail: Record<string, unknown>;
}
