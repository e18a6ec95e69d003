// The producers of a run: each in its own process with an event store of its own, replaced when it dies.

import { createEventStore } from '../../../lib/flow/event-store/event-store.ts';
import type { EventStore } from '../../../lib/flow/event-store/port.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import { START_OF_TIME } from '../kernel/scheduler.ts';
import type { PlannedAppend } from '../scenario/plan.ts';
import { produce } from '../scenario/producer.ts';
import type { Cloud } from './cloud.ts';

export interface Producers {
  /** Plans every append of the plan. */
  start(): void;
  /** Appends now; for the end of a run, when faults are off. */
  append(append: PlannedAppend): void;
}

export function createProducers(cloud: Cloud): Producers {
  const { scheduler, plan, faults, trace, checks, disturbances } = cloud;
  const running = new Map<number, { process: SimulatedProcess; eventStore: EventStore }>();
  let started = 0;

  const producerOf = (number: number): { process: SimulatedProcess; eventStore: EventStore } => {
    const known = running.get(number);
    if (known !== undefined && known.process.state !== 'dead') return known;
    const process = cloud.startProcess(`producer-${number}/${++started}`);
    process.onKill(() => disturbances.noteEnd(process));
    const { dynamo } = cloud.reach(process);
    const eventStore = createEventStore({ dynamo, eventsTable: 'Events', logTable: 'Log', world: process.world });
    const made = { process, eventStore };
    running.set(number, made);
    return made;
  };

  const append = (planned: PlannedAppend): void => {
    const { process, eventStore } = producerOf(planned.producer);
    process.deliver(scheduler.now(), () => {
      produce(planned, { process, eventStore, ledger: checks.ledger, faults, trace }).catch((error: unknown) => {
        cloud.violations.report('defect', `producer: ${(error as Error).stack}`);
      });
    });
  };

  return {
    append,
    start: () => {
      for (const planned of plan.appends) scheduler.at(START_OF_TIME + planned.atMs, () => append(planned));
    },
  };
}
