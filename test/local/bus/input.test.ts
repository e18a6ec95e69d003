import { describe, expect, it } from '@jest/globals';
import { targetPayload } from '../../../lib/local/bus/input.ts';

const event = { source: 'x', detail: { name: 'Ada "the first"', list: [{ id: 7 }] } };
const received = (target: Parameters<typeof targetPayload>[0]): unknown => JSON.parse(targetPayload(target, event));

describe('what a target receives', () => {
  it('is the whole event by default', () => {
    expect(received({})).toEqual(event);
  });

  it('is a constant, or a part of the event', () => {
    expect(received({ Input: '{"mode":"scan"}' })).toEqual({ mode: 'scan' });
    expect(received({ InputPath: '$.detail.list[0]' })).toEqual({ id: 7 });
  });

  it('is a template with values as JSON, and as text inside quotes', () => {
    const InputTransformer = {
      InputPathsMap: { name: '$.detail.name', list: '$.detail.list' },
      InputTemplate: '{"list":<list>,"name":"<name>","other":"<unknown>"}',
    };
    expect(received({ InputTransformer })).toEqual({ list: [{ id: 7 }], name: 'Ada "the first"', other: '<unknown>' });
  });
});
