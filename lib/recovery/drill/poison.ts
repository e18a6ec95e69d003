// Events that fail: the drill refuses the very call that carries out their effect, as a policy or a broken dependency would.
// The deployed app knows nothing of it. What fails for this reason carries a message of this scenario and run, so that its
// group of dead letters is its own; whatever else failed has another.

import type { DeadLetter } from '../../model/dead-letter.ts';
import type { DrillContext } from './context.ts';
import type { FaultHandle } from './faults.ts';
import type { WatchedConsumer } from './workload.ts';

export interface Poison {
  handle: FaultHandle;
  /** True when this is why the event failed. */
  isCauseOf(letter: DeadLetter): boolean;
  /** The consumer is repaired: its effects succeed again. */
  cure(): void;
}

/** Digits would be taken for what differs from event to event (see the fingerprint of a failure). */
const letters = (text: string): string => text.replaceAll(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)] as string);

/** Refuses every effect of `consumer` on an event that `isPoison`, until it is cured. */
export function poison(
  { system, prefix }: Pick<DrillContext, 'system' | 'prefix'>,
  consumer: WatchedConsumer,
  isPoison: (eventId: string) => boolean,
): Poison {
  const message = `refused by the drill ${letters(prefix)}`;
  const handle = system.faults.failOn({
    functionName: consumer.name,
    ...consumer.effectCall,
    ...consumer.refusal,
    message,
    match: (bodyText) => {
      const effect = consumer.effectOf({ bodyText });
      return effect?.streamId.startsWith(prefix) === true && isPoison(effect.eventId);
    },
    times: Number.POSITIVE_INFINITY,
  });
  return {
    handle,
    isCauseOf: ({ consumer: name, error }) => name === consumer.name && error.message.includes(message),
    cure: () => handle.remove(),
  };
}
