// Which permissions a request needs: the IAM actions and resources of each AWS operation that the functions may use.
// A transaction needs the permission of every write in it, a batch the batch's own, as IAM has it.

import type { GatewayCall } from '../gateway/gateway.ts';
import { mappingIdOf, s3Target } from '../gateway/identify.ts';
import { ACCOUNT, arn, resourceOfArn } from '../names.ts';
import { machineOfToken } from '../states/task-tokens.ts';
import type { Need } from './policy.ts';

/** Facts of deployed tables that conditions ask for. */
export interface TableFacts {
  /** Name of the partition key, or undefined when there is no such table. */
  partitionKey(tableName: string): string | undefined;
  /** Tags of a queue, which conditions of SQS permissions ask for. */
  queueTags(queueName: string): Readonly<Record<string, string>>;
}

type Json = Record<string, unknown>;

/** Empty: the operation needs no permission (as GetCallerIdentity). */
export function needsOf(call: GatewayCall, tables: TableFacts): Need[] {
  const context = { 'aws:securetransport': ['true'] };
  const needs = (NEEDS[call.service] ?? anyResource)(call, tables);
  return needs.map((need) => ({ ...need, context: { ...context, ...need.context } }));
}

const NEEDS: Record<string, (call: GatewayCall, tables: TableFacts) => Need[]> = {
  dynamodb: dynamodbNeeds,
  sqs: (call, { queueTags }) => {
    const queue = String(json(call).QueueUrl ?? '')
      .split('/')
      .pop();
    const tags = Object.entries(queueTags(queue ?? ''));
    const context = Object.fromEntries(tags.map(([key, value]) => [`aws:resourcetag/${key.toLowerCase()}`, [value]]));
    return [{ action: `sqs:${call.operation.replace(/Batch$/, '')}`, resource: arn('sqs', queue ?? '*'), context }];
  },
  sns: (call) => {
    const form = new URLSearchParams(call.bodyText());
    const topic = form.get('TopicArn') ?? form.get('TargetArn') ?? undefined;
    return [{ action: `sns:${call.operation.replace(/Batch$/, '')}`, resource: topic }];
  },
  eventbridge: eventNeeds,
  lambda: (call) => {
    const name = decodeURIComponent(/\/functions\/([^/]+)/.exec(call.path)?.[1] ?? '*');
    if (call.operation === 'GetEventSourceMapping') {
      const mapping = arn('lambda', `event-source-mapping:${mappingIdOf(call.path)}`);
      return [{ action: 'lambda:GetEventSourceMapping', resource: mapping }];
    }
    if (call.operation === 'ListEventSourceMappings')
      return [{ action: 'lambda:ListEventSourceMappings', resource: '*' }];
    const action = call.operation === 'Invoke' ? 'InvokeFunction' : call.operation;
    return [
      { action: `lambda:${action}`, resource: name.startsWith('arn:') ? name : arn('lambda', `function:${name}`) },
    ];
  },
  s3: s3Needs,
  ssm: (call) => {
    const { Name, Names, Path } = json(call) as { Name?: string; Names?: string[]; Path?: string };
    const names = [Name ?? Names ?? Path ?? []].flat();
    return names.map((name) => ({
      action: `ssm:${call.operation}`,
      resource: arn('ssm', `parameter/${name.replace(/^\//, '')}`),
    }));
  },
  sfn: (call) => {
    const { stateMachineArn, executionArn, taskToken } = json(call) as Record<string, string | undefined>;
    const ofToken = taskToken === undefined ? undefined : machineOfToken(taskToken);
    return [{ action: `states:${call.operation}`, resource: stateMachineArn ?? executionArn ?? ofToken }];
  },
  sts: () => [],
  cloudwatch: (call) => [{ action: `cloudwatch:${call.operation}`, resource: '*' }],
};

const anyResource = (call: GatewayCall): Need[] => [{ action: `${call.service}:${call.operation}` }];

const json = (call: GatewayCall): Json => {
  const text = call.bodyText();
  return text === '' ? {} : (JSON.parse(text) as Json);
};

const tableArn = (nameOrArn: unknown): string => {
  const text = String(nameOrArn);
  return text.startsWith('arn:') ? text : arn('dynamodb', `table/${text}`);
};

type Item = Record<string, Record<string, unknown>>;

