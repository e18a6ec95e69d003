// The DynamoDB server's clock as seen from this machine. Every response carries the server's time in its `Date` header; from
// it and the machine's times before and after the request follows an interval that holds the difference of the two clocks.
// Leases compare times of this one clock, so a machine that is five minutes off still agrees with everybody else.
//
// Error: the header is cut to whole seconds, so one observation leaves an interval of 1,000 ms + round trip; its middle is
// wrong by at most half of that, 500 ms + half of the round trip. Further observations narrow the interval. When the
// machine's clock jumped in between, the error is at most the whole interval until the next observation. Two workers then
// disagree by less than LEASE_MARGIN_MS (2,000 ms) as long as round trips stay under a second. After a longer one (a process
// that slept while its answer came) the middle could be seconds ahead: then the clock is late rather than early, so that
// nobody takes a lease before its end. Correctness does not rest on it, the fencing token decides. Before the first
// observation it is the machine's clock.

import type { Clock } from './clock.ts';

/** HTTP dates have a resolution of one second (RFC 9110, 5.6.7), cut, not rounded. */
const HEADER_RESOLUTION_MS = 1_000;
/** A machine's clock gains or loses less than 500 ms in 1,000 s while nobody corrects it; quartz is ten times better. */
const DRIFT_PER_MS = 0.0005;
/** This clock is never further ahead of the server's, whatever was observed; half of LEASE_MARGIN_MS. */
const AHEAD_MAX_MS = 1_000;

export interface ServerClock extends Clock {
  /** The clock that is corrected. */
  readonly machine: Clock;
  /**
   * One response. All three in milliseconds since 1970; the first by the server, the others by this machine. What cannot be
   * (received before sent, no date) is ignored.
   */
  observe(serverDateMs: number, sentAtMs: number, receivedAtMs: number): void;
  /** Server time minus machine time, and how far it can be off. Undefined before the first observation. */
  estimate(): { offsetMs: number; errorMs: number } | undefined;
}

/** The difference of the clocks lies from `low` to `high`, as of `atMs` by the machine. */
interface Interval {
  low: number;
  high: number;
  atMs: number;
}

export function createServerClock(base: Clock): ServerClock {
  let known: Interval | undefined;
  const estimate = () =>
    known && { offsetMs: Math.round((known.low + known.high) / 2), errorMs: Math.ceil((known.high - known.low) / 2) };
  /** The middle, unless that could be too far ahead. */
  const offsetMs = () =>
    known && Math.min(Math.round((known.low + known.high) / 2), Math.floor(known.low) + AHEAD_MAX_MS);
  return {
    machine: base,
    now: () => base.now() + (offsetMs() ?? 0),
    observe(serverDateMs, sentAtMs, receivedAtMs) {
      if (!Number.isFinite(serverDateMs) || !(receivedAtMs >= sentAtMs)) return;
      const seen: Interval = {
        // The server wrote `serverDateMs` at the earliest as the request was sent and at the latest as the answer came.
        low: serverDateMs - receivedAtMs,
        high: serverDateMs + HEADER_RESOLUTION_MS - sentAtMs,
        atMs: receivedAtMs,
      };
      known = known ? narrowed(known, seen) : seen;
    },
    estimate,
  };
}

/** What both allow. Nothing in common means that a clock was set: then only the newer one counts. */
function narrowed(known: Interval, seen: Interval): Interval {
  const driftMs = Math.abs(seen.atMs - known.atMs) * DRIFT_PER_MS;
  const low = Math.max(known.low - driftMs, seen.low);
  const high = Math.min(known.high + driftMs, seen.high);
  return low <= high ? { low, high, atMs: seen.atMs } : seen;
}
