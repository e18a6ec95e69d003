// Every call that a simulated process makes through a port: it takes time both ways, and at each await anything may
// happen. The effect happens at one instant of true time, so that a crash, a pause or a lost answer falls before or after it.

import { createPrng } from '../kernel/prng.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Trace } from '../kernel/trace.ts';
import type { FaultKind } from './fault-kinds.ts';
import type { Faults } from './faults.ts';
import type { Sleepers } from './sleepers.ts';

/** The errors that this service's client would throw. A kind without an error never strikes this call. */
export interface CallErrors {
  throttle?: () => Error;
  'error-before'?: () => Error;
  'lost-response'?: () => Error;
  'delayed-request'?: () => Error;
  'transaction-conflict'?: () => Error;
}

export interface PortCall<T> {
  process: SimulatedProcess;
  /** For the trace, for example `log.put`. */
  site: string;
  apply: () => Promise<T>;
  errors: CallErrors;
}

/** Told whenever a fault other than mere delay hits a process: it explains why work is done again. */
export type Disturbed = (process: SimulatedProcess) => void;

export type CallPort = <T>(call: PortCall<T>) => Promise<T>;

/** Longer than any function timeout of the simulation: whoever waits for it is ended first. */
const HUNG_MS = 15 * 60_000;
/** Longer than a lease (10 s) and, often, than the visibility timeout (60 s). */
const PAUSE_MS = { min: 11_000, max: 150_000 };

const NEVER = new Promise<never>(() => undefined);

const REFUSALS = ['throttle', 'error-before', 'transaction-conflict'] as const satisfies readonly FaultKind[];

export function createCallPort(options: {
  scheduler: Scheduler;
  faults: Faults;
  trace: Trace;
  seed: number;
  disturbed: Disturbed;
  sleepers: Sleepers;
}): CallPort {
  const { scheduler, faults, trace, seed, disturbed, sleepers } = options;
  const latency = createPrng(seed, 'latency');
  /** Until when each service (a table, the bus, SQS) refuses everything. */
  const outages = new Map<string, number>();
  const isDown = (service: string): boolean => {
    if (faults.strikes('outage', service)) {
      outages.set(service, scheduler.now() + faults.details('outage').int(1_000, 30_000));
    }
    return (outages.get(service) ?? 0) > scheduler.now();
  };

  return <T>({ process, site, apply, errors }: PortCall<T>): Promise<T> => {
    if (process.state === 'dead') return NEVER;
    if (faults.strikes('crash-before', site)) {
      disturbed(process);
      process.kill();
      return NEVER;
    }
    if (faults.strikes('pause', site)) {
      disturbed(process);
      const details = faults.details('pause');
      sleepers.add(process, details.int(PAUSE_MS.min, PAUSE_MS.max), details);
      // Half of them fall asleep with the request unsent: it goes out when the process wakes up.
      if (faults.details('pause').chance(0.5)) {
        return new Promise<T>((resolve, reject) => {
          process.deliver(scheduler.now(), () => send().then(resolve, reject));
        });
      }
    }
    return send();

    function extraMs(): number {
      if (faults.strikes('hung-call', site)) {
        disturbed(process);
        return HUNG_MS;
      }
      if (!faults.strikes('slow-call', site)) return 0;
      disturbed(process);
      return faults.details('slow-call').int(500, 6_000);
    }

    function send(): Promise<T> {
      const requestMs = latency.int(1, 6);
      const answerMs = latency.int(0, 3) + extraMs();
      const refusal = isDown(serviceOf(site))
        ? (errors.throttle ?? errors['error-before'])
        : refuse(faults, errors, site);
      return new Promise<T>((resolve, reject) => {
        const { 'lost-response': lost, 'delayed-request': delayed } = errors;
        const answer = (settle: () => void): void => {
          if (answerMs === 0 && process.state === 'running') settle();
          else process.deliver(scheduler.now() + answerMs, settle);
        };
        const arrive = (): void => {
          if (refusal !== undefined) {
            disturbed(process);
            answer(() => reject(refusal()));
          } else if (delayed !== undefined && faults.strikes('delayed-request', site)) {
            disturbed(process);
            answer(() => reject(delayed()));
            scheduler.after(
              faults.details('delayed-request').int(1, 20_000),
              () => void apply().catch(() => undefined),
            );
          } else {
            apply().then(
              (value) => {
                trace.note(process.name, site);
                if (lost !== undefined && faults.strikes('lost-response', site)) {
                  disturbed(process);
                  answer(() => reject(lost()));
                } else if (faults.strikes('crash-after', site)) {
                  disturbed(process);
                  process.deliver(scheduler.now(), () => process.kill());
                } else answer(() => resolve(value));
              },
              (error: unknown) => {
                trace.note(process.name, `${site}: ${(error as Error).name}`);
                answer(() => reject(error));
              },
            );
          }
        };
        scheduler.after(requestMs, arrive);
        if (faults.strikes('crash-in-flight', site)) {
          disturbed(process);
          process.kill();
        }
      });
    }
  };
}

function refuse(faults: Faults, errors: CallErrors, site: string): (() => Error) | undefined {
  for (const kind of REFUSALS) {
    const error = errors[kind];
    if (error !== undefined && faults.strikes(kind, site)) return error;
  }
  return undefined;
}

/** `update Checkpoints` is about a table, `putEvents` about the bus. A transaction is as much down as its first table. */
function serviceOf(site: string): string {
  const from = site.indexOf(' ') + 1;
  const plus = site.indexOf('+', from);
  return plus < 0 ? site.slice(from) : site.slice(from, plus);
}
