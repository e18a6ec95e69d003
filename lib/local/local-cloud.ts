// Starts a local cloud from an assembly: engines, gateway, deployment, pollers; and takes all of it down again. Knows
// nothing of this project's own tables and functions: any template of the supported types runs.

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Faults } from '../recovery/drill/faults.ts';
import type { Assembly } from './assembly/read-assembly.ts';
import { createBuses } from './bus/buses.ts';
import { createDeliveryFaults } from './bus/delivery-faults.ts';
import { createDestinations } from './bus/destinations.ts';
import type { Cloud } from './cloud.ts';
import { createCustomAnswers } from './deploy/custom-answers.ts';
import { deploy } from './deploy/deploy.ts';
import { startDynamoDb } from './engines/dynamodb.ts';
import { startMessaging } from './engines/messaging.ts';
import { createCallFaults } from './faults/call-faults.ts';
import { createFaults } from './faults/faults.ts';
import { createFunctions } from './functions/functions.ts';
import { writeBootstrap } from './functions/lambda-process.ts';
import { createFunctionLogs, type LogLine } from './functions/logs.ts';
import { createSemaphore } from './functions/semaphore.ts';
import { afterAnswer } from './gateway/after-answers.ts';
import { cloudWatchService } from './gateway/cloudwatch-service.ts';
import { eventsService } from './gateway/events-service.ts';
import { startGateway } from './gateway/gateway.ts';
import { lambdaService } from './gateway/lambda-service.ts';
import { mappingReads } from './gateway/mapping-reads.ts';
import { errorReply, type Reply } from './gateway/replies.ts';
import { ssmService } from './gateway/ssm-service.ts';
import { createIdentities } from './iam/identities.ts';
import { createStreamsClient } from './mappings/streams-client.ts';
import { REGION, resourceOfArn } from './names.ts';

export interface LocalCloudOptions {
  /** Folder for logs and generated files of this run. */
  runFolder: string;
  /** Fixed port of the gateway. @default any free one */
  port?: number;
  /** Processes of one function at most. @default 10 */
  maxProcesses?: number;
  /** False: no call is refused for want of a permission. @default true */
  enforcePolicies?: boolean;
  /** False: scheduled rules run only when triggered. @default true */
  schedules?: boolean;
  onLog?(line: LogLine): void;
  /** What deserves attention and is nobody's answer. */
  onWarning?(text: string): void;
}

export interface LocalCloud {
  cloud: Cloud;
  faults: Faults;
  outputs: Record<string, string>;
  endpoint: string;
  runFolder: string;
  logs(functionName: string): readonly LogLine[];
  stop(): Promise<void>;
}

const DEFAULT_MAX_PROCESSES = 10;
/** Invocations from queues at the same time, over all functions: one consumer at its full ten, and a little more. */
const QUEUE_INVOCATIONS_MIN = 12;
const QUEUE_INVOCATIONS_PER_CORE = 6;
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

