// What every event store must do, whatever engine is under it. Runs on the memory engine and on DynamoDB Local.

import { afterEach, beforeEach } from '@jest/globals';
import { EVENTS_TABLE, LOG_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import { recording, storeOn } from '../flow/event-store/support.ts';
import type { Engine, EngineTables } from '../support/engines.ts';
import { createTestWorld } from '../support/world.ts';
import { appendContract } from './event-store/append.contract.ts';
import { damageContract } from './event-store/damage.contract.ts';
import type { EventStoreFixture } from './event-store/fixture.ts';
import { githubContract } from './event-store/github.contract.ts';
import { readContract } from './event-store/read.contract.ts';
import { readAllContract } from './event-store/read-all.contract.ts';
import { retryContract } from './event-store/retry.contract.ts';
import { sizeContract } from './event-store/size.contract.ts';

export function eventStoreContract(engine: Engine): void {
  let tables: EngineTables;
  let fixture: EventStoreFixture;
  let seed = 1;

  beforeEach(async () => {
    tables = await engine.createTables([EVENTS_TABLE, LOG_TABLE]);
    const dynamo = recording(tables.dynamo);
    const { world } = tables;
    const another = () => {
      seed += 1;
      return storeOn(dynamo, { ...createTestWorld({ seed }), clock: world.clock });
    };
    fixture = { store: storeOn(dynamo, world), dynamo, world, another };
  });
  afterEach(() => tables.close());

  const current = () => fixture;
  appendContract(current);
  retryContract(current);
  damageContract(current);
  readContract(current);
  readAllContract(current);
  sizeContract(current);
  githubContract(current);
}
