// Permissions on items whose partition key begins as given: in tables that many functions share, each reaches its own
// items only (IAM condition key dynamodb:LeadingKeys).

import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** Partition key of registry items, as lib/flow/registry/registry.ts writes them. */
export const REGISTRY_KEYS = 'registry';
/** Partition keys of the stream directory and of backfill marks in the Log table (lib/flow/log/keys.ts). */
export const DIRECTORY_KEYS = 'stream#*';

/** @param keys a partition key, or a prefix that ends in `*` */
export function grantOnKeys(grantee: IGrantable, table: ITable, keys: string, ...actions: string[]): void {
  grantee.grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({
      actions: actions.map((action) => `dynamodb:${action}`),
      resources: [table.tableArn],
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [keys] } },
    }),
  );
  table.encryptionKey?.grantEncryptDecrypt(grantee);
}
