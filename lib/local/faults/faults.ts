// The faults of the local system behind the interface that drills know: calls, deliveries, rules, mappings, queues.

import { PurgeQueueCommand } from '@aws-sdk/client-sqs';
import type { Faults } from '../../recovery/drill/faults.ts';
import type { DeliveryFaults } from '../bus/delivery-faults.ts';
import type { Cloud } from '../cloud.ts';
import { byName } from '../names.ts';
import type { CallFaults } from './call-faults.ts';

export function createFaults(cloud: Cloud, calls: CallFaults, deliveries: DeliveryFaults): Faults {
  const disabled = new Set<string>();
  const mappingsOf = (functionName: string) => {
    const { name } = cloud.functions.get(functionName).spec;
    return cloud.mappings.filter((mapping) => mapping.functionName === name);
  };
  return {
    killOn: (target) => calls.add(target, target.when, { kind: 'kill', alone: target.alone }),
    failOn: (target) =>
      calls.add(target, target.when ?? 'before', {
        kind: 'fail',
        code: target.code,
        message: target.message ?? `injected ${target.code}`,
        status: target.status ?? 400,
      }),
    dropOn: (target) => calls.add(target, target.when, { kind: 'drop' }),
    delayOn: (target) => calls.add(target, target.when ?? 'before', { kind: 'delay', delayMs: target.delayMs }),
    observe: (target, listener) => calls.add(target, 'after', { kind: 'observe', listener }),
    loseRecords: (fault) => cloud.lostRecords.add(fault, cloud.functions.get(fault.functionName).spec.name),
    bus: (fault) => deliveries.add(fault, fault.rule === undefined ? undefined : cloud.buses.rule(fault.rule).name),
    disableRule(rule) {
      cloud.buses.setEnabled(rule, false);
      disabled.add(rule);
    },
    enableRule(rule) {
      cloud.buses.setEnabled(rule, true);
      disabled.delete(rule);
    },
    triggerRule: (rule) => cloud.buses.trigger(rule),
    async pauseMappings(functionName) {
      await Promise.all(mappingsOf(functionName).map((mapping) => mapping.pause()));
    },
    resumeMappings(functionName) {
      for (const mapping of mappingsOf(functionName)) mapping.resume();
    },
    async purgeQueue(queue) {
      const { url } = byName(cloud.queues.values(), queue.split('/').pop() ?? queue, 'queue');
      await cloud.sqs.send(new PurgeQueueCommand({ QueueUrl: url }));
    },
    clear() {
      calls.clear();
      deliveries.clear();
      cloud.lostRecords.clear();
      for (const rule of disabled) cloud.buses.setEnabled(rule, true);
      disabled.clear();
      for (const mapping of cloud.mappings) mapping.resume();
    },
  };
}
