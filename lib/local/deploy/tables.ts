// AWS::DynamoDB::Table and GlobalTable on DynamoDB Local. Capacity is always on demand there; encryption and
// insights have no meaning on one machine; the history of a table with point-in-time recovery and a stream is recorded. A streamed table is primed at once (see engines/priming.ts).

import {
  type AttributeDefinition,
  CreateTableCommand,
  DeleteItemCommand,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
  type LocalSecondaryIndex,
  PutItemCommand,
  type StreamViewType,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { startRecorder } from '../backups/recorder.ts';
import type { Cloud } from '../cloud.ts';
import { primingKey } from '../engines/priming.ts';
import type { Statement } from '../iam/policy.ts';
import { arn } from '../names.ts';
import { type Created, type Handler, namesOf, propertiesOf } from './resource.ts';

interface TableProperties {
  TableName?: string;
  AttributeDefinitions: AttributeDefinition[];
  KeySchema: KeySchemaElement[];
  GlobalSecondaryIndexes?: GlobalSecondaryIndex[];
  LocalSecondaryIndexes?: LocalSecondaryIndex[];
  StreamSpecification?: { StreamViewType: StreamViewType };
  TimeToLiveSpecification?: { AttributeName: string; Enabled: boolean };
  DeletionProtectionEnabled?: boolean;
  PointInTimeRecoverySpecification?: { PointInTimeRecoveryEnabled?: boolean };
  ResourcePolicy?: { PolicyDocument: { Statement: Statement[] } };
  /** GlobalTable only: one replica, this region. */
  Replicas?: Pick<
    TableProperties,
    'DeletionProtectionEnabled' | 'ResourcePolicy' | 'PointInTimeRecoverySpecification'
  >[];
}

const HONOURED = [
  'TableName',
  'AttributeDefinitions',
  'KeySchema',
  'GlobalSecondaryIndexes',
  'LocalSecondaryIndexes',
  'StreamSpecification',
  'TimeToLiveSpecification',
  'DeletionProtectionEnabled',
  'PointInTimeRecoverySpecification',
  'ResourcePolicy',
  'Replicas',
];
const LEFT_OUT = [
  'BillingMode',
  'ProvisionedThroughput',
  'OnDemandThroughput',
  'WarmThroughput',
  'SSESpecification',
  'ContributorInsightsSpecification',
  'TableClass',
  'WriteProvisionedThroughputSettings',
  'WriteOnDemandThroughputSettings',
];

export const createTable: Handler = async (resource, cloud) => {
  const properties = propertiesOf<TableProperties>(resource, HONOURED, LEFT_OUT);
  const named = namesOf(resource, properties.TableName, 255);
  const replica = properties.Replicas?.[0];
  const { TableDescription } = await cloud.dynamodb.send(
    new CreateTableCommand({
      TableName: named.name,
      AttributeDefinitions: properties.AttributeDefinitions,
      KeySchema: properties.KeySchema,
      GlobalSecondaryIndexes: indexes(properties.GlobalSecondaryIndexes),
      LocalSecondaryIndexes: indexes(properties.LocalSecondaryIndexes),
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: properties.StreamSpecification && { StreamEnabled: true, ...properties.StreamSpecification },
      DeletionProtectionEnabled: properties.DeletionProtectionEnabled ?? replica?.DeletionProtectionEnabled,
    }),
  );
  const ttl = properties.TimeToLiveSpecification;
  if (ttl) {
    await cloud.dynamodb.send(new UpdateTimeToLiveCommand({ TableName: named.name, TimeToLiveSpecification: ttl }));
  }
  const tableArn = arn('dynamodb', `table/${named.name}`);
  const policy = properties.ResourcePolicy ?? replica?.ResourcePolicy;
  if (policy) cloud.identities.allowOnResource(tableArn, [policy.PolicyDocument.Statement].flat());
  const streamArn = TableDescription?.LatestStreamLabel && `${tableArn}/stream/${TableDescription.LatestStreamLabel}`;
  const partitionKey = properties.KeySchema.find((key) => key.KeyType === 'HASH')?.AttributeName ?? '';
  cloud.tables.set(named.name, {
    ...named,
    arn: tableArn,
    partitionKey,
    streamArn,
    engineStreamArn: TableDescription?.LatestStreamArn,
  });
  if (streamArn) await prime(named.name, properties, cloud);
  const recovers = (properties.PointInTimeRecoverySpecification ?? replica?.PointInTimeRecoverySpecification)
    ?.PointInTimeRecoveryEnabled;
  const engineStreamArn = TableDescription?.LatestStreamArn;
  if (recovers && engineStreamArn !== undefined) {
    const recorder = startRecorder({
      client: cloud.streams,
      streamArn: engineStreamArn,
      now: Date.now,
      warn: cloud.warn,
    });
    cloud.backups.record(named.name, recorder);
  }
  const created: Created = { ref: named.name, attributes: { Arn: tableArn, TableId: named.name } };
  if (streamArn) created.attributes = { ...created.attributes, StreamArn: streamArn };
  return created;
};

const indexes = <T extends GlobalSecondaryIndex | LocalSecondaryIndex>(
  list: readonly T[] | undefined,
): T[] | undefined => list?.map(({ IndexName, KeySchema, Projection }) => ({ IndexName, KeySchema, Projection }) as T);

async function prime(table: string, properties: TableProperties, cloud: Cloud): Promise<void> {
  const types = Object.fromEntries(
    properties.AttributeDefinitions.map((one) => [one.AttributeName, one.AttributeType]),
  );
  const keys = properties.KeySchema.map((key) => key.AttributeName ?? '');
  const key = primingKey(Object.fromEntries(keys.map((name) => [name, String(types[name])])));
  const item = Object.fromEntries(
    Object.entries(key).map(([name, value]) => [name, 'B' in value ? { B: Buffer.from(value.B, 'base64') } : value]),
  ) as Record<string, { S: string }>;
  await cloud.dynamodb.send(new PutItemCommand({ TableName: table, Item: item }));
  await cloud.dynamodb.send(new DeleteItemCommand({ TableName: table, Key: item }));
}
