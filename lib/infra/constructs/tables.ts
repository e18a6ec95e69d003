// DynamoDB tables from the schemas that the runtime uses (lib/platform/dynamodb/schemas.ts), so that synth and runtime
// cannot disagree. Every table outlives its stack: retained, protected against deletion, with point-in-time recovery.

import { RemovalPolicy } from 'aws-cdk-lib';
import {
  type Attribute,
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { KeyAttribute, TableSchema } from '../../platform/dynamodb/table-schema.ts';

const attribute = ({ name, type }: KeyAttribute): Attribute => ({
  name,
  type: { S: AttributeType.STRING, N: AttributeType.NUMBER, B: AttributeType.BINARY }[type],
});

/** @param encryptionKey absent: the key that AWS owns, without charge */
export function createTable(scope: Construct, schema: TableSchema, encryptionKey?: IKey): Table {
  const table = new Table(scope, `${schema.name}Table`, {
    partitionKey: attribute(schema.partitionKey),
    sortKey: schema.sortKey && attribute(schema.sortKey),
    stream: schema.stream && StreamViewType[schema.stream],
    timeToLiveAttribute: schema.timeToLiveAttribute,
    // Traffic follows the orders of the day; nobody has to guess it, and an idle table costs its storage only.
    billingMode: BillingMode.PAY_PER_REQUEST,
    encryption: encryptionKey ? TableEncryption.CUSTOMER_MANAGED : TableEncryption.DEFAULT,
    encryptionKey,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  for (const index of schema.indexes ?? []) {
    table.addGlobalSecondaryIndex({
      indexName: index.name,
      partitionKey: attribute(index.partitionKey),
      sortKey: index.sortKey && attribute(index.sortKey),
      projectionType: index.projection === 'KEYS_ONLY' ? ProjectionType.KEYS_ONLY : ProjectionType.ALL,
    });
  }
  return table;
}
