// A deployment as one call: its Data, Flow and Recovery stacks, in their order, with the CDK's feature flags that they were
// tested with, whoever synthesizes: `node app.ts`, `cdk synth` and the tests see the same templates.

import { App, type AppProps } from 'aws-cdk-lib';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { DataStack, type DataStackProps } from './stacks/data-stack.ts';
import { FlowStack, type FlowStackProps } from './stacks/flow-stack.ts';
import { RecoveryStack, type RecoveryStackProps } from './stacks/recovery-stack.ts';

export interface EventRecoveryAppProps extends AppProps {
  /**
   * Names stacks (`<Deployment>Data`, ...) and the SSM prefix (`/<deployment>`): lower-case letters, digits and dashes.
   * Several deployments fit into one account and region. @default the context value "deployment", or 'event-recovery'
   */
  readonly deployment?: string;
  readonly data?: DataStackProps;
  readonly flow?: FlowStackProps;
  readonly recovery?: RecoveryStackProps;
}

export interface EventRecoveryApp {
  readonly app: App;
  readonly deployment: string;
  readonly parameterPrefix: string;
  readonly data: DataStack;
  readonly flow: FlowStack;
  readonly recovery: RecoveryStack;
  /** Name of a further stack of the deployment. */
  stackName(part: string): string;
}

const DEFAULT_DEPLOYMENT = 'event-recovery';
const DEPLOYMENT_NAME = /^[a-z][a-z0-9-]{0,39}$/;

/**
 * The app to which a project adds the stack of its own consumers.
 * @example
 * const { app, recovery, parameterPrefix } = createApp();
 * new ShopStack(app, 'Shop', { parameterPrefix }).addStackDependency(recovery);
 * app.synth();
 * @throws Error when the deployment's name cannot name stacks
 */
export function createApp(props: EventRecoveryAppProps = {}): EventRecoveryApp {
  const app = new App({ ...props, context: { ...cdkJson.context, ...props.context } });
  const deployment: string = props.deployment ?? app.node.tryGetContext('deployment') ?? DEFAULT_DEPLOYMENT;
  if (!DEPLOYMENT_NAME.test(deployment)) {
    throw new Error(
      `deployment: got ${JSON.stringify(deployment)}; allowed: a lower-case letter, then up to 39 lower-case letters, digits or dashes`,
    );
  }
  const parameterPrefix = `/${deployment}`;
  const stackName = (part: string) => `${pascalCase(deployment)}${part}`;
  const data = new DataStack(app, stackName('Data'), { ...props.data, parameterPrefix });
  const flow = new FlowStack(app, stackName('Flow'), { ...props.flow, parameterPrefix });
  // The SSM parameters must exist before a stack that reads them.
  flow.addStackDependency(data, 'reads its SSM parameters');
  const recovery = new RecoveryStack(app, stackName('Recovery'), { ...props.recovery, parameterPrefix });
  recovery.addStackDependency(flow, 'reads its SSM parameters');
  return { app, deployment, parameterPrefix, data, flow, recovery, stackName };
}

const pascalCase = (name: string): string =>
  name.replace(/(^|-+)([a-z0-9])/g, (_match, _dash, letter: string) => letter.toUpperCase());
