// From SQS records to what the engine understands; and that nothing else gets through.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ParsedRecord, parseRecord } from '../../../lib/flow/consumer/parse-messages.ts';
import type { EventDetail } from '../../../lib/model/wake-up.ts';
import { envelope, eventDetail, redeliver, sqsRecord, wakeUp } from './message-samples.ts';

const inventory = { name: 'inventory', drill: false };
const parse = (body: unknown, consumer = inventory): ParsedRecord => parseRecord(sqsRecord(body), consumer);

function bodyOf(parsed: ParsedRecord) {
  if (parsed.kind !== 'message') throw new Error(`expected a message, got ${JSON.stringify(parsed)}`);
  return parsed.message.body;
}

function refusalOf(parsed: ParsedRecord) {
  if (parsed.kind !== 'refused') throw new Error(`expected a refusal, got ${JSON.stringify(parsed)}`);
  return parsed.error;
}

describe('a message from the bus', () => {
  it('becomes a wake-up that carries the event', () => {
    const parsed = parse(envelope(eventDetail()));
    expect(parsed).toEqual({
      kind: 'message',
      message: {
        messageId: 'm-1',
        receiveCount: 2,
        body: {
          kind: 'wake-up',
          reason: 'event',
          streamId: 'order-1',
          version: 7,
          hops: 0,
          correlationId: 'checkout-42',
          delivered: {
            commitHash: 'ab'.repeat(32),
            commitVersion: 6,
            event: {
              id: 'e-7',
              streamId: 'order-1',
              type: 'OrderPlaced',
              data: { sku: 'A-1', quantity: 2 },
              metadata: {
                timestamp: new Date('2026-01-02T03:04:05.678Z'),
                version: 7,
                correlationId: 'checkout-42',
                causationId: 'command-9',
                position: 1_007,
              },
            },
          },
        },
      },
    });
  });

  it('is a bare wake-up when the body was left out', () => {
    const { data: _data, ...withoutBody } = eventDetail({ bodyOmitted: true });
    expect(bodyOf(parse(envelope(withoutBody)))).not.toHaveProperty('delivered');
    expect(bodyOf(parse(envelope(eventDetail({ bodyOmitted: true }))))).not.toHaveProperty('delivered');
  });

  it.each([null, 0, '', false, []])('carries %j as a body', (data) => {
    expect(bodyOf(parse(envelope(eventDetail({ data }))))).toHaveProperty('delivered.event.data', data);
  });

  it('says only that a stream moved, for a $StreamMoved entry', () => {
    const detail = { format: 1, streamId: 'order-1', version: 7, position: 1_007 };
    expect(bodyOf(parse(envelope(detail, '$StreamMoved')))).toEqual({
      kind: 'wake-up',
      reason: 'stream-moved',
      streamId: 'order-1',
      version: 7,
      hops: 0,
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['an empty stream id', { streamId: '' }],
    ['a reserved stream id', { streamId: '$all' }],
    ['a stream id that is an object', { streamId: { toString: 'order-1' } }],
    ['version 0', { version: 0 }],
    ['a negative version', { version: -1 }],
    ['a fractional version', { version: 1.5 }],
    ['a version beyond safe integers', { version: 2 ** 53 }],
    ['a version as text', { version: '7' }],
    ['no hash', { commitHash: undefined }],
    ['a hash in capitals', { commitHash: 'AB'.repeat(32) }],
    ['a commit that begins after its event', { commitVersion: 8 }],
    ['a commit version of 0', { commitVersion: 0 }],
    ['no id', { id: undefined }],
    ['a type that is not the detail-type', { type: 'OrderCancelled' }],
    ['a reserved type', { type: '$StreamMoved' }],
    ['a time that is none', { timestamp: 'yesterday' }],
    ['no correlation id', { correlationId: undefined }],
    ['a correlation id that is a number', { correlationId: 5 }],
    ['no format', { format: undefined }],
    ['a format that is text', { format: '1' }],
    ['format 0', { format: 0 }],
    ['a negative position', { position: -1 }],
  ])('is refused with %s', (_what, change) => {
    const error = refusalOf(parse(envelope({ ...eventDetail(), ...change })));
    expect(error).toMatchObject({ code: 'MALFORMED_MESSAGE', retryable: false });
  });

  it.each<[string, Record<string, unknown>]>([
    ['another source', { source: 'aws.s3' }],
    ['no source', { source: undefined }],
    ['no detail', { detail: undefined }],
    ['a detail that is text', { detail: '{}' }],
    ['a detail that is an array', { detail: [] }],
    ['a detail that is null', { detail: null }],
    ['no detail-type', { 'detail-type': undefined }],
  ])('is refused with %s', (_what, change) => {
    expect(refusalOf(parse(envelope(eventDetail(), 'OrderPlaced', change))).code).toBe('MALFORMED_MESSAGE');
  });

  it('keeps the correlation id of what it refuses, for the log', () => {
    expect(parse(envelope(eventDetail({ version: -1 })))).toMatchObject({ correlationId: 'checkout-42' });
  });
});

describe('a message of the queue', () => {
  it('is a wake-up with its reason, hops and ids', () => {
    expect(bodyOf(parse(wakeUp({ correlationId: 'c', replayId: 'r' })))).toEqual({
      kind: 'wake-up',
      reason: 'continue',
      streamId: 'order-1',
      version: 7,
      hops: 2,
      correlationId: 'c',
      replayId: 'r',
    });
  });

  it.each(['continue', 'retry', 'gap', 'redrive', 'rewind', 'resume', 'intake'])('may come because of %s', (reason) => {
    expect(bodyOf(parse(wakeUp({ reason })))).toMatchObject({ reason });
  });

  it('is a redelivery of chosen versions', () => {
    expect(bodyOf(parse(redeliver({ suppressEffects: true })))).toEqual({
      kind: 'redeliver',
      streamId: 'order-1',
      versions: [3, 5, 7],
      replayId: 'replay-1',
      hops: 0,
      suppressEffects: true,
    });
  });

  it('is refused when it is for another consumer', () => {
    const error = refusalOf(parse(wakeUp({ consumer: 'order-mailer' })));
    expect(error).toMatchObject({ code: 'MISDIRECTED_MESSAGE', retryable: false, got: 'order-mailer' });
  });

  it.each<[string, unknown]>([
    ['an unknown kind', wakeUp({ kind: 'reset' })],
    ['a reason of the bus', wakeUp({ reason: 'event' })],
    ['an inherited name as reason', wakeUp({ reason: 'constructor' })],
    ['no reason', wakeUp({ reason: undefined })],
    ['negative hops', wakeUp({ hops: -1 })],
    ['hops without end', wakeUp({ hops: 2 ** 53 })],
    ['no hops', wakeUp({ hops: undefined })],
    ['an empty correlation id', wakeUp({ correlationId: '' })],
    ['no versions', redeliver({ versions: [] })],
    ['too many versions', redeliver({ versions: Array.from({ length: 101 }, (_, i) => i + 1) })],
    ['descending versions', redeliver({ versions: [5, 3] })],
    ['a version twice', redeliver({ versions: [3, 3] })],
    ['version 0', redeliver({ versions: [0, 3] })],
    ['no replay id', redeliver({ replayId: undefined })],
    ['suppressEffects as text', redeliver({ suppressEffects: 'true' })],
  ])('is refused with %s', (_what, message) => {
    expect(refusalOf(parse(message)).code).toBe('MALFORMED_MESSAGE');
  });

  it('takes the limits themselves', () => {
    const versions = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(bodyOf(parse(redeliver({ versions })))).toMatchObject({ versions });
  });
});

describe('rehearsal streams', () => {
  const messages = (streamId: string) => [
    envelope(eventDetail({ streamId })),
    envelope({ format: 1, streamId, version: 1, position: 1 }, '$StreamMoved'),
    wakeUp({ streamId }),
    redeliver({ streamId }),
  ];

  it('are ignored by a consumer of real streams', () => {
    for (const message of messages('drill-order-1')) {
      expect(parse(message)).toMatchObject({ kind: 'ignored', reason: 'rehearsal', streamId: 'drill-order-1' });
    }
  });

  it('are all that a rehearsal consumer takes', () => {
    const rehearsal = { name: 'inventory', drill: true };
    for (const message of messages('drill-order-1')) expect(parse(message, rehearsal).kind).toBe('message');
    for (const message of messages('order-1')) {
      expect(parse(message, rehearsal)).toMatchObject({ kind: 'ignored', reason: 'not-a-rehearsal' });
    }
  });
});

describe('formats', () => {
  it.each<[string, unknown]>([
    ['the bus', envelope(eventDetail({ format: 2 }))],
    ['the bus, when its layout is not even known', envelope({ format: 2, subject: 'order-1' })],
    ['the queue', wakeUp({ format: 2 })],
    ['the queue, when its kind is not even known', { format: 2, kind: 'later', to: 'inventory' }],
  ])('a newer message from %s comes back until newer code reads it', (_what, message) => {
    expect(refusalOf(parse(message))).toMatchObject({ code: 'NEWER_FORMAT', retryable: true });
  });
});

describe('hostile input', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['half a document', '{"kind":"wake-up"'],
    ['null', 'null'],
    ['a number', '1e999'],
    ['an array', '[{}]'],
    ['an empty object', '{}'],
    ['a million brackets', '['.repeat(1_000_000)],
    ['a deep document', `${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)}`],
    ['a body above the limit of SQS', `"${'x'.repeat(1_048_576)}"`],
    ['huge numbers', JSON.stringify(wakeUp()).replace('"version":7', '"version":1e400')],
    ['a prototype as envelope', '{"__proto__":{"kind":"wake-up","format":1}}'],
  ])('%s is refused', (_what, body) => {
    expect(refusalOf(parse(body)).code).toBe('MALFORMED_MESSAGE');
  });

  it('cannot pollute prototypes, neither by the message nor by the data', () => {
    const data = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    const body = bodyOf(
      parse(
        JSON.stringify(envelope(eventDetail({ data }))).replace('{"version"', '{"__proto__":{"polluted":1},"version"'),
      ),
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect((body as unknown as Record<string, unknown>).polluted).toBeUndefined();
    expect(JSON.stringify((body as { delivered?: { event: { data: unknown } } }).delivered?.event.data)).toBe(
      JSON.stringify(data),
    );
  });

  it('passes a deeply nested body on without looking into it', () => {
    const deep = `${'['.repeat(200_000)}1${']'.repeat(200_000)}`;
    const body = JSON.stringify(envelope(eventDetail({ data: 'HERE' }))).replace('"HERE"', deep);
    expect(bodyOf(parse(body))).toHaveProperty('delivered.event.id', 'e-7');
  });

  it('does not carry a big body into the error', () => {
    const error = refusalOf(parse(wakeUp({ reason: 'x'.repeat(500_000) })));
    expect(error.message.length).toBeLessThan(1_000);
    expect(JSON.stringify(error.facts).length).toBeLessThan(1_000);
  });

  it('counts a receive count that is none as the first', () => {
    const record = {
      messageId: 'm-1',
      body: JSON.stringify(wakeUp()),
      attributes: { ApproximateReceiveCount: 'many' },
    };
    expect(parseRecord(record, inventory)).toMatchObject({ message: { receiveCount: 1 } });
  });
});

