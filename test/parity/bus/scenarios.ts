// EventBridge: PutEvents with its partial failures, and what rules hand to their targets.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html

import { PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { createBus, createContinuations } from '../../../lib/flow/relay/bus.ts';
import type { BusEntry } from '../../../lib/flow/relay/port.ts';
import { BUS_SOURCE, RELAY_BACKFILL } from '../../../lib/model/wake-up.ts';
import { endOf, type Scenario } from '../scenario.ts';
import type { BusRule, BusSettings, BusSubject, Envelope } from './engine.ts';

const RULE: BusRule = { name: 'orders', source: 'shop', detailTypes: ['OrderPlaced'] };
const OTHER: BusRule = { name: 'all', source: 'shop', detailTypes: ['OrderPlaced', 'OrderPaid'] };
const OURS: BusRule = {
  name: 'ours',
  source: BUS_SOURCE,
  detailTypes: ['OrderPlaced', '$StreamMoved', RELAY_BACKFILL],
};

const entry = (n: number, more: PutEventsRequestEntry = {}): PutEventsRequestEntry => ({
  EventBusName: 'bus',
  Source: 'shop',
  DetailType: 'OrderPlaced',
  Detail: JSON.stringify({ n }),
  ...more,
});
const entries = (count: number): PutEventsRequestEntry[] => Array.from({ length: count }, (_, n) => entry(n));

/** `taken`, or the entry's error code. */
async function put(bus: BusSubject, Entries: PutEventsRequestEntry[]): Promise<unknown> {
  const call = bus.until(() => bus.client.send(new PutEventsCommand({ Entries })));
  return endOf(
    call.then(({ FailedEntryCount, Entries: results = [] }) => ({
      failed: FailedEntryCount,
      entries: results.map(({ EventId, ErrorCode }) => (EventId ? 'taken' : ErrorCode)),
    })),
  );
}

const shown = ({ source, 'detail-type': type, detail }: Envelope): unknown => ({ source, type, detail });
const nOf = ({ detail }: Envelope): number => Number(detail.n);
/** What arrived, by rule, as numbers in order: the bus promises none. */
async function numbers(bus: BusSubject): Promise<Record<string, number[]>> {
  const delivered = await bus.delivered();
  return Object.fromEntries(Object.entries(delivered).map(([rule, all]) => [rule, all.map(nOf).sort((a, b) => a - b)]));
}

const scenario = (
  name: string,
  rules: readonly BusRule[],
  play: (bus: BusSubject) => Promise<unknown>,
  expected: unknown,
): Scenario<BusSettings, BusSubject> => ({ name, settings: { rules }, play, expected });

/** One request, its answer and what arrived. */
const request = (name: string, sent: PutEventsRequestEntry[], answer: unknown, arrived: number[], rules = [RULE]) =>
  scenario(name, rules, async (bus) => [await put(bus, sent), (await numbers(bus))[RULE.name]], [answer, arrived]);

const one = (code = 'taken') => ({ failed: code === 'taken' ? 0 : 1, entries: [code] });

const event = (version: number, data: object = { n: version }): BusEntry =>
  ({
    kind: 'event',
    detailType: 'OrderPlaced',
    detail: { format: 1, streamId: 'order-1', version, n: version, data },
  }) as unknown as BusEntry;
const moved = { kind: 'stream-moved', detailType: '$StreamMoved', detail: { n: 0 } } as unknown as BusEntry;
const backfill = { streamId: 'order-1', n: 9 } as never;
const ourBus = ({ client, busName, world }: BusSubject) => ({ client, busName, world });

export const BUS: readonly Scenario<BusSettings, BusSubject>[] = [
  request('an entry that a rule matches arrives', [entry(1)], one(), [1]),
  request('another detail type is taken and goes nowhere', [entry(1, { DetailType: 'OrderPaid' })], one(), []),
  request('another source is taken and goes nowhere', [entry(1, { Source: 'bank' })], one(), []),
  request('names are compared letter by letter', [entry(1, { DetailType: 'orderplaced' })], one(), []),
  request(
    'ten entries are one request',
    entries(10),
    { failed: 0, entries: Array(10).fill('taken') },
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  ),
  request('eleven are refused as a whole', entries(11), 'ValidationException', []),
  request('no entry is refused', [], 'ValidationException', []),
  request(
    'the same entry twice is two events',
    [entry(1), entry(1)],
    { failed: 0, entries: ['taken', 'taken'] },
    [1, 1],
  ),
  request(
    'an entry without a source fails by itself',
    [entry(1), entry(2, { Source: undefined }), entry(3)],
    { failed: 1, entries: ['taken', 'InvalidArgument', 'taken'] },
    [1, 3],
  ),
  request(
    'an entry without a detail type fails by itself',
    [entry(1, { DetailType: undefined }), entry(2)],
    { failed: 1, entries: ['InvalidArgument', 'taken'] },
    [2],
  ),
  request(
    'an entry without a detail fails by itself',
    [entry(1), entry(2, { Detail: undefined })],
    { failed: 1, entries: ['taken', 'InvalidArgument'] },
    [1],
  ),
  request(
    'entries of which none is complete are refused as a whole',
    [entry(1, { Source: undefined }), entry(2, { Detail: undefined })],
    'ValidationException',
    [],
  ),
  request(
    'a detail that is no JSON fails by itself',
    [entry(1), entry(2, { Detail: '{"n":' })],
    { failed: 1, entries: ['taken', 'MalformedDetail'] },
    [1],
  ),
  ...['[]', '"text"', '7', 'null', ''].map((Detail) =>
    request(
      `a detail that is no object, ${Detail || 'nothing'}, fails`,
      [entry(1, { Detail })],
      one('MalformedDetail'),
      [],
    ),
  ),
  request('a detail type of 128 characters is taken', [entry(1, { DetailType: 'x'.repeat(128) })], one(), []),
  request('one of 129 fails', [entry(1, { DetailType: 'x'.repeat(129) })], one('InvalidArgument'), []),
  request(
    'several failures keep their places',
    [entry(0), entry(1, { Detail: 'x' }), entry(2), entry(3, { Source: '' }), entry(4)],
    { failed: 2, entries: ['taken', 'MalformedDetail', 'taken', 'InvalidArgument', 'taken'] },
    [0, 2, 4],
  ),
  request(
    'more than 1 MB in one request is refused as a whole',
    [entry(1), entry(2, { Detail: JSON.stringify({ n: 2, text: 'x'.repeat(1_048_576) }) })],
    'ValidationException',
    [],
  ),
  request(
    'bytes count, not characters',
    [entry(1, { Detail: JSON.stringify({ n: 1, text: 'é'.repeat(524_288) }) })],
    'ValidationException',
    [],
  ),
  request(
    'one of 900 KB arrives',
    [entry(1, { Detail: JSON.stringify({ n: 1, text: 'x'.repeat(900_000) }) })],
    one(),
    [1],
  ),
  scenario(
    'two rules get their own copies, a rule of two types both',
    [RULE, OTHER],
    async (bus) => {
      await put(bus, [entry(1), entry(2, { DetailType: 'OrderPaid' })]);
      return numbers(bus);
    },
    { orders: [1], all: [1, 2] },
  ),
  scenario(
    'a target gets the detail as it was sent, in any script',
    [RULE],
    async (bus) => {
      await put(bus, [entry(1, { Detail: '{"n":1,"text":"Zoë 日本","inner":{"list":[1,null,true]}}' })]);
      return (await bus.delivered()).orders?.map(shown);
    },
    [
      {
        source: 'shop',
        type: 'OrderPlaced',
        detail: { n: 1, text: 'Zoë 日本', inner: { list: [1, null, true] } },
      },
    ],
  ),
  scenario(
    'the envelope has resources and a time in whole seconds, as they were given',
    [RULE],
    async (bus) => {
      await put(bus, [entry(1, { Resources: ['arn:a', 'arn:b'], Time: new Date('2026-03-04T05:06:07.890Z') })]);
      return (await bus.delivered()).orders?.map(({ version, resources, time }) => ({ version, resources, time }));
    },
    [{ version: '0', resources: ['arn:a', 'arn:b'], time: '2026-03-04T05:06:07Z' }],
  ),
  scenario(
    'without a time the envelope has one, in whole seconds, and no resources',
    [RULE],
    async (bus) => {
      await put(bus, [entry(1)]);
      const [envelope] = (await bus.delivered()).orders ?? [];
      return [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(envelope?.time ?? ''), envelope?.resources];
    },
    [true, []],
  ),
  scenario(
    'every event has an id of its own, every rule sees the same one',
    [RULE, OTHER],
    async (bus) => {
      await put(bus, [entry(1), entry(2)]);
      const { orders = [], all = [] } = await bus.delivered();
      const ids = (some: readonly Envelope[]): string[] => some.map(({ id }) => id).sort();
      return [new Set(ids(orders)).size, ids(orders).join() === ids(all).join()];
    },
    [2, true],
  ),
  scenario(
    'the relay: 25 entries go in three requests and all arrive',
    [OURS],
    async (bus) => {
      const all = Array.from({ length: 25 }, (_, index) => event(index + 1));
      const { failed } = await bus.until(() => createBus(ourBus(bus)).publish(all));
      return [failed, (await numbers(bus)).ours];
    },
    [[], Array.from({ length: 25 }, (_, index) => index + 1)],
  ),
  scenario(
    'the relay: a body beyond the limit is left out, the wake-up arrives',
    [OURS],
    async (bus) => {
      const large = event(1, { text: 'x'.repeat(1_000_000) });
      const { failed } = await bus.until(() => createBus(ourBus(bus)).publish([large]));
      const [envelope] = (await bus.delivered()).ours ?? [];
      return [failed, envelope?.detail];
    },
    [[], { format: 1, streamId: 'order-1', version: 1, n: 1, bodyOmitted: true }],
  ),
  scenario(
    'the relay: a wake-up for every type goes beside events',
    [OURS],
    async (bus) => {
      const { failed } = await bus.until(() => createBus(ourBus(bus)).publish([event(1), moved]));
      return [failed, (await numbers(bus)).ours];
    },
    [[], [0, 1]],
  ),
  scenario(
    'the relay: nothing to publish sends nothing',
    [OURS],
    async (bus) => [await bus.until(() => createBus(ourBus(bus)).publish([])), (await numbers(bus)).ours],
    [{ failed: [] }, []],
  ),
  scenario(
    'the relay: the wake-up to itself arrives',
    [OURS],
    async (bus) => {
      await bus.until(() => createContinuations(ourBus(bus)).send(backfill));
      return (await numbers(bus)).ours;
    },
    [9],
  ),
];
