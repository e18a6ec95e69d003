// Permissions on dead letters for functions that list and change them: the table's rows, and each index by its name
// (`ITable.grant` would say `index/*`).

import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { DEAD_LETTERS_TABLE } from '../../../platform/dynamodb/schemas.ts';
import type { IEventStore } from '../event-store-base.ts';

export function grantDeadLetters(grantee: IGrantable, { deadLettersTable: table }: IEventStore): void {
  const indexes = (DEAD_LETTERS_TABLE.indexes ?? []).map(({ name }) => `${table.tableArn}/index/${name}`);
  const { grantPrincipal } = grantee;
  grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({ actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], resources: [table.tableArn] }),
  );
  grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions: ['dynamodb:Query'], resources: indexes }));
  table.encryptionKey?.grantEncryptDecrypt(grantee);
}
