// Which violations travel, and what is said of the others.

import { describe, expect, it } from '@jest/globals';
import { damagedStreams } from '../../../lib/recovery/recover/damaged-streams.ts';
import { listedViolations } from '../../../lib/recovery/recover/listed-violations.ts';
import type { Violation, ViolationKind } from '../../../lib/recovery/verify/types.ts';

const of = (kind: ViolationKind, streamId: string, detail = 'd'): Violation => ({ kind, streamId, version: 1, detail });

describe('the violations that travel', () => {
  it('name every damaged stream before one of them a second time, and before what is no damage', () => {
    const noise = Array.from({ length: 60 }, (_, index) => of('checkpoint-digest', `order-${index}`));
    const damage = Array.from({ length: 40 }, (_, index) => [
      of('store-hash', `order-${index}`),
      of('store-chain', `order-${index}`),
    ]).flat();
    const listed = listedViolations([...noise, ...damage], 50);
    expect(listed).toHaveLength(50);
    expect(damagedStreams(listed)).toHaveLength(40);
  });

  it('are bounded in bytes, and all of them when nobody says how many', () => {
    const long = Array.from({ length: 80 }, (_, index) => of('effect', `order-${index}`, 'x'.repeat(5_000)));
    expect(JSON.stringify(listedViolations(long, 50)).length).toBeLessThan(31_000);
    expect(listedViolations(long)).toEqual(long);
  });
});
