// The CDK app: Data and Flow, and order fulfilment as an example of what consumes. `npx cdk synth` works without AWS
// credentials; `-c deployment=staging` names another deployment, `-c example=false` leaves the example out.

import { OrderFulfilmentStack } from '../examples/order-fulfilment/stack.ts';
import { createCheckedApp } from '../lib/infra/create-checked-app.ts';

const { app, flow, recovery, parameterPrefix, stackName } = createCheckedApp();

if (app.node.tryGetContext('example') !== 'false') {
  const example = new OrderFulfilmentStack(app, stackName('Example'), { parameterPrefix });
  example.addStackDependency(flow, 'reads its SSM parameters, and its consumers are registered by it');
  example.addStackDependency(recovery, 'reads its SSM parameters: dead letters are taken in there');
}

app.synth();
