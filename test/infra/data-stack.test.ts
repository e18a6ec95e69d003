// The Data stack must keep the data: whatever is done to the stack, its tables and buckets stay, under the same logical ids.

import { describe, expect, it } from '@jest/globals';
import { ALL_TABLES } from '../../lib/platform/dynamodb/schemas.ts';
import type { TableSchema } from '../../lib/platform/dynamodb/table-schema.ts';
import { type Resource, resourcesOf, synthApp } from './synth.ts';

const { data, templates } = synthApp();
const tables = resourcesOf(templates.data, 'AWS::DynamoDB::Table');
const buckets = resourcesOf(templates.data, 'AWS::S3::Bucket');

const tableOf = (schema: TableSchema): Resource => {
  const found = tables.find(([id]) => id.startsWith(`EventStore${schema.name}Table`));
  if (!found) throw new Error(`no table for ${schema.name}`);
  return found[1];
};

describe('the Data stack', () => {
  it('keeps the logical ids of everything that holds data, because another id would be another, empty one', () => {
    expect([...tables, ...buckets].map(([id]) => id).sort()).toEqual([
      'EventStoreArchiveBucket956A97E7',
      'EventStoreCheckpointsTable34686EE2',
      'EventStoreDeadLettersTable31DF2510',
      'EventStoreEventsTableDBBB9620',
      'EventStoreIdempotencyTableA72B347F',
      'EventStoreLogTable3CCF1D81',
      'EventStoreRecoveryTable05B86DDD',
      'EventStoreRelayFailuresBucketB7B9EC02',
      'EventStoreSnapshotsTableE2325510',
    ]);
  });

  it('holds nothing but tables, buckets, their policies and parameters, so that no code change touches it', () => {
    const types = new Set(Object.values(templates.data.Resources).map(({ Type }) => Type));
    expect([...types].sort()).toEqual([
      'AWS::DynamoDB::Table',
      'AWS::S3::Bucket',
      'AWS::S3::BucketPolicy',
      'AWS::SSM::Parameter',
    ]);
  });

  it('retains every table and bucket when the stack is removed or a resource is replaced', () => {
    for (const [id, resource] of [...tables, ...buckets]) {
      expect({ id, ...resource }).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    }
  });

  it('is protected against termination', () => {
    expect(data.terminationProtection).toBe(true);
  });

  it('protects every table against deletion, with point-in-time recovery and on-demand capacity', () => {
    expect(tables).toHaveLength(7);
    for (const [id, resource] of tables) {
      expect({ id, ...resource.Properties }).toMatchObject({
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        BillingMode: 'PAY_PER_REQUEST',
      });
    }
  });

  it('gives tables the keys, indexes, stream and time to live that the runtime expects', () => {
    for (const schema of ALL_TABLES) {
      const { KeySchema, GlobalSecondaryIndexes, StreamSpecification, TimeToLiveSpecification, AttributeDefinitions } =
        tableOf(schema).Properties;
      const keys = (partition: { name: string }, sort?: { name: string }) => [
        { AttributeName: partition.name, KeyType: 'HASH' },
        ...(sort ? [{ AttributeName: sort.name, KeyType: 'RANGE' }] : []),
      ];
      expect(KeySchema).toEqual(keys(schema.partitionKey, schema.sortKey));
      expect(StreamSpecification).toEqual(schema.stream && { StreamViewType: schema.stream });
      expect(TimeToLiveSpecification).toEqual(
        schema.timeToLiveAttribute && { AttributeName: schema.timeToLiveAttribute, Enabled: true },
      );
      expect(GlobalSecondaryIndexes).toEqual(
        schema.indexes?.map((index) => ({
          IndexName: index.name,
          KeySchema: keys(index.partitionKey, index.sortKey),
          Projection: { ProjectionType: index.projection ?? 'ALL' },
        })),
      );
      const attributes = [schema, ...(schema.indexes ?? [])].flatMap(({ partitionKey, sortKey }) =>
        sortKey ? [partitionKey, sortKey] : [partitionKey],
      );
      const types = new Map(attributes.map(({ name, type }) => [name, type]));
      expect(
        new Map(
          (AttributeDefinitions as { AttributeName: string; AttributeType: string }[]).map((each) => [
            each.AttributeName,
            each.AttributeType,
          ]),
        ),
      ).toEqual(types);
    }
  });

  it('removes what a verification has left in the archive bucket after a week, and nothing else of it', () => {
    const rules = buckets
      .filter(([id]) => id.startsWith('EventStoreArchiveBucket'))
      .flatMap(
        ([, { Properties }]) => (Properties.LifecycleConfiguration as { Rules: Record<string, unknown>[] }).Rules,
      );
    const removing = rules.filter((rule) => rule.ExpirationInDays ?? rule.ExpiredObjectDeleteMarker);
    expect(removing).toEqual([
      expect.objectContaining({ Prefix: 'verifications/', ExpirationInDays: 7 }),
      expect.objectContaining({
        Prefix: 'verifications/',
        ExpiredObjectDeleteMarker: true,
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      }),
    ]);
  });

  it('lets only encrypted requests into its buckets, keeps them private and encrypts them', () => {
    expect(buckets).toHaveLength(2);
    for (const [id, { Properties }] of buckets) {
      expect(Properties.BucketEncryption).toBeDefined();
      expect(Properties.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      const policies = resourcesOf(templates.data, 'AWS::S3::BucketPolicy').filter(
        ([, policy]) => (policy.Properties.Bucket as { Ref: string }).Ref === id,
      );
      expect(JSON.stringify(policies)).toContain('"aws:SecureTransport":"false"');
    }
  });

  it('keeps replaced archive objects, and tells EventBridge about batches that the relay gave up on', () => {
    const bucket = (name: string) => buckets.find(([id]) => id.startsWith(`EventStore${name}`))?.[1].Properties;
    expect(bucket('ArchiveBucket')?.VersioningConfiguration).toEqual({ Status: 'Enabled' });
    expect(bucket('RelayFailuresBucket')?.NotificationConfiguration).toEqual({
      EventBridgeConfiguration: { EventBridgeEnabled: true },
    });
  });
});
