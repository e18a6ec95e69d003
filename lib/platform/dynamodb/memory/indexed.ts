// What a global secondary index holds of an item.

import type { Index } from './table.ts';
import { type Item, setMember, type Value } from './values.ts';

export function projectIndexed({ schema, keyNames }: Index, item: Item): Item {
  if (schema.projection !== 'KEYS_ONLY') return item;
  const projected: Item = {};
  for (const name of keyNames) setMember(projected, name, item[name] as Value);
  return projected;
}