const TRANSACTION_ACTIONS: Record<string, string> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html */
function dynamodbNeeds(call: GatewayCall, tables: TableFacts): Need[] {
  const { operation } = call;
  const input = json(call);
  const ofBackups = backupNeeds(operation, input);
  if (ofBackups !== undefined) return ofBackups;
  const need = (action: string, table: unknown, leading: unknown[], extra: Need['context'] = {}): Need => {
    const keys = leading.filter((value) => value !== undefined).map(String);
    const context = keys.length === 0 ? extra : { ...extra, 'dynamodb:leadingkeys': keys };
    return { action: `dynamodb:${action}`, resource: tableArn(table), context };
  };
  const keyOf = (table: unknown, item: Item | undefined): unknown => {
    const name = resourceOfArn(String(table)).replace(/^table\//, '');
    return Object.values(item?.[tables.partitionKey(name) ?? ''] ?? {})[0];
  };
  if (operation === 'TransactWriteItems' || operation === 'TransactGetItems') {
    const enclosing = { 'dynamodb:enclosingoperation': [operation] };
    return ((input.TransactItems ?? []) as Record<string, Json>[]).flatMap((item) =>
      Object.entries(item).map(([kind, part]) => {
        const leading = keyOf(part.TableName, (part.Key ?? part.Item) as Item);
        return need(TRANSACTION_ACTIONS[kind] ?? kind, part.TableName, [leading], enclosing);
      }),
    );
  }
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem') {
    return Object.entries((input.RequestItems ?? {}) as Json).map(([table, requests]) =>
      need(
        operation,
        table,
        batchItems(requests).map((item) => keyOf(table, item)),
      ),
    );
  }
  if (input.TableName === undefined) {
    return [{ action: `dynamodb:${operation}`, resource: input.StreamArn as string | undefined }];
  }
  if (input.IndexName !== undefined) {
    return [
      { action: `dynamodb:${operation}`, resource: `${tableArn(input.TableName)}/index/${String(input.IndexName)}` },
    ];
  }
  const partitionKey = tables.partitionKey(resourceOfArn(String(input.TableName)).replace(/^table\//, ''));
  const leading =
    operation === 'Query' ? queriedKey(input, partitionKey) : keyOf(input.TableName, (input.Key ?? input.Item) as Item);
  return [need(operation, input.TableName, [leading])];
}

/** Developer Guide, "Using IAM with DynamoDB backup and restore": a restore reads and writes its target as its caller. */
const RESTORE_TARGET_ACTIONS = ['BatchWriteItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'Scan', 'UpdateItem'];
/** Developer Guide, "Requesting a table export in DynamoDB": an export writes to S3 as its caller. */
const EXPORT_ACTIONS = ['AbortMultipartUpload', 'PutObject', 'PutObjectAcl'];

/** Operations that need more than their own action, or name their resource in another way. */
function backupNeeds(operation: string, input: Json): Need[] | undefined {
  const own = (resource: string | undefined): Need => ({ action: `dynamodb:${operation}`, resource });
  switch (operation) {
    case 'RestoreTableToPointInTime':
      return [
        own(tableArn(input.SourceTableName ?? input.SourceTableArn)),
        ...RESTORE_TARGET_ACTIONS.map((action) => ({
          action: `dynamodb:${action}`,
          resource: tableArn(input.TargetTableName),
        })),
      ];
    case 'ExportTableToPointInTime': {
      const prefix = input.S3Prefix === undefined ? '' : `${String(input.S3Prefix)}/`;
      const objects = `arn:aws:s3:::${String(input.S3Bucket)}/${prefix}AWSDynamoDB/`;
      return [
        own(tableArn(input.TableArn)),
        ...EXPORT_ACTIONS.map((action) => ({ action: `s3:${action}`, resource: objects })),
      ];
    }
    case 'DescribeExport':
      return [own(String(input.ExportArn))];
    case 'ListExports':
      return [own('*')];
    default:
      return undefined;
  }
}

/** Items and keys in a BatchGetItem (`{ Keys }`) or BatchWriteItem (`[{ PutRequest | DeleteRequest }]`). */
function batchItems(requests: unknown): Item[] {
  if (!Array.isArray(requests)) return (requests as { Keys?: Item[] }).Keys ?? [];
  return (requests as { PutRequest?: { Item: Item }; DeleteRequest?: { Key: Item } }[]).flatMap(
    ({ PutRequest, DeleteRequest }): Item[] => [PutRequest?.Item ?? DeleteRequest?.Key ?? {}],
  );
}

/** The partition key's value in `pk = :value` of a Query. */
function queriedKey(input: Json, partitionKey: string | undefined): unknown {
  const names = (input.ExpressionAttributeNames ?? {}) as Record<string, string>;
  const values = (input.ExpressionAttributeValues ?? {}) as Item;
  for (const [, name = '', value = ''] of String(input.KeyConditionExpression).matchAll(/(#?\w+)\s*=\s*(:\w+)/g)) {
    if ((names[name] ?? name) === partitionKey) return Object.values(values[value] ?? {})[0];
  }
  return undefined;
}

function eventNeeds(call: GatewayCall): Need[] {
  const input = json(call);
  // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html: it knows no resources
  if (call.operation === 'ListRuleNamesByTarget') return [{ action: 'events:ListRuleNamesByTarget', resource: '*' }];
  if (call.operation !== 'PutEvents') {
    const bus =
      input.EventBusName === undefined ? '' : `${resourceOfArn(String(input.EventBusName)).replace('event-bus/', '')}/`;
    const name = input.Name ?? input.Rule;
    return [
      {
        action: `events:${call.operation}`,
        resource: name === undefined ? undefined : arn('events', `rule/${bus}${String(name)}`),
      },
    ];
  }
  const buses = new Set(((input.Entries ?? []) as Json[]).map((entry) => String(entry.EventBusName ?? 'default')));
  return [...buses].map((bus) => ({
    action: 'events:PutEvents',
    resource: bus.startsWith('arn:') ? bus : arn('events', `event-bus/${bus}`),
  }));
}

/** IAM action of S3 operations whose names differ; the others are `s3:<operation>`. */
const S3_ACTIONS: Record<string, string> = {
  HeadObject: 'GetObject',
  HeadBucket: 'ListBucket',
  ListObjects: 'ListBucket',
  ListObjectsV2: 'ListBucket',
  CopyObject: 'PutObject',
  CreateMultipartUpload: 'PutObject',
  UploadPart: 'PutObject',
  CompleteMultipartUpload: 'PutObject',
  AbortMultipartUpload: 'AbortMultipartUpload',
  DeleteObjects: 'DeleteObject',
  ListBuckets: 'ListAllMyBuckets',
};

function s3Needs(call: GatewayCall): Need[] {
  const { bucket, key } = s3Target(call.path);
  const action = `s3:${S3_ACTIONS[call.operation] ?? call.operation}`;
  const whole = action === 's3:ListBucket' || key === '';
  const object = call.operation === 'DeleteObjects' ? '/*' : `/${key}`;
  return [
    {
      action,
      resource:
        whole && call.operation !== 'DeleteObjects' ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}${object}`,
    },
  ];
}

/** ARN that a role has in a function's credentials. */
export const roleArn = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;
