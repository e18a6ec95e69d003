// What a table held at any past moment, from the list of its changes. Pure. A change has the item's new image or, when it
// was removed, none; what it replaced is the image before it.

/** An attribute value as it stands on the wire: `{ S: '...' }`, `{ N: '1' }`, `{ B: base64 }`, ... */
export type WireItem = Record<string, Record<string, unknown>>;

export interface Change {
  /** Milliseconds since 1970. Never decreases along the list. */
  at: number;
  keys: WireItem;
  /** Absent: the item was removed. */
  image?: WireItem;
}

export interface Difference {
  /** When the item was written last, in the span. */
  at: number;
  keys: WireItem;
  /** At the span's beginning; absent: there was no item. */
  before?: WireItem;
  /** At the span's end; absent: there is no item. */
  after?: WireItem;
}

/** Everything that the table held at `atMs`, changes of that very moment included, in order of the last change. */
export function stateAt(changes: readonly Change[], atMs: number): WireItem[] {
  const state = new Map<string, WireItem>();
  for (const { at, keys, image } of changes) {
    if (at > atMs) break;
    const key = keyText(keys);
    state.delete(key);
    if (image !== undefined) state.set(key, image);
  }
  return [...state.values()];
}

/**
 * What differs between two moments, one entry per item: from `fromMs` (included) to `toMs` (excluded). An item that came and
 * went in between is left out, as AWS leaves it out.
 */
export function differences(changes: readonly Change[], fromMs: number, toMs: number): Difference[] {
  const before = new Map<string, WireItem | undefined>();
  const found = new Map<string, Difference>();
  for (const { at, keys, image } of changes) {
    if (at >= toMs) break;
    const key = keyText(keys);
    if (at < fromMs) before.set(key, image);
    else found.set(key, { at, keys, before: before.get(key), after: image });
  }
  return [...found.values()].filter((one) => one.before !== undefined || one.after !== undefined);
}

/** Attributes in one order: two spellings of a key are one key. */
const keyText = (keys: WireItem): string => JSON.stringify(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1)));
