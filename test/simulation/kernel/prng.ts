// Seeded randomness (sfc32, seeded by splitmix32). Every purpose draws from a generator of its own, so that switching one
// fault kind off does not change what the others do: that is what makes a failing seed shrinkable.

import type { Random } from '../../../lib/platform/clock.ts';

export interface Prng extends Random {
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(values: readonly T[]): T;
  /** A shuffled copy. */
  shuffle<T>(values: readonly T[]): T[];
  /** How many opportunities pass before the next hit of an event with this probability (geometric). */
  gap(probability: number): number;
}

/** @example createPrng(42, 'faults/throttle').next() */
export function createPrng(seed: number, purpose: string): Prng {
  const mix = splitmix32((seed ^ hashText(purpose)) >>> 0);
  mix();
  let a = mix() ^ (Math.floor(seed / 0x1_0000_0000) | 0);
  let b = mix();
  let c = mix();
  let d = 1;
  const bits = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let turn = 0; turn < 12; turn++) bits();
  const next = (): number => bits() / 0x1_0000_0000;
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    int,
    chance: (probability) => probability > 0 && next() < probability,
    pick: <T>(values: readonly T[]): T => {
      if (values.length === 0) throw new Error('pick: nothing to pick from');
      return values[Math.floor(next() * values.length)] as T;
    },
    shuffle: <T>(values: readonly T[]): T[] => {
      const copy = [...values];
      for (let last = copy.length - 1; last > 0; last--) {
        const other = Math.floor(next() * (last + 1));
        const held = copy[last] as T;
        copy[last] = copy[other] as T;
        copy[other] = held;
      }
      return copy;
    },
    gap: (probability) => {
      if (probability <= 0) return Number.POSITIVE_INFINITY;
      if (probability >= 1) return 0;
      return Math.floor(Math.log(1 - next()) / Math.log(1 - probability));
    },
  };
}

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}

/** FNV-1a, 32 bits. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
