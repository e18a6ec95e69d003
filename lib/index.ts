// The package's main export: CDK constructs, stacks, and a deployment of all of them. The runtime (event store, defineConsumer) is `./runtime`.

export { EventBus, type EventBusProps, type IEventBus } from './infra/constructs/event-bus.ts';
export { EventConsumer } from './infra/constructs/event-consumer.ts';
export type { EventConsumerProps } from './infra/constructs/event-consumer-props.ts';
export { EventStore, type EventStoreProps } from './infra/constructs/event-store.ts';
export type { IEventStore } from './infra/constructs/event-store-base.ts';
export { DeadLetterIntake, type IDeadLetterIntake } from './infra/constructs/recovery/dead-letter-intake.ts';
export { type IVerification, VerifyConsistency } from './infra/constructs/recovery/verify-consistency.ts';
export { Relay, type RelayOptions } from './infra/constructs/relay.ts';
export { DEFAULT_PARAMETER_PREFIX } from './infra/constructs/shared-parameters.ts';
export { createApp, type EventRecoveryApp, type EventRecoveryAppProps } from './infra/create-app.ts';
export { DataStack, type DataStackProps } from './infra/stacks/data-stack.ts';
export { FlowStack, type FlowStackProps } from './infra/stacks/flow-stack.ts';
export { RecoveryStack, type RecoveryStackProps } from './infra/stacks/recovery-stack.ts';
export type { ConsumerDeclaration } from './model/consumer.ts';
