import { describe, expect, it } from '@jest/globals';
import { creationOrder } from '../../../lib/local/template/order.ts';

const resource = (properties: Record<string, unknown>, more: object = {}) => ({
  Type: 'X',
  Properties: properties,
  ...more,
});

describe('creation order', () => {
  it('puts a resource after whatever it refers to, by any of the four ways', () => {
    const order = creationOrder({
      A: resource({ x: [{ 'Fn::Join': ['', [{ Ref: 'B' }]] }] }),
      B: resource({ x: { 'Fn::GetAtt': ['C', 'Arn'] } }),
      C: resource({ x: { 'Fn::Sub': '$'.concat('{D.Name}') } }),
      D: resource({}, { DependsOn: ['E'] }),
      E: resource({}),
    });
    expect(order).toEqual(['E', 'D', 'C', 'B', 'A']);
  });

  it('keeps the order of the file where nothing else decides, and ignores references to parameters', () => {
    expect(creationOrder({ B: resource({ x: { Ref: 'Parameter' } }), A: resource({}) })).toEqual(['B', 'A']);
  });

  it('names the circle that it cannot order', () => {
    const circle = { A: resource({ x: { Ref: 'B' } }), B: resource({ x: { Ref: 'A' } }) };
    expect(() => creationOrder(circle)).toThrow('A -> B -> A');
  });
});
