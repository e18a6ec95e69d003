// The whole project on one machine: synthesizes the CDK app, runs what it says, and hands out an event store, the
// endpoints, the stack outputs and the faults. A development and test harness: everything is forgotten at `stop()`.

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { createEventStore } from '../flow/event-store/event-store.ts';
import type { EventStore } from '../flow/event-store/port.ts';
import { EventRecoveryError } from '../model/errors.ts';
import { createWorld } from '../platform/world.ts';
import type { DrillSystem, QueueDepth } from '../recovery/drill/system.ts';
import { type RecoveryRun, type RunRecoveryOptions, runRecovery } from '../recovery/recover/run-recovery.ts';
import { readAssembly } from './assembly/read-assembly.ts';
import { localFolder, synthesize } from './assembly/synthesize.ts';
import { invocationFailed } from './functions/functions.ts';
import type { LogLine } from './functions/logs.ts';
import { type LocalCloud, startLocalCloud } from './local-cloud.ts';
import { REGION } from './names.ts';
import type { LocalCloudOptions } from './options.ts';

export interface LocalSystemOptions extends Omit<LocalCloudOptions, 'runFolder'> {
  /** Folder of the CDK app: cdk.json, sources, node_modules. @default the working directory, else this project */
  projectRoot?: string;
  /** Command that synthesizes. @default `app` of cdk.json */
  app?: string;
  /** Context for the synth, added to cdk.json's. */
  context?: Record<string, unknown>;
  /** A ready cloud assembly instead of a synth. */
  assembly?: string;
  onProgress?(text: string): void;
}

export interface LocalSystem extends DrillSystem {
  eventStore: EventStore;
  /** Address of each service; all are the same gateway. */
  endpoints: Readonly<Record<LocalService, string>>;
  /** Variables that point the AWS CLI, SDKs and `npx event-recovery` here. */
  environment: Readonly<Record<string, string>>;
  /** Last lines that a function printed. */
  logs(functionName: string): readonly LogLine[];
  /** Folder with the logs of this run. */
  runFolder: string;
  /** The machinery behind it, for tests of the machinery. */
  local: LocalCloud;
  stop(): Promise<void>;
}

const SERVICES = ['aws', 'dynamodb', 'sqs', 'sns', 's3', 'lambda', 'eventbridge', 'ssm', 'sfn', 'sts'] as const;
export type LocalService = (typeof SERVICES)[number];

const KEPT_RUNS = 10;

/**
 * Starts the local system. The first start synthesizes (a few seconds), the next ones take two to three.
 * @example
 * const system = await startLocalSystem();
 * await system.eventStore.append('order-1', [{ id: 'e1', type: 'OrderPlaced', data: {} }], 'no-stream');
 * await system.stop();
 * @throws EventRecoveryError `LOCAL_NO_APP`, `LOCAL_SYNTH_FAILED`, `LOCAL_NO_JAVA`, `LOCAL_UNSUPPORTED_RESOURCE`, `LOCAL_NOT_PERMITTED` ...
 */
export async function startLocalSystem(options: LocalSystemOptions = {}): Promise<LocalSystem> {
  const projectRoot = options.projectRoot ?? defaultRoot();
  const progress = options.onProgress ?? (() => undefined);
  const assembly = (async () => {
    if (options.assembly !== undefined) return readAssembly(options.assembly);
    const { directory, cached } = await synthesize({ projectRoot, app: options.app, context: options.context });
    progress(cached ? 'assembly is unchanged' : 'synthesized the CDK app');
    return readAssembly(directory);
  })();
  const local = await startLocalCloud(assembly, { ...options, runFolder: newRunFolder(projectRoot) });
  progress(`deployed ${local.cloud.functions.all().length} functions to ${local.endpoint}`);
  const { cloud, outputs, endpoint } = local;
  return {
    eventStore: createEventStore({
      client: cloud.dynamodb,
      eventsTable: outputs.EventsTableName ?? '',
      logTable: outputs.LogTableName ?? '',
    }),
    endpoints: Object.fromEntries(SERVICES.map((service) => [service, endpoint])) as Record<LocalService, string>,
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    },
    clientConfig: clientConfigOf(local),
    outputs,
    faults: local.faults,
    kill: (functionName) => cloud.functions.get(functionName).kill(),
    async invoke(functionName, payload) {
      const outcome = await cloud.functions.get(functionName).invoke(JSON.stringify(payload));
      if (outcome.kind === 'done') return JSON.parse(outcome.payload);
      throw invocationFailed(functionName, outcome);
    },
    unplannedEnds: (functionName) => cloud.functions.get(functionName).unplannedEnds,
    queues: () => queueDepths(local),
    inFlight() {
      const invocations = cloud.mappings.reduce((sum, mapping) => sum + mapping.inFlight, 0);
      return invocations + cloud.buses.inFlight + cloud.functions.eventsInFlight + cloud.machines.running;
    },
    recover: (input, options) => recover(local, input, options),
    logs: local.logs,
    runFolder: local.runFolder,
    local,
    stop: local.stop,
  };
}

function defaultRoot(): string {
  const here = process.cwd();
  return existsSync(join(here, 'cdk.json')) ? here : join(import.meta.dirname, '../..');
}

/** `.local/runs/<time>-<pid>`; the oldest runs go. */
function newRunFolder(projectRoot: string): string {
  const runs = join(localFolder(projectRoot), 'runs');
  mkdirSync(runs, { recursive: true });
  const old = readdirSync(runs).sort().slice(0, -KEPT_RUNS);
  for (const name of old) rmSync(join(runs, name), { recursive: true, force: true });
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  const folder = join(runs, `${time}-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function queueDepths(local: LocalCloud): Promise<QueueDepth[]> {
  const read = new Set(local.cloud.mappings.map(({ sourceArn }) => sourceArn));
  return Promise.all(
    [...local.cloud.queues.values()].map(async (queue) => {
      const { Attributes = {} } = await local.cloud.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['All'] }),
      );
      return {
        name: queue.name,
        url: queue.url,
        // Such as the dead-letter queue of the intake, which people read.
        isDeadLetterQueue: queue.isDeadLetterQueue || !read.has(queue.arn),
        waiting: Number(Attributes.ApproximateNumberOfMessages),
        inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
        delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed),
      };
    }),
  );
}

/** Everything is there at once on one machine; a recovery that takes longer stands still. */
const RECOVERY_LIMIT_MS = 15 * 60_000;
const RECOVERY_POLL_MS = 250;

async function recover(local: LocalCloud, input: unknown, options?: RunRecoveryOptions): Promise<RecoveryRun> {
  const { RecoveryStateMachineArn: stateMachineArn, ArchiveBucketName: bucket = '' } = local.outputs;
  if (stateMachineArn === undefined) {
    throw new EventRecoveryError(
      'RECOVERY_NOT_DEPLOYED',
      'the app deploys no recovery state machine (output RecoveryStateMachineArn is missing); remedy: add the Recovery stack to the app',
    );
  }
  const sfn = new SFNClient(clientConfigOf(local));
  const s3 = new S3Client({ ...clientConfigOf(local), forcePathStyle: true });
  return runRecovery({ sfn, s3, stateMachineArn, bucket, world: createWorld() }, input, {
    limitMs: RECOVERY_LIMIT_MS,
    pollMs: RECOVERY_POLL_MS,
    ...options,
  });
}

const clientConfigOf = ({ endpoint }: LocalCloud) => ({
  endpoint,
  region: REGION,
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});
