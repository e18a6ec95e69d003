// How many streams a scenario may spread its events over, so that each is long enough for what it wants to do.

/** At least one; as many as have `eventsEach` events, at most `atMost`. Pure. */
export const streamsFor = (events: number, { atMost, eventsEach }: { atMost: number; eventsEach: number }): number =>
  Math.min(atMost, Math.max(1, Math.floor(events / eventsEach)));
