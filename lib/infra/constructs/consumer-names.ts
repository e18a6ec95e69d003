// Names of consumers are unique in a deployment: checkpoints and registry entries are keyed by them. Inside one app that is
// checked at synth, by the event store that consumers share; between apps the registry refuses at deployment.

import { Stage } from 'aws-cdk-lib';
import type { Construct, IConstruct } from 'constructs';
import { InvalidInputError } from '../../model/errors.ts';
import type { IEventStore } from './event-store-base.ts';

/** Per app or stage, because each stage is a deployment of its own. */
const claimed = new WeakMap<IConstruct, Map<string, string>>();

/** @throws InvalidInputError `CONSUMER_NAME_TAKEN` */
export function claimConsumerName(consumer: Construct, name: string, eventStore: IEventStore): void {
  const deployment: IConstruct = Stage.of(consumer) ?? consumer.node.root;
  const names = claimed.get(deployment) ?? new Map<string, string>();
  claimed.set(deployment, names);
  const key = `${eventStore.deployment} ${name}`;
  const other = names.get(key);
  if (other !== undefined) {
    throw new InvalidInputError('CONSUMER_NAME_TAKEN', {
      what: `name of the consumer at ${consumer.node.path}`,
      got: name,
      allowed: `a name that no other consumer of the deployment has; ${other} has this one`,
      remedy: 'rename one of the two before it is deployed: checkpoints are keyed by the name',
    });
  }
  names.set(key, consumer.node.path);
}
