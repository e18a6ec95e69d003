// Real input: every example payload of GitHub's webhooks comes back byte for byte.

import { describe, expect, it } from '@jest/globals';
import { itemSize } from '../../../lib/platform/dynamodb/memory/size.ts';
import type { Item } from '../../../lib/platform/dynamodb/memory/values.ts';
import { eventsTable, versionsOf } from '../../flow/event-store/support.ts';
import { githubStreams } from '../../support/github-webhooks.ts';
import type { EventStoreFixture } from './fixture.ts';
import { sequenceAll } from './sequence-all.ts';

export function githubContract(current: () => EventStoreFixture): void {
  describe('the webhook payloads of GitHub, one stream per repository', () => {
    const streams = githubStreams();
    const texts = ({ data }: { data: unknown }) => JSON.stringify(data);

    it('are 329 payloads of up to 27 KB', () => {
      const payloads = streams.flatMap(({ events }) => events.map(texts));
      expect(payloads).toHaveLength(329);
      expect(Math.max(...payloads.map((text) => Buffer.byteLength(text)))).toBeGreaterThan(26_000);
      expect(streams.length).toBeGreaterThan(5);
    });

    it('come back byte for byte, by stream and across all streams, and cost no more units than they have KB', async () => {
      const fixture = current();
      const { store, dynamo, another } = fixture;
      const inLog: string[] = [];
      for (const { streamId, events } of streams) {
        let version = 0;
        for (const event of events) ({ version } = await store.append(streamId, [event], version));
        await sequenceAll(fixture, streamId);
        inLog.push(...events.map(texts));
      }
      for (const { streamId, events } of streams) {
        const read = await another().read(streamId);
        expect(read.map(texts)).toEqual(events.map(texts));
        expect(read.map(({ id, type }) => ({ id, type }))).toEqual(events.map(({ id, type }) => ({ id, type })));
        expect(versionsOf(read)).toEqual(events.map((_, index) => index + 1));
      }
      expect((await store.readAll(0, 1_000)).map(texts)).toEqual(inLog);

      let units = 0;
      let unitsAsJson = 0;
      const request = { TableName: eventsTable, ConsistentRead: true };
      for (const { streamId } of streams) {
        const KeyConditionExpression = 'streamId = :s';
        for (const item of (
          await dynamo.query({ ...request, KeyConditionExpression, ExpressionAttributeValues: { ':s': streamId } })
        ).Items ?? []) {
          units += Math.ceil(itemSize(item as Item) / 1_024);
        }
      }
      for (const { events } of streams)
        for (const event of events) unitsAsJson += Math.ceil(texts(event).length / 1_024);
      // Compression pays: they are stored in less than a third of the units that their text would take.
      expect(units).toBeLessThan(unitsAsJson / 3);
    });
  });
}
