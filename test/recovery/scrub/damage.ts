// Random damage of what is stored: every way in which bytes, attributes and items can become others, by a seeded hand.

import type { MemoryDynamo } from '../../../lib/platform/dynamodb/memory/index.ts';
import { seededRandom } from '../../support/world.ts';
import { compressed, type Item } from './support.ts';

export interface Hand {
  /** From 0 to below `limit`. */
  number(limit: number): number;
  one<T>(of: readonly T[]): T;
}

export function createHand(seed: number): Hand {
  const random = seededRandom(seed);
  const hand: Hand = {
    number: (limit) => Math.floor(random.next() * limit),
    one: (of) => of[hand.number(of.length)] as (typeof of)[number],
  };
  return hand;
}

/** One table of the store under the hand: its items, how to write and remove them, which attributes are its keys. */
export interface Target {
  items: readonly Item[];
  keys: readonly [string, string];
  put(item: Item): void;
  remove(item: Item): void;
  /** Keys of the same table where nothing stands, or something else. */
  otherKey(item: Item, hand: Hand): Item;
  /** Keys under which something else stands now than before. */
  changed(isSame: (before: Item | undefined, now: Item | undefined) => boolean): Item[];
}

/** @param items what the table holds */
export function targetOf(
  dynamo: MemoryDynamo,
  table: string,
  keys: readonly [string, string],
  otherKey: Target['otherKey'],
  items: readonly Item[],
): Target {
  const keyOf = (item: Item): Item => ({ [keys[0]]: item[keys[0]], [keys[1]]: item[keys[1]] });
  const textOfKey = (item: Item): string => JSON.stringify([String(item[keys[0]]), String(item[keys[1]])]);
  const written = new Map<string, { key: Item; now: Item | undefined }>();
  return {
    items,
    keys,
    put(item) {
      dynamo.replaceItem(table, item);
      written.set(textOfKey(item), { key: keyOf(item), now: item });
    },
    remove(item) {
      dynamo.removeItem(table, keyOf(item));
      written.set(textOfKey(item), { key: keyOf(item), now: undefined });
    },
    otherKey,
    changed(isSame) {
      const before = new Map(items.map((item) => [textOfKey(item), item]));
      return [...written].filter(([text, { now }]) => !isSame(before.get(text), now)).map(([, { key }]) => key);
    },
  };
}

const VALUES: readonly ((hand: Hand, old: unknown) => unknown)[] = [
  (hand) => hand.number(20),
  (hand) => -hand.number(20) - 1,
  (hand) => hand.number(1_000) + 0.5,
  () => Number.MAX_SAFE_INTEGER,
  () => 10n ** 30n,
  () => '',
  () => 'garbage',
  () => '0'.repeat(64),
  () => null,
  (hand) => hand.number(2) === 0,
  () => [],
  () => ({ a: 1 }),
  () => new Set(['a', 'b']),
  () => new Uint8Array([1, 2, 3]),
  (_hand, old) => String(old),
  (_hand, old) => (typeof old === 'string' ? new Uint8Array(Buffer.from(old)) : '[]'),
  (_hand, old) => (typeof old === 'string' ? compressed(old) : 'br'),
];

function flipped(value: unknown, hand: Hand): unknown {
  if (typeof value === 'string') {
    const at = hand.number(value.length);
    const code = value.charCodeAt(at) ^ (1 << hand.number(7));
    return `${value.slice(0, at)}${String.fromCharCode(code)}${value.slice(at + 1)}`;
  }
  if (value instanceof Uint8Array) {
    const bytes = value.slice();
    const at = hand.number(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << hand.number(8));
    return bytes;
  }
  if (typeof value === 'number') return value ^ (1 << hand.number(20));
  return null;
}

type Way = (target: Target, hand: Hand) => void;
const attributeOf = (target: Target, item: Item, hand: Hand): string =>
  hand.one(Object.keys(item).filter((name) => !target.keys.includes(name)));
const keyPart = ({ keys }: Target, item: Item): Item => Object.fromEntries(keys.map((name) => [name, item[name]]));

export const WAYS = {
  flip(target, hand) {
    const item = hand.one(target.items);
    const name = attributeOf(target, item, hand);
    target.put({ ...item, [name]: flipped(item[name], hand) });
  },
  change(target, hand) {
    const item = hand.one(target.items);
    const name = attributeOf(target, item, hand);
    target.put({ ...item, [name]: hand.one(VALUES)(hand, item[name]) });
  },
  removeAttribute(target, hand) {
    const item = { ...hand.one(target.items) };
    delete item[attributeOf(target, item, hand)];
    target.put(item);
  },
  addAttribute(target, hand) {
    const item = hand.one(target.items);
    target.put({
      ...item,
      [hand.one(['more', 'Events', 'constructor', 'hash2'])]: hand.one(VALUES)(hand, 1),
    });
  },
  swapInside(target, hand) {
    const item = hand.one(target.items);
    const [a, b] = [attributeOf(target, item, hand), attributeOf(target, item, hand)];
    target.put({ ...item, [a]: item[b], [b]: item[a] });
  },
  swapAttributes(target, hand) {
    const [a, b] = [hand.one(target.items), hand.one(target.items)];
    const name = attributeOf(target, a, hand);
    target.put({ ...a, [name]: b[name] });
    target.put({ ...b, [name]: a[name] });
  },
  swapItems(target, hand) {
    const [a, b] = [hand.one(target.items), hand.one(target.items)];
    target.put({ ...a, ...keyPart(target, b) });
    target.put({ ...b, ...keyPart(target, a) });
  },
  drop(target, hand) {
    for (let left = 1 + hand.number(3); left > 0; left -= 1) target.remove(hand.one(target.items));
  },
  move(target, hand) {
    const item = hand.one(target.items);
    target.remove(item);
    target.put({ ...item, ...target.otherKey(item, hand) });
  },
  duplicate(target, hand) {
    const item = hand.one(target.items);
    target.put({ ...item, ...target.otherKey(item, hand) });
  },
  everywhere(target, hand) {
    for (const item of target.items) {
      if (hand.number(3) > 0) continue;
      const name = attributeOf(target, item, hand);
      target.put({ ...item, [name]: hand.one(VALUES)(hand, item[name]) });
    }
  },
} satisfies Record<string, Way>;
export type WayName = keyof typeof WAYS;
export const WAY_NAMES = Object.keys(WAYS) as WayName[];

/** An item as one text, so that two of them can be compared. */
export const textOf = (item: Item): string =>
  JSON.stringify(
    Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)),
    plain,
  );

const plain = (_name: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return { bigint: String(value) };
  if (value instanceof Set) return { set: [...value] };
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') };
  return value;
};
