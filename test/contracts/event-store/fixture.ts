// What every test of the event store's contract gets.

import type { EventStore } from '../../../lib/flow/event-store/port.ts';
import type { RecordingDynamo } from '../../flow/event-store/support.ts';
import type { TestWorld } from '../../support/world.ts';

/** Fresh for every test. */
export interface EventStoreFixture {
  store: EventStore;
  dynamo: RecordingDynamo;
  world: TestWorld;
  /** A store of another process: it knows nothing of what the first one remembers. Its clock is the first one's. */
  another(): EventStore;
}
