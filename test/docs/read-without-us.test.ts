// docs/recipes/read-without-us.md, run as it stands on items that the event store wrote: the recipe must keep working, or
// the layout was changed without it.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createMemoryEventStore, type MemoryEventStore } from '../../lib/flow/event-store/memory-event-store.ts';
import { type ExportSpan, exportFiles } from '../../lib/local/backups/export-files.ts';
import type { Change, WireItem } from '../../lib/local/backups/timeline.ts';
import type { Event, Json } from '../../lib/model/event.ts';
import { EVENTS_TABLE } from '../../lib/platform/dynamodb/schemas.ts';
import { githubStreams } from '../support/github-webhooks.ts';
import { createTestWorld } from '../support/world.ts';

const recipe = readFileSync(join(import.meta.dirname, '../../docs/recipes/read-without-us.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...recipe.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , text]) => text ?? '');

type Item = Record<string, { S?: string; N?: string; B?: Uint8Array | string }>;
type Line = Record<string, unknown> & { streamId: string; version: number; data: Json };

const asCli = (item: Record<string, unknown>): Item =>
  Object.fromEntries(
    Object.entries(marshall(item)).map(([name, value]) => [
      name,
      value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') },
    ]),
  ) as Item;

const lines = (stdout: string): Line[] =>
  stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

describe('reading the table without this project', () => {
  let folder: string;
  let store: MemoryEventStore;
  let items: Item[];
  let expected: Event[];
  const ofStream = (streamId: string) => items.filter((item) => item.streamId?.S === streamId);

  const node = (input: string) =>
    spawnSync(process.execPath, [join(folder, 'read-commits.mjs')], { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  const queryOutput = (some: Item[]): string => JSON.stringify({ Items: some, Count: some.length }, null, 4);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'read-without-us-'));
    writeFileSync(join(folder, 'read-commits.mjs'), blocks('js')[0] ?? '');
    writeFileSync(join(folder, 'events.jq'), blocks('jq')[0] ?? '');
    store = createMemoryEventStore({ world: createTestWorld() });
    await store.append('order-1', [{ id: 'e1', type: 'Placed', data: { sku: 'Ä€😀', 'ke"y': [null, 1.5] } }], 0);
    await store.append(
      'order-1',
      [
        { id: 'e2', type: 'Paid', data: 2, metadata: { correlationId: 'c', timestamp: '2024-01-01T00:00:00Z' } },
        { id: 'e3', type: 'Noted', data: 'again and again '.repeat(200) },
      ],
      1,
    );
    await store.append('order-1', [{ id: 'e4', type: 'Shipped', data: null, metadata: { causationId: 'e2' } }], 3);
    let nested: Json = 1;
    for (let level = 0; level < 250; level += 1) nested = [nested];
    await store.append('deep', [{ id: 'd1', type: 'Deep', data: nested }], 0);
    const streams = ['deep', 'order-1'];
    for (const { streamId, events } of githubStreams()) {
      let version = 0;
      for (const event of events.slice(0, 40)) ({ version } = await store.append(streamId, [event], version));
      streams.push(streamId);
    }
    items = store.dynamo.items(EVENTS_TABLE.name).map(asCli);
    expected = (await Promise.all(streams.map((streamId) => store.read(streamId)))).flat();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const keyOf = (line: Line): string => `${line.streamId} ${line.version}`;
  const inOrder = (all: Line[]): Line[] => all.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
  const expectedLines = (events: readonly Event[], recordedAt: (event: Event) => number): Line[] =>
    events.map(({ id, streamId, type, data, metadata }) => ({
      streamId,
      version: metadata.version,
      recordedAt: recordedAt({ id, streamId, type, data, metadata }),
      id,
      type,
      timestamp: metadata.timestamp.toISOString(),
      correlationId: metadata.correlationId,
      causationId: metadata.causationId,
      data,
    }));
  const recordedAt = () => createTestWorld().clock.now();

  it('gives with Node.js every event of a query, with its defaults, compressed or not', () => {
    expect(new Set(items.map(({ encoding }) => encoding?.S))).toEqual(new Set(['json', 'br']));
    const { stdout, stderr, status } = node(queryOutput(ofStream('order-1')));
    expect([stderr, status]).toEqual(['', 0]);
    const ofOrder = expected.filter(({ streamId }) => streamId === 'order-1');
    expect(lines(stdout)).toEqual(expectedLines(ofOrder, recordedAt));
    expect(JSON.stringify(lines(stdout).map(({ data }) => data))).toBe(JSON.stringify(ofOrder.map(({ data }) => data)));
  });

  it('gives with Node.js every event of an export, in whatever order its lines are', () => {
    const exported = items.toReversed().map((item) => JSON.stringify({ Item: item }));
    const { stdout, stderr, status } = node(`${exported.join('\n')}\n`);
    expect([stderr, status]).toEqual(['', 0]);
    expect(inOrder(lines(stdout))).toEqual(inOrder(expectedLines(expected, recordedAt)));
  });

  it.each<[string, (commits: Item[]) => Item[], RegExp]>([
    [
      'a changed event',
      ([first, ...rest]) => [{ ...first, events: { S: String(first?.events?.S).replace('e1', 'e9') } }, ...rest],
      /@1: the hash/,
    ],
    ['a missing commit', ([first, , third]) => [first, third] as Item[], /@4: version 2 is missing/],
    ['a changed time', ([first, ...rest]) => [{ ...first, recordedAt: { N: '1' } }, ...rest], /@1: the hash/],
    [
      'a link that was changed',
      ([first, second, ...rest]) => [first, { ...second, previousHash: { S: '1'.repeat(64) } }, ...rest] as Item[],
      /@2: it does not follow/,
    ],
  ])('says with Node.js where there is %s', (_, damage, message) => {
    const { stderr, status } = node(queryOutput(damage(ofStream('order-1'))));
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });

  it('gives every event of an archive of a full and two incremental exports once, and says which image was damaged', () => {
    const wire = items as unknown as WireItem[];
    const change = (at: number, image: WireItem): Change => {
      const { streamId = {}, version = {} } = image;
      return { at, keys: { streamId, version }, image };
    };
    const half = wire.length >> 1;
    const damaged = { ...(wire[0] as WireItem), events: { S: 'damaged' } };
    const changes = [
      ...wire.map((image, index) => change(index < half ? 1 : 20, image)),
      change(40, damaged),
      change(60, wire[0] as WireItem),
    ];
    const spans: ExportSpan[] = [
      { type: 'FULL_EXPORT', atMs: 10 },
      { type: 'INCREMENTAL_EXPORT', fromMs: 10, toMs: 30, view: 'NEW_AND_OLD_IMAGES' },
      { type: 'INCREMENTAL_EXPORT', fromMs: 30, toMs: 50, view: 'NEW_AND_OLD_IMAGES' },
    ];
    for (const [index, span] of spans.entries()) {
      const facts = { exportId: `e${index}`, exportArn: 'a', tableArn: 't', bucket: 'b', prefix: 'archive' };
      for (const { key, body } of exportFiles(changes, { ...facts, startedAt: 0, endedAt: 0, span }).files) {
        mkdirSync(dirname(join(folder, key)), { recursive: true });
        writeFileSync(join(folder, key), body);
      }
    }
    const read = /^find archive .*$/m.exec(recipe)?.[0].replace(/\bnode\b/, JSON.stringify(process.execPath)) ?? '';
    const { stdout, stderr, status } = spawnSync('sh', ['-c', read], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    expect(inOrder(lines(stdout))).toEqual(inOrder(expectedLines(expected, recordedAt)));
    expect([stderr.trim().split('\n').length, status]).toEqual([1, 1]);
    expect(stderr).toContain('the hash does not fit');
  });

  it('gives with jq every event that is not compressed, and says which commits are', () => {
    const found = spawnSync('jq', ['--version'], { encoding: 'utf8' });
    const some = [...ofStream('order-1'), ...ofStream('deep')];
    if (found.error !== undefined) {
      // Without jq on this machine the Node.js recipe, which gives all of it, is what can be run.
      expect(node(queryOutput(some)).status).toBe(0);
      return;
    }
    writeFileSync(join(folder, 'stream.json'), queryOutput(some));
    const { stdout, stderr, status } = spawnSync(
      'jq',
      ['-c', '-f', join(folder, 'events.jq'), join(folder, 'stream.json')],
      {
        encoding: 'utf8',
      },
    );
    expect([stderr, status]).toEqual(['', 0]);
    const at = recordedAt();
    const deep = expected.find(({ streamId }) => streamId === 'deep')?.data;
    expect(lines(stdout)).toEqual([
      {
        streamId: 'order-1',
        version: 1,
        recordedAt: at,
        id: 'e1',
        type: 'Placed',
        data: { sku: 'Ä€😀', 'ke"y': [null, 1.5] },
      },
      { streamId: 'order-1', version: 2, count: 2, brotli: expect.any(String) },
      { streamId: 'order-1', version: 4, recordedAt: at, id: 'e4', type: 'Shipped', causationId: 'e2', data: null },
      { streamId: 'deep', version: 1, recordedAt: at, id: 'd1', type: 'Deep', data: deep },
    ]);
  });

  it('names in the Athena table exactly the attributes that an item has, with their types', () => {
    const [create = '', select = ''] = blocks('sql');
    const declared = [...create.matchAll(/^ {4}(\w+): struct<([^>]*)>/gm)].map(([, name, types]) => [
      name,
      (types ?? '')
        .split(',')
        .map((type) => type.trim().replace(': string', ''))
        .sort(),
    ]);
    const types = new Map<string, Set<string>>();
    for (const item of items) {
      for (const [name, value] of Object.entries(item)) {
        const known = types.get(name.toLowerCase()) ?? new Set<string>();
        types.set(name.toLowerCase(), known.add((Object.keys(value)[0] ?? '').toLowerCase()));
      }
    }
    expect(Object.fromEntries(declared)).toEqual(
      Object.fromEntries([...types].map(([name, found]) => [name, [...found].sort()])),
    );
    const used = new Set([...select.matchAll(/item\.(\w+)\.(\w)/g)].map(([, name, type]) => `${name}.${type}`));
    for (const column of used) {
      const [name = '', type = ''] = column.split('.');
      expect(types.get(name)).toContain(type);
    }
    expect(used.size).toBeGreaterThan(3);
  });
});
