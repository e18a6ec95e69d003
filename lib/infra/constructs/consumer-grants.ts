// What a consumer's function may do, table by table: its own checkpoints, dead letters and markers, by leading key; the
// registry and the store for reading. TransactWriteItems needs the permissions of the single writes it is made of.

import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Effect, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IEventStore } from './event-store-base.ts';

/** @param consumer its name: keys of its items begin with it */
export function grantConsuming(grantee: IGrantable, eventStore: IEventStore, consumer: string): void {
  const own = [`${consumer}#*`];
  eventStore.eventsTable.grant(grantee, 'dynamodb:GetItem', 'dynamodb:Query');
  eventStore.logTable.grant(grantee, 'dynamodb:GetItem', 'dynamodb:Query');
  const on = (table: ITable, leadingKeys: string[], ...actions: string[]) =>
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions,
        resources: [table.tableArn],
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': leadingKeys } },
      }),
    );
  // Damage that it meets while reading is recorded, never passed silently.
  on(eventStore.logTable, ['incident'], 'dynamodb:PutItem', 'dynamodb:UpdateItem');
  on(eventStore.checkpointsTable, ['registry'], 'dynamodb:GetItem');
  on(eventStore.checkpointsTable, own, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem');
  on(eventStore.deadLettersTable, own, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem');
  on(eventStore.idempotencyTable, own, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem');
  for (const table of [eventStore.checkpointsTable, eventStore.deadLettersTable, eventStore.idempotencyTable]) {
    table.encryptionKey?.grantEncryptDecrypt(grantee);
  }
}
