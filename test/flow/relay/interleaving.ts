// Runs several relays at once with an interleaving chosen by a seed, and kills them at chosen requests. A killed relay's
// request is carried out or not, and never answered; a new relay without any memory takes its place. Everything that
// the relay awaits goes through `Turns`, so that a run is decided by its seed alone.

export type Death = 'before' | 'after' | 'lost-response' | 'refused';

/** At its n-th request (from 1) a relay dies, or that request fails. */
export interface Fault {
  relay: number;
  request: number;
  death: Death;
}

export class Turns {
  readonly #waiting: (() => void)[] = [];
  readonly #random: { next(): number };
  readonly #flush: () => Promise<void>;

  constructor(random: { next(): number }) {
    this.#random = random;
    this.#flush = () => new Promise((resolve) => setImmediate(resolve));
  }

  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Lets one waiting request go at a time, any of them, until `work` is done. */
  async run<Result>(work: Promise<Result>): Promise<Result> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    for (let steps = 0; steps < 100_000; steps += 1) {
      await this.#flush();
      if (done) return finished;
      const next = Math.floor(this.#random.next() * this.#waiting.length);
      this.#waiting.splice(next, 1)[0]?.();
    }
    throw new Error('the relays do not come to an end');
  }
}

/** One relay process after the other in one place: counts requests, dies where the faults say so. */
export class Process {
  requests = 0;
  deaths = 0;
  readonly #faults: Map<number, Death>;
  readonly #turns: Turns;
  #die: () => void = () => undefined;

  constructor(index: number, faults: readonly Fault[], turns: Turns) {
    this.#faults = new Map(faults.filter(({ relay }) => relay === index).map(({ request, death }) => [request, death]));
    this.#turns = turns;
  }

  /** Wraps one request. */
  async request<Result>(carryOut: () => Promise<Result>): Promise<Result> {
    await this.#turns.wait();
    this.requests += 1;
    const death = this.#faults.get(this.requests);
    if (death === 'refused') throw Object.assign(new Error('too fast'), { name: 'ThrottlingException' });
    if (death === 'before') return this.#dead();
    const result = await carryOut();
    if (death === 'after') return this.#dead();
    if (death === 'lost-response') throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
    return result;
  }

  /** Runs one invocation; undefined when the process died in it. */
  async invoke<Result>(run: () => Promise<Result>): Promise<Result | undefined> {
    const died = new Promise<undefined>((resolve) => {
      this.#die = () => resolve(undefined);
    });
    return Promise.race([run(), died]);
  }

  #dead(): Promise<never> {
    this.deaths += 1;
    this.#die();
    return new Promise(() => undefined);
  }
}

/** Every method of the object waits for its turn and may be the end of its process. */
export function through<Target extends object>(process: () => Process, target: Target): Target {
  return new Proxy(target, {
    get(object, name) {
      const method = Reflect.get(object, name) as unknown;
      if (typeof method !== 'function') return method;
      return (...input: unknown[]) => process().request(async () => method.apply(object, input));
    },
  });
}
