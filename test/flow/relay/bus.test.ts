// PutEvents as EventBridge answers it: all taken, some refused, everything refused, no answer at all.

import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createBus, createContinuations } from '../../../lib/flow/relay/bus.ts';
import type { BusEntry } from '../../../lib/flow/relay/port.ts';
import { ENTRY_TRIES, GIVE_UP_AFTER } from '../../../lib/flow/relay/put-events.ts';
import { createTestWorld } from '../../support/world.ts';

const aws = mockClient(EventBridgeClient);
beforeEach(() => {
  aws.reset();
});

const entry = (version: number, data: unknown = { n: version }): BusEntry => ({
  kind: 'event',
  detailType: 'Happened',
  detail: {
    format: 1,
    streamId: 'a',
    version,
    position: version,
    commitHash: 'f'.repeat(64),
    commitVersion: version,
    id: `e${version}`,
    type: 'Happened',
    data,
    timestamp: '2026-01-01T00:00:00.000Z',
    correlationId: 'c',
    causationId: 'c',
  },
});
const entries = (count: number) => Array.from({ length: count }, (_, index) => entry(index + 1));
const versionOf = ({ Detail }: PutEventsRequestEntry) => (JSON.parse(Detail as string) as { version: number }).version;
const requests = () => aws.commandCalls(PutEventsCommand).map((call) => call.args[0].input.Entries ?? []);
const taken = (sent: PutEventsRequestEntry[] | undefined) =>
  (sent ?? []).map((_, index) => ({ EventId: `id-${index}` }));

/** Answers each entry by its version; undefined = taken. */
const answer = (refuse: (version: number, sent: PutEventsRequestEntry) => string | undefined) =>
  aws.on(PutEventsCommand).callsFake((input: { Entries: PutEventsRequestEntry[] }) => {
    const Entries = input.Entries.map((sent, index) => {
      const ErrorCode = refuse(versionOf(sent), sent);
      return ErrorCode === undefined ? { EventId: `id-${index}` } : { ErrorCode, ErrorMessage: `no: ${ErrorCode}` };
    });
    return { FailedEntryCount: Entries.filter((one) => 'ErrorCode' in one).length, Entries };
  });

const open = () => {
  const world = createTestWorld();
  return { world, bus: createBus({ client: new EventBridgeClient({}), busName: 'the-bus', world }) };
};

