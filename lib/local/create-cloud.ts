// Builds the parts of a local cloud around its engines: registries, bus, functions, state machines, identities. Starts
// nothing; resource handlers fill it, the gateway and the pollers use it.

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createBackups } from './backups/backups.ts';
import { createBuses } from './bus/buses.ts';
import { createDeliveryFaults, type DeliveryFaults } from './bus/delivery-faults.ts';
import { createDestinations } from './bus/destinations.ts';
import type { Cloud } from './cloud.ts';
import { createCustomAnswers } from './deploy/custom-answers.ts';
import type { Engines } from './engines/engines.ts';
import { createFunctions } from './functions/functions.ts';
import { writeBootstrap } from './functions/lambda-process.ts';
import { createFunctionLogs, type FunctionLogs } from './functions/logs.ts';
import { createSemaphore } from './functions/semaphore.ts';
import { createIdentities } from './iam/identities.ts';
import { createLostRecords } from './mappings/lost-records.ts';
import { createStreamsClient } from './mappings/streams-client.ts';
import { createLocalMetrics, embeddedMetrics } from './metrics/metrics.ts';
import { REGION, resourceOfArn } from './names.ts';
import type { LocalCloudOptions } from './options.ts';
import { createMachines } from './states/machines.ts';

export interface CloudParts {
  cloud: Cloud;
  deliveries: DeliveryFaults;
  logs: FunctionLogs;
  /** What resource handlers want to run once everything is deployed. */
  starters: (() => void | Promise<void>)[];
  /** Takes down what runs in the background. */
  stop(): Promise<void>;
}

const DEFAULT_MAX_PROCESSES = 10;
/** Invocations from queues at the same time, over all functions: one consumer at its full ten, and a little more. */
const QUEUE_INVOCATIONS_MIN = 12;
const QUEUE_INVOCATIONS_PER_CORE = 6;
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

/** `endpoint` is asked when it is needed: the gateway opens after the parts are there. */
export function createCloud(
  engines: Engines,
  assets: ReadonlyMap<string, string>,
  endpoint: () => string,
  options: LocalCloudOptions,
): CloudParts {
  const metrics = createLocalMetrics(Date.now);
  const logs = createFunctionLogs(join(options.runFolder, 'logs'), (line) => {
    for (const point of embeddedMetrics(line.text)) metrics.add(point);
    options.onLog?.(line);
  });
  const deliveries = createDeliveryFaults();
  const starters: (() => void | Promise<void>)[] = [];
  const tables: Cloud['tables'] = new Map();
  const queues: Cloud['queues'] = new Map();
  const createdQueueTags: Cloud['createdQueueTags'] = new Map();
  const identities = createIdentities({
    partitionKey: (table) => tables.get(table)?.partitionKey,
    queueTags: (queue) => queues.get(queue)?.tags ?? createdQueueTags.get(queue) ?? {},
  });
  const client = { region: REGION, credentials: CREDENTIALS };
  const sqs = new SQSClient({ ...client, endpoint: engines.messaging.url });
  const sns = new SNSClient({ ...client, endpoint: engines.messaging.url });
  const dynamodb = new DynamoDBClient({ ...client, endpoint: engines.dynamodb.url });
  // Uploads of the local cloud's own go through the gateway too, so that they become events.
  const s3 = new S3Client({ ...client, endpoint: async () => urlParts(endpoint()), forcePathStyle: true });
  const warn = (text: string): void => options.onWarning?.(text);
  const backups = createBackups({ dynamodb, s3, now: Date.now, warn });
  const functions = createFunctions({
    deliver: (destinationArn, record) => destinations.send(destinationArn, JSON.stringify(record)),
  });
  const machines = createMachines({
    functions,
    publish: (event) => buses.publish('default', event),
    waitLimitMs: options.waitLimitMs,
  });
  const destinations = createDestinations({
    sqs,
    sns,
    s3,
    queueUrl: (name) => queues.get(name)?.url ?? name,
    invokeEvent: (functionArn, payload) => functions.invokeEvent(functionArn, payload),
    startExecution: (machineArn, input) => void machines.start(machines.get(machineArn).arn, input),
    putEvent: (busArn, event) => {
      const { source, 'detail-type': detailType, detail } = JSON.parse(event);
      buses.publish(resourceOfArn(busArn).replace(/^event-bus\//, ''), { source, detailType, detail });
    },
  });
  const buses = createBuses({ destinations, identities, faults: deliveries, metrics });
  const cores = availableParallelism();
  const cloud: Cloud = {
    endpoint,
    dynamodb,
    sqs,
    sns,
    s3,
    streams: createStreamsClient(engines.dynamodb.url),
    identities,
    functions,
    surroundings: {
      identities,
      logs,
      metrics,
      endpoint,
      bootstrap: writeBootstrap(options.runFolder),
      startGate: createSemaphore(Math.max(2, cores)),
      maxProcesses: options.maxProcesses ?? DEFAULT_MAX_PROCESSES,
    },
    buses,
    machines,
    destinations,
    customAnswers: createCustomAnswers(),
    backups,
    metrics,
    mappings: [],
    lostRecords: createLostRecords(),
    invocationGate: createSemaphore(Math.max(QUEUE_INVOCATIONS_MIN, QUEUE_INVOCATIONS_PER_CORE * cores)),
    tables,
    queues,
    createdQueueTags,
    buckets: new Map(),
    parameters: new Map(),
    assets,
    runFolder: options.runFolder,
    onStart: (starter) => void starters.push(starter),
    warn,
  };
  return {
    cloud,
    deliveries,
    logs,
    starters,
    async stop() {
      for (const mapping of cloud.mappings) mapping.stop();
      backups.stop();
      machines.stop();
      buses.stop();
      await functions.stop();
      await logs.stop();
      for (const one of [sqs, sns, s3, dynamodb]) one.destroy();
    },
  };
}

function urlParts(url: string) {
  const { protocol, hostname, port, pathname } = new URL(url);
  return { protocol, hostname, port: Number(port), path: pathname };
}
