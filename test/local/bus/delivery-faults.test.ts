import { describe, expect, it } from '@jest/globals';
import { createDeliveryFaults } from '../../../lib/local/bus/delivery-faults.ts';

function run(count: number, faults = createDeliveryFaults(), rule = 'rule'): number[] {
  const delivered: number[] = [];
  for (let number = 0; number < count; number += 1) faults.pass(rule, () => delivered.push(number));
  return delivered;
}
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('faults on deliveries', () => {
  it('changes nothing without a fault, and nothing for another rule', () => {
    const faults = createDeliveryFaults();
    faults.add({ kind: 'drop' }, 'other');
    expect(run(5, faults)).toEqual(numbers(5));
  });

  it('drops the share that it was told, and counts', () => {
    const faults = createDeliveryFaults();
    const handle = faults.add({ kind: 'drop', rate: 0.3, seed: 4 }, undefined);
    const delivered = run(1_000, faults);
    expect(delivered.length + handle.fired).toBe(1_000);
    expect(handle.fired).toBeGreaterThan(250);
    expect(handle.fired).toBeLessThan(350);
  });

  it('doubles, and stops after the given number of times', () => {
    const faults = createDeliveryFaults();
    faults.add({ kind: 'duplicate', times: 2 }, undefined);
    expect(run(4, faults)).toEqual([0, 0, 1, 1, 2, 3]);
  });

  it('reorders inside groups, and the same seed gives the same order', () => {
    const orderOf = (seed: number): number[] => {
      const faults = createDeliveryFaults();
      faults.add({ kind: 'reorder', window: 5, seed }, undefined);
      return run(10, faults);
    };
    const order = orderOf(1);
    expect(order).not.toEqual(numbers(10));
    expect([...order].sort((a, b) => a - b)).toEqual(numbers(10));
    expect(order.slice(0, 5).every((number) => number < 5)).toBe(true);
    expect(orderOf(1)).toEqual(order);
    expect(orderOf(2)).not.toEqual(order);
  });

  it('hands over what it holds when it is taken back', () => {
    const faults = createDeliveryFaults();
    const handle = faults.add({ kind: 'delay', maxDelayMs: 60_000 }, undefined);
    const delivered: string[] = [];
    faults.pass('rule', () => delivered.push('late'));
    expect(delivered).toEqual([]);
    handle.remove();
    expect(delivered).toEqual(['late']);
  });
});