export async function startLocalCloud(assembly: Promise<Assembly>, options: LocalCloudOptions): Promise<LocalCloud> {
  const stops: (() => void | Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    return await start(assembly, options, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  assembly: Promise<Assembly>,
  options: LocalCloudOptions,
  stops: (() => void | Promise<void>)[],
  stop: () => Promise<void>,
): Promise<LocalCloud> {
  const starting = Promise.allSettled([startDynamoDb(), startMessaging(), assembly]);
  const [dynamodb, messaging, read] = await starting;
  if (dynamodb.status === 'fulfilled') stops.push(() => dynamodb.value.stop());
  if (messaging.status === 'fulfilled') stops.push(() => messaging.value.stop());
  if (read.status === 'rejected') throw read.reason;
  if (dynamodb.status === 'rejected') throw dynamodb.reason;
  if (messaging.status === 'rejected') throw messaging.reason;

  const warn = (text: string): void => options.onWarning?.(text);
  const logs = createFunctionLogs(join(options.runFolder, 'logs'), options.onLog);
  const deliveries = createDeliveryFaults();
  const customAnswers = createCustomAnswers();
  const starters: (() => void | Promise<void>)[] = [];
  const tables: Cloud['tables'] = new Map();
  const queues: Cloud['queues'] = new Map();
  const buckets: Cloud['buckets'] = new Map();
  const parameters: Cloud['parameters'] = new Map();
  const identities = createIdentities({
    partitionKey: (table) => tables.get(table)?.partitionKey,
    queueTags: (queue) => queues.get(queue)?.tags ?? {},
  });

  let endpoint = '';
  const client = { region: REGION, credentials: CREDENTIALS };
  const toMessaging = { ...client, endpoint: messaging.value.url };
  const sqs = new SQSClient(toMessaging);
  const sns = new SNSClient(toMessaging);

  const functions = createFunctions({
    deliver: (destinationArn, record) => destinations.send(destinationArn, JSON.stringify(record)),
  });
  const calls = createCallFaults((name) => functions.get(name).spec.name, Date.now);
  // Uploads of the local cloud's own go through the gateway too, so that they become events.
  const s3 = new S3Client({ ...client, endpoint: async () => urlParts(endpoint), forcePathStyle: true });
  const destinations = createDestinations({
    sqs,
    sns,
    s3,
    queueUrl: (name) => queues.get(name)?.url ?? name,
    invokeEvent: (functionArn, payload) => functions.invokeEvent(functionArn, payload),
    putEvent: (busArn, event) => {
      const { source, 'detail-type': detailType, detail } = JSON.parse(event);
      buses.publish(resourceOfArn(busArn).replace(/^event-bus\//, ''), { source, detailType, detail });
    },
  });
  const buses = createBuses({ destinations, identities, faults: deliveries });

  const internal = (path: string, body: Buffer): Reply => {
    if (customAnswers.receive(path, body)) return { status: 200, headers: {}, body: Buffer.alloc(0) };
    return errorReply('local', 'NotFound', path, 404);
  };
  const gateway = await startGateway({
    port: options.port,
    engines: {
      dynamodb: dynamodb.value,
      sqs: messaging.value,
      sns: messaging.value,
      s3: messaging.value,
      sts: messaging.value,
    },
    services: {
      lambda: mappingReads(() => cloud.mappings, lambdaService(functions)),
      cloudwatch: cloudWatchService(() => cloud.mappings),
      eventbridge: eventsService(buses),
      ssm: ssmService(parameters),
    },
    callerOf: identities.callerOf,
    denied(call) {
      const reason = options.enforcePolicies === false ? undefined : identities.denied(call);
      if (reason !== undefined) warn(`access denied: ${reason}`);
      return reason;
    },
    faults: calls,
    internal,
    answered: (call, reply) => afterAnswer(call, reply, { buckets, buses, endpoint: () => endpoint }),
  });
  endpoint = gateway.url;
  stops.push(gateway.stop, logs.stop, functions.stop, buses.stop);
  stops.push(() => {
    for (const one of [sqs, sns, s3, cloud.dynamodb]) one.destroy();
  });

  const cloud: Cloud = {
    endpoint: () => endpoint,
    dynamodb: new DynamoDBClient({ ...client, endpoint: dynamodb.value.url }),
    sqs,
    sns,
    s3,
    streams: createStreamsClient(dynamodb.value.url),
    identities,
    functions,
    surroundings: {
      identities,
      logs,
      endpoint: () => endpoint,
      bootstrap: writeBootstrap(options.runFolder),
      startGate: createSemaphore(Math.max(2, availableParallelism())),
      maxProcesses: options.maxProcesses ?? DEFAULT_MAX_PROCESSES,
    },
    buses,
    destinations,
    customAnswers,
    mappings: [],
    invocationGate: createSemaphore(
      Math.max(QUEUE_INVOCATIONS_MIN, QUEUE_INVOCATIONS_PER_CORE * availableParallelism()),
    ),
    tables,
    queues,
    buckets,
    parameters,
    assets: read.value.assets,
    runFolder: options.runFolder,
    onStart: (starter) => void starters.push(starter),
    warn,
  };
  stops.push(() => {
    for (const mapping of cloud.mappings) mapping.stop();
  });
  const { outputs } = await deploy(read.value.stacks, cloud);
  for (const starter of starters) await starter();
  if (options.schedules !== false) buses.startSchedules();
  return {
    cloud,
    faults: createFaults(cloud, calls, deliveries),
    outputs,
    endpoint,
    runFolder: options.runFolder,
    logs: (functionName) => logs.lines(functions.get(functionName).spec.name),
    stop,
  };
}

function urlParts(url: string) {
  const { protocol, hostname, port, pathname } = new URL(url);
  return { protocol, hostname, port: Number(port), path: pathname };
}
