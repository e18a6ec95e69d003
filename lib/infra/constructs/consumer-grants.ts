// What a consumer's function may do, table by table: its own checkpoints, dead letters and markers, by leading key; the
// registry and the store for reading. TransactWriteItems needs the permissions of the single writes it is made of.

import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { INCIDENT_PARTITION } from '../../flow/log/keys.ts';
import type { IEventStore } from './event-store-base.ts';
import { grantOnKeys, REGISTRY_KEYS } from './key-grants.ts';

/** @param consumer its name: keys of its items begin with it */
export function grantConsuming(grantee: IGrantable, eventStore: IEventStore, consumer: string): void {
  const { checkpointsTable, deadLettersTable, idempotencyTable, logTable } = eventStore;
  const own = `${consumer}#*`;
  eventStore.eventsTable.grant(grantee, 'dynamodb:GetItem', 'dynamodb:Query');
  // Where it begins, by position: directory and pages.
  logTable.grant(grantee, 'dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query');
  // Damage that it meets while reading is recorded, never passed silently.
  grantOnKeys(grantee, logTable, INCIDENT_PARTITION, 'PutItem', 'UpdateItem');
  grantOnKeys(grantee, checkpointsTable, REGISTRY_KEYS, 'GetItem');
  grantOnKeys(grantee, checkpointsTable, own, 'GetItem', 'UpdateItem');
  grantOnKeys(grantee, deadLettersTable, own, 'GetItem', 'UpdateItem');
  // A failed react takes its own marker back, so that the next try need not wait.
  grantOnKeys(grantee, idempotencyTable, own, 'UpdateItem', 'DeleteItem');
}