describe('whatever arrives', () => {
  /** Valid messages of which any part may be replaced by anything. */
  const damaged = fc
    .tuple(
      fc.constantFrom<object>(envelope(eventDetail()), wakeUp(), redeliver()),
      fc.array(fc.tuple(fc.nat(), fc.jsonValue()), { maxLength: 3 }),
    )
    .map(([message, changes]) => {
      const copy = structuredClone(message) as Record<string, unknown>;
      for (const [pick, value] of changes) {
        const detail = copy.detail as Record<string, unknown> | undefined;
        const target = detail !== null && typeof detail === 'object' && pick % 2 === 0 ? detail : copy;
        const keys = Object.keys(target);
        target[keys[pick % keys.length] as string] = value;
      }
      return JSON.stringify(copy);
    });
  const anything = fc.oneof(
    damaged,
    fc.string(),
    fc.json(),
    fc.jsonValue().map((value) => JSON.stringify(value)),
  );

  it('the parser answers, and what it lets through keeps every promise to the engine', () => {
    fc.assert(
      fc.property(anything, (body) => {
        const parsed = parse(body);
        if (parsed.kind !== 'message') return parsed.messageId === 'm-1';
        const message = parsed.message.body;
        const versions = message.kind === 'wake-up' ? [message.version] : message.versions;
        expect(versions.every((each) => Number.isSafeInteger(each) && each >= 0)).toBe(true);
        expect(message.streamId).toMatch(/^[^$]/);
        expect(message.streamId.startsWith('drill-')).toBe(false);
        expect(Number.isSafeInteger(message.hops) && message.hops >= 0).toBe(true);
        if (message.kind === 'wake-up' && message.delivered) {
          const { event, commitVersion } = message.delivered;
          expect(event.metadata.version).toBe(message.version);
          expect(event.streamId).toBe(message.streamId);
          expect(commitVersion).toBeLessThanOrEqual(message.version);
          expect(event.metadata.timestamp.getTime()).not.toBeNaN();
        }
        return true;
      }),
      { numRuns: 2_000 },
    );
  });

  it('every event that the relay can publish comes out as it went in', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter((each) => each.isWellFormed());
    const name = fc.stringMatching(/^[A-Za-z0-9 _äöü€.-]{1,40}$/u).filter((each) => !each.startsWith('drill-'));
    const published = fc.record({
      streamId: name,
      id: name,
      type: name,
      version: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      position: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      data: fc.jsonValue(),
      correlationId: text,
      causationId: text,
      timestamp: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2999-01-01') }),
    });
    fc.assert(
      fc.property(published, ({ timestamp, data, ...fields }) => {
        const detail = eventDetail({
          ...fields,
          data,
          commitVersion: fields.version,
          timestamp: timestamp.toISOString(),
        });
        const body = bodyOf(parse(envelope(detail satisfies EventDetail, fields.type)));
        expect(body).toMatchObject({ streamId: fields.streamId, version: fields.version });
        const { event } = (body as { delivered: { event: unknown } }).delivered as { event: Record<string, unknown> };
        expect(event).toMatchObject({ id: fields.id, streamId: fields.streamId, type: fields.type });
        expect(JSON.stringify(event.data)).toBe(JSON.stringify(data));
        expect(event.metadata).toEqual({
          version: fields.version,
          position: fields.position,
          correlationId: fields.correlationId,
          causationId: fields.causationId,
          timestamp,
        });
      }),
      { numRuns: 1_000 },
    );
  });
});
