import { brotliCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseRecord } from '../../../lib/flow/relay/parse-record.ts';
import type { StoredCommit } from '../../../lib/model/commit.ts';
import { GENESIS_HASH } from '../../../lib/model/commit.ts';
import { commit, record } from './support.ts';

const sound = commit('order-1', 3, GENESIS_HASH);
type Changed = ReturnType<typeof record> & Record<string, unknown>;
const change = (edit: (raw: Changed) => void): unknown => {
  const raw = structuredClone(record(sound, 7)) as Changed;
  edit(raw);
  return raw;
};

describe('a record of the DynamoDB stream', () => {
  it.each(['INSERT', 'MODIFY', 'UNKNOWN_TO_SDK_VERSION', undefined])(
    'is a commit by its image, event name %s',
    (name) => {
      const parsed = parseRecord({ ...record(sound, 7), eventName: name }, 4);
      expect(parsed).toEqual({ kind: 'commit', index: 4, sequenceNumber: '000000000000000000007', stored: sound });
    },
  );

  it('carries compressed events as base64', () => {
    const bytes = new Uint8Array(brotliCompressSync('[1]'));
    const stored: StoredCommit = { ...sound, encoding: 'br', events: bytes };
    expect(parseRecord(record(stored, 7), 0)).toMatchObject({ kind: 'commit', stored: { events: bytes } });
  });

  it.each(['REMOVE', 'UNKNOWN_TO_SDK_VERSION', undefined])('without an image is a removal, event name %s', (name) => {
    const raw = change(({ dynamodb }) => Reflect.deleteProperty(dynamodb, 'NewImage'));
    expect(parseRecord({ ...(raw as object), eventName: name }, 0)).toEqual({
      kind: 'ignored',
      index: 0,
      reason: 'removed',
      streamId: 'order-1',
      version: 3,
    });
  });

  it('of a TTL deletion is ignored', () => {
    const raw = change(({ dynamodb }) => Reflect.deleteProperty(dynamodb, 'NewImage'));
    const userIdentity = { type: 'Service', principalId: 'dynamodb.amazonaws.com' };
    expect(parseRecord({ ...(raw as object), eventName: 'REMOVE', userIdentity }, 0)).toMatchObject({
      kind: 'ignored',
    });
  });

  it('of a reserved stream is ignored, whatever it holds', () => {
    const raw = { eventName: 'INSERT', dynamodb: { Keys: { streamId: { S: '$priming' } }, NewImage: {} } };
    expect(parseRecord(raw, 0)).toMatchObject({ kind: 'ignored', reason: 'reserved-stream' });
  });

  it.each<[string, (raw: Changed) => void, string]>([
    ['no dynamodb object', (raw) => Reflect.deleteProperty(raw, 'dynamodb'), 'no "dynamodb" object'],
    ['no image although it was inserted', ({ dynamodb }) => Reflect.deleteProperty(dynamodb, 'NewImage'), 'NEW_IMAGE'],
    [
      'neither image nor keys',
      (raw) => Object.assign(raw, { eventName: 'REMOVE', dynamodb: { SequenceNumber: '1' } }),
      'neither a NewImage nor readable Keys',
    ],
    ['no sequence number', ({ dynamodb }) => Reflect.deleteProperty(dynamodb, 'SequenceNumber'), 'SequenceNumber'],
    ['an image that is a text', ({ dynamodb }) => Object.assign(dynamodb, { NewImage: 'x' }), 'NewImage'],
    ['no version', ({ dynamodb }) => Reflect.deleteProperty(dynamodb.NewImage, 'version'), 'version'],
    ['version 0', ({ dynamodb }) => Object.assign(dynamodb.NewImage, { version: { N: '0' } }), 'version is 0'],
    ['a fractional version', ({ dynamodb }) => Object.assign(dynamodb.NewImage, { version: { N: '1.5' } }), 'version'],
    ['an empty number', ({ dynamodb }) => Object.assign(dynamodb.NewImage, { count: { N: '' } }), 'count'],
    ['no events', ({ dynamodb }) => Reflect.deleteProperty(dynamodb.NewImage, 'events'), 'events'],
    ['events of the wrong kind', ({ dynamodb }) => Object.assign(dynamodb.NewImage, { events: { N: '1' } }), 'events'],
    ['an unknown encoding', ({ dynamodb }) => Object.assign(dynamodb.NewImage, { encoding: { S: 'zip' } }), 'zip'],
    ['a short hash', ({ dynamodb }) => Object.assign(dynamodb.NewImage, { hash: { S: 'abc' } }), 'hash'],
    ['other keys than its image', ({ dynamodb }) => Object.assign(dynamodb.Keys, { version: { N: '4' } }), 'Keys'],
    ['an invalid stream id', ({ dynamodb }) => Object.assign(dynamodb.NewImage, { streamId: { S: '' } }), 'stream id'],
  ])('with %s is malformed and says so', (_, edit, problem) => {
    const parsed = parseRecord(change(edit), 2);
    expect(parsed).toMatchObject({ kind: 'malformed', index: 2, problem: expect.stringContaining(problem) });
  });

  it('names the commit of a malformed record when the keys can be read', () => {
    const raw = change(({ dynamodb }) => Reflect.deleteProperty(dynamodb.NewImage, 'hash'));
    expect(parseRecord(raw, 0)).toMatchObject({
      kind: 'malformed',
      streamId: 'order-1',
      version: 3,
      sequenceNumber: '000000000000000000007',
    });
    expect(parseRecord(null, 0)).toMatchObject({ kind: 'malformed', streamId: '$unknown', version: 0 });
  });

  it('never throws and always keeps its place, whatever arrives', () => {
    const image = fc.dictionary(
      fc.constantFrom('streamId', 'version', 'count', 'events', 'encoding', 'format', 'recordedAt', 'hash'),
      fc.oneof(fc.record({ S: fc.anything() }), fc.record({ N: fc.anything() }), fc.anything()),
    );
    const raw = fc.oneof(
      fc.anything(),
      fc.record({
        eventName: fc.anything(),
        dynamodb: fc.record({ Keys: fc.oneof(image, fc.anything()), NewImage: image, SequenceNumber: fc.anything() }),
      }),
    );
    fc.assert(
      fc.property(raw, fc.nat(), (value, index) => {
        expect(parseRecord(value, index)).toMatchObject({ index });
      }),
      { numRuns: 500 },
    );
  });
});
