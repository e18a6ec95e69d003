// Starts a local cloud from an assembly: engines, gateway, deployment, pollers; and takes all of it down again. Knows
// nothing of this project's own tables and functions: any template of the supported types runs.

import type { Faults } from '../recovery/drill/faults.ts';
import type { Assembly } from './assembly/read-assembly.ts';
import type { Cloud } from './cloud.ts';
import { createCloud } from './create-cloud.ts';
import { deploy } from './deploy/deploy.ts';
import type { DynamoDbEngine } from './engines/dynamodb.ts';
import { startEngines } from './engines/engines.ts';
import { createCallFaults } from './faults/call-faults.ts';
import { createFaults } from './faults/faults.ts';
import type { LogLine } from './functions/logs.ts';
import { openGateway } from './open-gateway.ts';
import type { LocalCloudOptions } from './options.ts';

export interface LocalCloud {
  cloud: Cloud;
  faults: Faults;
  /** To pause and restart it: nothing that runs in the cloud may depend on that. */
  database: Pick<DynamoDbEngine, 'dataFolder' | 'pause' | 'resume' | 'restart'>;
  outputs: Record<string, string>;
  endpoint: string;
  runFolder: string;
  logs(functionName: string): readonly LogLine[];
  stop(): Promise<void>;
}

type Stop = () => void | Promise<void>;

export async function startLocalCloud(assembly: Promise<Assembly>, options: LocalCloudOptions): Promise<LocalCloud> {
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    return { ...(await start(assembly, options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  assembly: Promise<Assembly>,
  options: LocalCloudOptions,
  stops: Stop[],
): Promise<Omit<LocalCloud, 'stop'>> {
  const [engines, read] = await Promise.allSettled([startEngines(options), assembly]);
  if (engines.status === 'fulfilled') stops.push(engines.value.stop);
  if (read.status === 'rejected') throw read.reason;
  if (engines.status === 'rejected') throw engines.reason;

  let endpoint = '';
  const parts = createCloud(engines.value, read.value.assets, () => endpoint, options);
  const { cloud } = parts;
  const calls = createCallFaults((name) => cloud.functions.get(name).spec.name, Date.now);
  const gateway = await openGateway(cloud, engines.value, calls, options);
  endpoint = gateway.url;
  stops.push(gateway.stop, parts.stop);

  const { outputs } = await deploy(read.value.stacks, cloud);
  for (const starter of parts.starters) await starter();
  if (options.schedules !== false) cloud.buses.startSchedules();
  return {
    cloud,
    faults: createFaults(cloud, calls, parts.deliveries),
    database: engines.value.dynamodb,
    outputs,
    endpoint,
    runFolder: options.runFolder,
    logs: (functionName) => parts.logs.lines(cloud.functions.get(functionName).spec.name),
  };
}
