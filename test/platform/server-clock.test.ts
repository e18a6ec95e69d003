// The server clock: the estimate is never further off than it says, for any skew, round trip and drift.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createManualClock } from '../support/world.ts';

const cutToSecond = (ms: number) => Math.floor(ms / 1_000) * 1_000;

describe('server clock', () => {
  it('is the machine clock before the first observation', () => {
    const clock = createServerClock(createManualClock(123));
    expect(clock.now()).toBe(123);
    expect(clock.estimate()).toBeUndefined();
  });

  it('is off by at most half of a second and half of the round trip after one observation', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -3e9, max: 3e9 }),
        fc.nat(5_000),
        fc.nat(5_000),
        fc.nat(999),
        (skewMs, upMs, downMs, phaseMs) => {
          const machine = createManualClock(1_700_000_000_000 + phaseMs);
          const clock = createServerClock(machine);
          const sentAtMs = machine.now();
          machine.advance(upMs);
          const serverDateMs = cutToSecond(machine.now() + skewMs);
          machine.advance(downMs);
          clock.observe(serverDateMs, sentAtMs, machine.now());
          const { offsetMs, errorMs } = clock.estimate() as { offsetMs: number; errorMs: number };
          expect(errorMs).toBeLessThanOrEqual(Math.ceil((1_000 + upMs + downMs) / 2));
          expect(Math.abs(offsetMs - skewMs)).toBeLessThanOrEqual(errorMs + 1);
          // Round trips under a second: the clock is the estimate.
          if (upMs + downMs <= 1_000) expect(clock.now()).toBe(machine.now() + offsetMs);
        },
      ),
    );
  });

  it('is late rather than early after an answer that took long: never more than a second ahead of the server', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -300_000, max: 300_000 }),
        fc.nat(60_000),
        fc.nat(60_000),
        fc.nat(999),
        (skewMs, upMs, downMs, phaseMs) => {
          const machine = createManualClock(1_700_000_000_000 + phaseMs);
          const clock = createServerClock(machine);
          const sentAtMs = machine.now();
          machine.advance(upMs);
          const serverDateMs = cutToSecond(machine.now() + skewMs);
          machine.advance(downMs);
          clock.observe(serverDateMs, sentAtMs, machine.now());
          const aheadMs = clock.now() - (machine.now() + skewMs);
          expect(aheadMs).toBeLessThanOrEqual(1_000);
          expect(aheadMs).toBeGreaterThanOrEqual(-(1_000 + upMs + downMs));
        },
      ),
    );
  });

  it('gets better with every observation and stays right while clocks drift', () => {
    const request = fc.record({ pauseMs: fc.nat(60_000), upMs: fc.nat(300), downMs: fc.nat(300) });
    fc.assert(
      fc.property(
        fc.integer({ min: -300_000, max: 300_000 }),
        fc.double({ min: -0.0002, max: 0.0002, noNaN: true }),
        fc.array(request, { minLength: 2, maxLength: 30 }),
        (skewMs, driftPerMs, requests) => {
          const machine = createManualClock(1_700_000_000_000);
          const startMs = machine.now();
          const serverNow = () => machine.now() + skewMs + (machine.now() - startMs) * driftPerMs;
          const clock = createServerClock(machine);
          for (const { pauseMs, upMs, downMs } of requests) {
            machine.advance(pauseMs);
            const sentAtMs = machine.now();
            machine.advance(upMs);
            const serverDateMs = cutToSecond(serverNow());
            machine.advance(downMs);
            clock.observe(serverDateMs, sentAtMs, machine.now());
            const { errorMs } = clock.estimate() as { errorMs: number };
            expect(errorMs).toBeLessThanOrEqual(Math.ceil((1_000 + upMs + downMs) / 2));
            expect(Math.abs(clock.now() - serverNow())).toBeLessThanOrEqual(errorMs + 1);
          }
        },
      ),
    );
  });

  it('two machines that are ten minutes apart agree within the lease margin', () => {
    const machines = [-300_000, 300_000].map((skewMs) => {
      const machine = createManualClock(1_700_000_000_000 + skewMs);
      const clock = createServerClock(machine);
      clock.observe(1_700_000_000_000, machine.now(), machine.now() + 40);
      return clock;
    });
    const [one, two] = machines.map((clock) => clock.now()) as [number, number];
    expect(Math.abs(one - two)).toBeLessThan(2_000);
  });

  it('believes the newer observation when a clock was set', () => {
    const machine = createManualClock(1_700_000_000_000);
    const clock = createServerClock(machine);
    clock.observe(machine.now(), machine.now(), machine.now() + 10);
    machine.set(1_700_000_000_000 - 3_600_000);
    clock.observe(1_700_000_001_000, machine.now(), machine.now() + 10);
    expect(Math.abs(clock.now() - 1_700_000_001_000)).toBeLessThanOrEqual(510);
  });

  it.each([
    ['no date', Number.NaN, 0, 10],
    ['an answer before its request', 1_000, 10, 0],
  ])('ignores %s', (_, dateMs, sentAtMs, receivedAtMs) => {
    const clock = createServerClock(createManualClock(5));
    clock.observe(dateMs, sentAtMs, receivedAtMs);
    expect(clock.estimate()).toBeUndefined();
  });
});
