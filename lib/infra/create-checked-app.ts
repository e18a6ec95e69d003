// The deployment that this project itself synthesizes: a finding of cdk-nag without an acknowledgement stops it. Apps of
// users decide for themselves whether their stacks are checked.

import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { createApp, type EventRecoveryApp, type EventRecoveryAppProps } from './create-app.ts';

export function createCheckedApp(props?: EventRecoveryAppProps): EventRecoveryApp {
  const made = createApp(props);
  Validations.of(made.app).addPlugins(new AwsSolutionsChecks(made.app));
  return made;
}
