// The consumers' own code in the simulation: a transactional one that returns writes, an idempotent one that calls the
// outside world, both with the faults that users' code has. Which event misbehaves is a property of the seed, so that it
// misbehaves again at every try, as real bugs do; once faults are off the bug counts as fixed.

import type { React, ReactContext } from '../../../lib/flow/consumer/port.ts';
import type { Event } from '../../../lib/model/event.ts';
import type { Write } from '../../../lib/platform/dynamodb/port.ts';
import { effectItemKey } from '../invariants/effect-checks.ts';
import { type Effect, REDELIVER_SCOPE } from '../invariants/ledger.ts';
import { createPrng } from '../kernel/prng.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import type { Faults } from '../world/faults.ts';
import type { CallPort } from '../world/port-calls.ts';
import { connectionError, networkError, throttlingException } from '../world/service-errors.ts';
import type { PlannedConsumer } from './plan.ts';

export interface Begun {
  at: number;
  markerWasCompleted: boolean;
  /** Of the checkpoint, as the react begins. */
  generation: number;
}

export interface ReactOptions {
  seed: number;
  consumer: PlannedConsumer;
  process: SimulatedProcess;
  faults: Faults;
  call: CallPort;
  effectsTable: string;
  /** Tries of this event by this consumer so far, this one included: survives processes. */
  countTry: (event: Event) => number;
  /** Every react, before anything else happens. */
  onBegin: (event: Event, context: ReactContext) => Begun;
  /** An idempotent effect took place in the outside world. */
  onEffect: (
    effect: Pick<Effect, 'consumer' | 'scope' | 'streamId' | 'version' | 'process' | 'afterAbort'>,
    begun: Begun,
  ) => Effect;
  /** This try does not end well. `times` above 1: no further try can help. */
  onFailure: (event: Event, times: number) => void;
}

const MISBEHAVIOUR = ['react-poison', 'react-kills', 'react-hangs', 'react-fails'] as const;

class NotNowError extends Error {}

/** Single effect is promised per generation or replay id. */
export const scopeOf = ({ replay }: ReactContext, generation: number): string =>
  replay?.mode === 'redeliver' ? `${REDELIVER_SCOPE}${replay.id}` : `g${generation}`;

export function createReact(options: ReactOptions): React {
  const { seed, consumer, process, faults, call } = options;
  const { timers, random } = process.world;

  const misbehaves = MISBEHAVIOUR.some((kind) => faults.isPlanned(kind));

  const misbehave = async (event: Event, context: ReactContext, tries: number): Promise<Write[] | undefined> => {
    if (!misbehaves) return undefined;
    const thing = `${consumer.name}/${event.streamId}/${event.id}`;
    const prng = createPrng(seed, `misbehave/${thing}`);
    const badTries = prng.int(1, 3);
    if (faults.marks('react-poison', thing)) {
      faults.record('react-poison', thing);
      // Writes that can never be committed: the engine may give up at once.
      if (consumer.effects === 'transactional') options.onFailure(event, consumer.maxAttempts);
      return poison(prng.int(0, 4), event, consumer);
    }
    if (faults.marks('react-kills', thing) && (prng.chance(0.4) || tries <= badTries)) {
      faults.record('react-kills', thing);
      options.onFailure(event, 1);
      await timers.sleep(prng.int(0, 40));
      process.kill();
      await new Promise(() => undefined);
    }
    if (faults.marks('react-hangs', thing) && tries <= badTries) {
      faults.record('react-hangs', thing);
      const obeys = prng.chance(0.5);
      if (!obeys) options.onFailure(event, 1);
      await (obeys ? timers.sleep(60_000, context.signal) : new Promise(() => undefined));
    }
    if (faults.marks('react-fails', thing) && tries <= badTries) {
      faults.record('react-fails', thing);
      await timers.sleep(prng.int(0, 20));
      throw new NotNowError(`cannot handle ${event.id}`);
    }
    return undefined;
  };

  const react = async (event: Event, context: ReactContext): Promise<readonly Write[] | undefined> => {
    const begun = options.onBegin(event, context);
    const bad = await misbehave(event, context, options.countTry(event));
    if (bad !== undefined) return bad;
    const takesMs = random.next() < 0.1 ? 400 * random.next() : 15 * random.next();
    if (takesMs > 3) await timers.sleep(takesMs);
    if (consumer.effects === 'transactional') return effectWrites(event, scopeOf(context, begun.generation), options);
    const effect = await call({
      process,
      site: `effect ${consumer.name}`,
      errors: { throttle: throttlingException, 'error-before': connectionError, 'lost-response': networkError },
      apply: async () => {
        const { streamId, metadata } = event;
        const scope = scopeOf(context, begun.generation);
        return options.onEffect(
          {
            consumer: consumer.name,
            scope,
            streamId,
            version: metadata.version,
            process,
            afterAbort: context.signal.aborted,
          },
          begun,
        );
      },
    });
    // After the abort nobody waits for it any more.
    effect.reactEndedWell = !context.signal.aborted;
    return undefined;
  };

  return async (event, context) => {
    try {
      return await react(event, context);
    } catch (error) {
      options.onFailure(event, 1);
      throw error;
    }
  };
}

function effectWrites(event: Event, scope: string, { consumer, effectsTable }: ReactOptions): Write[] {
  const { streamId, metadata } = event;
  const key = effectItemKey(consumer.name, scope, streamId, metadata.version);
  const add = (Key: Record<string, unknown>): Write => ({
    Update: {
      TableName: effectsTable,
      Key,
      UpdateExpression: 'ADD #applied :one',
      ExpressionAttributeNames: { '#applied': 'applied' },
      ExpressionAttributeValues: { ':one': 1 },
    },
  });
  // A balance per stream: two events of one stream cannot be in one transaction.
  const shared = { pk: `${consumer.name}|balance|${streamId}`, sk: 'balance' };
  return consumer.sharedItem ? [add(key), add(shared)] : [add(key)];
}

/** Ways of always failing. */
function poison(way: number, event: Event, consumer: PlannedConsumer): Write[] {
  const put = (TableName: string, pk: string): Write => ({ Put: { TableName, Item: { pk, sk: 'poison' } } });
  if (consumer.effects === 'transactional') {
    // A condition of the consumer's own that never holds.
    if (way === 0) {
      const never = 'attribute_exists(pk)';
      return [{ Put: { TableName: 'Effects', Item: { pk: 'never', sk: 'never' }, ConditionExpression: never } }];
    }
    if (way === 1) return Array.from({ length: 101 }, (_, index) => put('Effects', `too-many-${index}`));
    if (way === 2) return [put('Checkpoints', `${consumer.name}#${event.streamId}`)];
  }
  if (way === 3) throw 'not even an error';
  throw new RangeError(`poison ${event.id}`);
}
