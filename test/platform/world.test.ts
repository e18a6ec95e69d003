// The real world at the edges.

import { describe, expect, it } from '@jest/globals';
import { createWorld } from '../../lib/platform/world.ts';

describe('world', () => {
  const { clock, timers, random, ids } = createWorld();

  it('has the machine clock', () => {
    const before = Date.now();
    expect(clock.now()).toBeGreaterThanOrEqual(before);
    expect(clock.now()).toBeLessThanOrEqual(Date.now());
  });

  it('sleeps, and wakes up with the reason of the signal', async () => {
    await timers.sleep(1);
    const reason = new Error('enough');
    const controller = new AbortController();
    const sleeping = timers.sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(timers.sleep(60_000, controller.signal)).rejects.toBe(reason);
  });

  it('has random numbers from 0 to below 1 and ids that differ', () => {
    for (let i = 0; i < 100; i += 1) {
      const number = random.next();
      expect(number >= 0 && number < 1).toBe(true);
    }
    expect(new Set(Array.from({ length: 100 }, () => ids.next())).size).toBe(100);
  });
});
