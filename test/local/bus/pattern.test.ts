import { describe, expect, it } from '@jest/globals';
import { checkPattern, matches, type Pattern } from '../../../lib/local/bus/pattern.ts';

const event = {
  source: 'event-recovery',
  'detail-type': 'OrderPlaced',
  detail: { streamId: 'order-17', version: 3, tags: ['new', 'gift'], nothing: null, empty: '' },
};

describe('event patterns', () => {
  it.each<[string, Pattern, boolean]>([
    ['an exact value', { source: ['x', 'event-recovery'] }, true],
    ['another exact value', { source: ['x'] }, false],
    ['two fields, one of which fails', { source: ['event-recovery'], 'detail-type': ['Other'] }, false],
    ['a prefix', { detail: { streamId: [{ prefix: 'order-' }] } }, true],
    ['another prefix', { detail: { streamId: [{ prefix: 'drill-' }] } }, false],
    ['a prefix of any case', { detail: { streamId: [{ prefix: { 'equals-ignore-case': 'ORDER' } }] } }, true],
    ['a suffix', { detail: { streamId: [{ suffix: '-17' }] } }, true],
    ['anything but a value', { 'detail-type': [{ 'anything-but': 'OrderPlaced' }] }, false],
    ['anything but a list', { 'detail-type': [{ 'anything-but': ['A', 'B'] }] }, true],
    ['anything but a prefix', { detail: { streamId: [{ 'anything-but': { prefix: 'drill-' } }] } }, true],
    ['anything but its prefix', { detail: { streamId: [{ 'anything-but': { prefix: 'order-' } }] } }, false],
    ['anything but prefixes', { detail: { streamId: [{ 'anything-but': { prefix: ['a', 'order'] } }] } }, false],
    ['anything but of an absent field', { detail: { absent: [{ 'anything-but': 'x' }] } }, false],
    ['a field that exists', { detail: { version: [{ exists: true }] } }, true],
    ['an absent field that must exist', { detail: { absent: [{ exists: true }] } }, false],
    ['an absent field that must not exist', { detail: { absent: [{ exists: false }] } }, true],
    ['a field that must not exist', { detail: { version: [{ exists: false }] } }, false],
    ['a number', { detail: { version: [3] } }, true],
    ['a number as text', { detail: { version: ['3'] } }, false],
    ['a numeric range', { detail: { version: [{ numeric: ['>', 1, '<=', 3] }] } }, true],
    ['a missed numeric range', { detail: { version: [{ numeric: ['>', 3] }] } }, false],
    ['an element of a list', { detail: { tags: ['gift'] } }, true],
    ['null', { detail: { nothing: [null] } }, true],
    ['an empty text', { detail: { empty: [''] } }, true],
    ['a wildcard', { detail: { streamId: [{ wildcard: 'or*-1*' }] } }, true],
    ['one of two alternatives', { $or: [{ source: ['x'] }, { detail: { version: [3] } }] }, true],
    ['none of two alternatives', { $or: [{ source: ['x'] }, { detail: { version: [4] } }] }, false],
    ['a field below a value', { source: { deeper: ['x'] } }, false],
  ])('%s', (_, pattern, expected) => {
    expect(matches(pattern, event)).toBe(expected);
  });

  it('refuses an operator that it does not know before any event comes', () => {
    expect(() => checkPattern({ detail: { ip: [{ cidr: '10.0.0.0/8' }] } })).toThrow(
      expect.objectContaining({ code: 'LOCAL_UNSUPPORTED_PATTERN', facts: { operator: 'cidr' } }),
    );
  });
});