describe('publishing', () => {
  it('sends source, detail type and bus with each entry, ten to a request', async () => {
    answer(() => undefined);
    const { bus, world } = open();
    expect(await bus.publish(entries(23))).toEqual({ failed: [] });
    expect(requests().map((sent) => sent.length)).toEqual([10, 10, 3]);
    expect(requests()[0]?.[0]).toEqual({
      EventBusName: 'the-bus',
      Source: 'event-recovery',
      DetailType: 'Happened',
      Detail: JSON.stringify(entry(1).detail),
    });
    expect(world.sleeps).toEqual([]);
  });

  it('sends nothing for nothing', async () => {
    expect(await open().bus.publish([])).toEqual({ failed: [] });
    expect(requests()).toEqual([]);
  });

  it('sends only the refused entries again, alone and with pauses (FailedEntryCount)', async () => {
    const seen = new Map<number, number>();
    answer((version) => {
      const times = (seen.get(version) ?? 0) + 1;
      seen.set(version, times);
      return [2, 9].includes(version) && times < 3 ? 'ThrottlingException' : undefined;
    });
    const { bus, world } = open();
    expect(await bus.publish(entries(10))).toEqual({ failed: [] });
    expect(requests().map((sent) => sent.map(versionOf))).toEqual([
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      [2],
      [2],
      [9],
      [9],
    ]);
    expect(world.sleeps).toHaveLength(4);
  });

  it('returns what is refused to the end, in order, after a bounded number of tries', async () => {
    answer((version) => (version % 4 === 0 ? 'InternalFailure' : undefined));
    const { failed } = await open().bus.publish(entries(9));
    expect(failed).toEqual(
      [4, 8].map((version) => ({ entry: entry(version), code: 'InternalFailure', message: 'no: InternalFailure' })),
    );
    const tries = requests().flatMap((sent) => sent.map(versionOf));
    expect(tries.filter((version) => version === 4)).toHaveLength(ENTRY_TRIES);
  });

  it('sends an entry that is refused for what it holds again without its body', async () => {
    answer((version, { Detail }) =>
      version === 2 && (Detail as string).includes('"data"') ? 'MalformedDetail' : undefined,
    );
    expect(await open().bus.publish(entries(3))).toEqual({ failed: [] });
    const [again] = requests()[1] ?? [];
    const { data: _, ...rest } = entry(2).detail as unknown as Record<string, unknown>;
    expect(JSON.parse(again?.Detail as string)).toEqual({ ...rest, bodyOmitted: true });
  });

  it('sends a throttled entry again with its body', async () => {
    let times = 0;
    answer(() => {
      times += 1;
      return times === 1 ? 'ThrottlingException' : undefined;
    });
    await open().bus.publish([entry(1)]);
    expect(JSON.parse(requests()[1]?.[0]?.Detail as string)).toMatchObject({ data: { n: 1 } });
  });

  it.each([
    ['a timeout', Object.assign(new Error('slow'), { name: 'TimeoutError' })],
    ['a lost connection', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })],
    ['a throttled request', Object.assign(new Error('slow down'), { name: 'ThrottlingException' })],
  ])('sends every entry of a request that ended in %s again', async (_, error) => {
    aws
      .on(PutEventsCommand)
      .rejectsOnce(error)
      .callsFake((input) => ({ Entries: taken(input.Entries) }));
    expect(await open().bus.publish(entries(3))).toEqual({ failed: [] });
    expect(requests().map((sent) => sent.map(versionOf))).toEqual([[1, 2, 3], [1], [2], [3]]);
    for (const [sent] of requests().slice(1)) expect(sent?.Detail).toContain('"data"');
  });

  it('gives up early when the bus is down, and returns everything', async () => {
    aws.on(PutEventsCommand).rejects(Object.assign(new Error('down'), { name: 'ServiceUnavailable' }));
    const { failed } = await open().bus.publish(entries(100));
    expect(failed.map((one) => one.entry.detail.version)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(requests()).toHaveLength(10 + GIVE_UP_AFTER * (ENTRY_TRIES - 1));
  });

  it('does not take a short or an empty answer for success', async () => {
    aws
      .on(PutEventsCommand)
      .resolvesOnce({ FailedEntryCount: 0, Entries: [{ EventId: 'id-1' }] })
      .resolvesOnce({ FailedEntryCount: 0 })
      .callsFake((input) => ({ Entries: taken(input.Entries) }));
    expect(await open().bus.publish(entries(2))).toEqual({ failed: [] });
    expect(requests().map((sent) => sent.map(versionOf))).toEqual([[1, 2], [2], [2]]);
  });

  it('leaves out a body that does not fit, and keeps requests under their bound', async () => {
    answer(() => undefined);
    const half = entry(1, 'x'.repeat(600_000));
    const whole = entry(2, 'é'.repeat(600_000));
    await open().bus.publish([half, whole, half]);
    expect(requests().map((sent) => sent.map(versionOf))).toEqual([[1, 2], [1]]);
    expect(JSON.parse(requests()[0]?.[1]?.Detail as string)).toMatchObject({ version: 2, bodyOmitted: true });
  });
});

describe('a wake-up of the relay to itself', () => {
  const detail = { format: 1, streamId: 'a', target: 9, hops: 3 };
  const send = () =>
    createContinuations({ client: new EventBridgeClient({}), busName: 'the-bus', world: createTestWorld() }).send(
      detail,
    );

  it('is one entry with a type of its own', async () => {
    aws.on(PutEventsCommand).callsFake((input) => ({ Entries: taken(input.Entries) }));
    await send();
    expect(requests()).toEqual([
      [
        {
          EventBusName: 'the-bus',
          Source: 'event-recovery',
          DetailType: '$RelayBackfill',
          Detail: JSON.stringify(detail),
        },
      ],
    ]);
  });

  it('is tried again, and an error when it cannot be sent', async () => {
    aws.on(PutEventsCommand).resolves({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'InternalFailure' }] });
    await expect(send()).rejects.toMatchObject({ code: 'CONTINUATION_NOT_SENT', retryable: true });
    expect(requests()).toHaveLength(ENTRY_TRIES);
  });
});
