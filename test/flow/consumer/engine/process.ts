// One function process with faults at its ports. Every request is counted over the whole test; a plan says what happens at
// which count. A dead process never gets another answer, so that its code simply stops at that await.

import type { Timers } from '../../../../lib/platform/clock.ts';
import type { Dynamo } from '../../../../lib/platform/dynamodb/port.ts';
import { timeoutError } from '../../../support/lost-response.ts';

export type FaultKind =
  /** The process dies before, or after, the request took effect. */
  | 'crash-before'
  | 'crash-after'
  /** The request is refused with a timeout before, or after, it took effect. */
  | 'throw-before'
  | 'throw-after'
  /** The process stands still for longer than its lease and its invocation, then goes on as a zombie. */
  | 'pause-before'
  | 'pause-after';

export const FAULT_KINDS: readonly FaultKind[] = [
  'crash-before',
  'crash-after',
  'throw-before',
  'throw-after',
  'pause-before',
  'pause-after',
];

export interface FaultPlan {
  /** What happens at the n-th request (from 1) of all processes together. */
  at(request: number, what: string): FaultKind | undefined;
}

export interface RequestLog {
  requests: number;
  faults: { request: number; what: string; kind: FaultKind }[];
}

export const PAUSE_MS = 45_000;

export class Process {
  readonly #timers: Timers;
  readonly #log: RequestLog;
  readonly #plan: FaultPlan;
  readonly #jitterMs: () => number;
  #isDead = false;
  #whenDead: () => void = () => undefined;
  readonly dead: Promise<void>;

  constructor(timers: Timers, log: RequestLog, plan: FaultPlan, jitterMs: () => number) {
    this.#timers = timers;
    this.#log = log;
    this.#plan = plan;
    this.#jitterMs = jitterMs;
    this.dead = new Promise((resolve) => {
      this.#whenDead = resolve;
    });
  }

  kill(): void {
    this.#isDead = true;
    this.#whenDead();
  }

  /** A request of this process to the world outside. */
  async request<Result>(what: string, effect: () => Promise<Result>): Promise<Result> {
    await this.#stopWhenDead();
    this.#log.requests += 1;
    const kind = this.#plan.at(this.#log.requests, what);
    if (kind !== undefined) this.#log.faults.push({ request: this.#log.requests, what, kind });
    await this.#wait(this.#jitterMs());
    if (kind === 'crash-before') return this.#die();
    if (kind === 'throw-before') throw timeoutError();
    if (kind === 'pause-before') await this.#wait(PAUSE_MS);
    const result = await effect();
    if (kind === 'crash-after') return this.#die();
    if (kind === 'throw-after') throw timeoutError();
    if (kind === 'pause-after') await this.#wait(PAUSE_MS);
    await this.#wait(this.#jitterMs());
    return result;
  }

  async #wait(ms: number): Promise<void> {
    if (ms > 0) await this.#timers.sleep(ms);
    await this.#stopWhenDead();
  }

  #die(): Promise<never> {
    this.kill();
    return new Promise(() => undefined);
  }

  #stopWhenDead(): Promise<void> {
    return this.#isDead ? new Promise(() => undefined) : Promise.resolve();
  }

  dynamo(dynamo: Dynamo): Dynamo {
    const door =
      <Input, Output>(name: string, call: (input: Input) => Promise<Output>) =>
      (input: Input) =>
        this.request(name, () => call(input));
    return {
      get: door('get', dynamo.get),
      put: door('put', dynamo.put),
      update: door('update', dynamo.update),
      delete: door('delete', dynamo.delete),
      query: door('query', dynamo.query),
      scan: door('scan', dynamo.scan),
      batchGet: door('batchGet', dynamo.batchGet),
      batchWrite: door('batchWrite', dynamo.batchWrite),
      transactWrite: door('transactWrite', dynamo.transactWrite),
    };
  }
}
