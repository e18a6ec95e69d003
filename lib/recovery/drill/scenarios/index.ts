// All scenarios of `npm run drill`. A new one is a module beside these and a line here.

import type { Scenario } from '../scenario.ts';
import { brokerDown } from './broker-down.ts';
import { consumerCrash } from './consumer-crash.ts';
import { consumerDown } from './consumer-down.ts';
import { corruptedEvent } from './corrupted-event.ts';
import { duplicateDelivery, reorderedDelivery } from './deliveries.ts';
import { functionDies } from './function-dies.ts';
import { hotStream } from './hot-stream.ts';
import { lostDeliveries } from './lost-deliveries.ts';
import { networkPartition } from './network-partition.ts';
import { newConsumer } from './new-consumer.ts';
import { poisonMessage } from './poison-message.ts';
import { poisonStorm } from './poison-storm.ts';
import { projectionRebuild } from './projection-rebuild.ts';
import { relayCrash } from './relay-crash.ts';
import { replayUnderLoad } from './replay-under-load.ts';
import { throttlingStorm } from './throttling-storm.ts';
import { truncatedStream } from './truncated-stream.ts';
import { twoAtOnce } from './two-at-once.ts';
import { unsequencedCommit } from './unsequenced-commit.ts';

export const SCENARIOS: readonly Scenario[] = [
  consumerCrash,
  duplicateDelivery,
  reorderedDelivery,
  relayCrash,
  hotStream,
  lostDeliveries,
  poisonMessage,
  poisonStorm,
  functionDies,
  corruptedEvent,
  truncatedStream,
  unsequencedCommit,
  brokerDown,
  networkPartition,
  projectionRebuild,
  replayUnderLoad,
  newConsumer,
  consumerDown,
  throttlingStorm,
  twoAtOnce,
];

/** What runs without options: one of each kind, in under two minutes on a quiet machine with two cores. */
export const REPRESENTATIVE: readonly Scenario[] = [consumerCrash, lostDeliveries, poisonMessage];
