// What an item of the log's pages is by itself: a page that stands under its own key and says nothing twice, or damage.
// Pure and total.

import { bucketOf, padded, pagePartition } from '../../flow/log/keys.ts';
import { decodePage, encodePage, HASH_PREFIX_LENGTH, PAGE_FORMAT } from '../../flow/log/pages.ts';
import type { LogEntry, LogPage } from '../../flow/log/port.ts';
import { STREAM_ID_MAX_BYTES } from '../../model/ids.ts';
import { shortly } from './head.ts';
import { type Item, isVersion } from './item.ts';

export type PageVerdict =
  | { kind: 'whole'; page: LogPage }
  | { kind: 'broken'; first: number; problem: string /** Where the next page may begin. */; next: number[] };

const ATTRIBUTES = ['pk', 'sk', 'firstPosition', 'lastPosition', 'sequencedAt', 'entries', 'format'];
const DIGITS = /^[0-9]{1,16}$/;
const HASH_PREFIX = new RegExp(`^[0-9a-f]{${HASH_PREFIX_LENGTH}}$`);

export function examinePage(item: Item): PageVerdict {
  const { pk, sk, firstPosition, lastPosition, sequencedAt, format } = item;
  const first = typeof sk === 'string' && DIGITS.test(sk) ? Number(sk) : 0;
  const claimed = isVersion(lastPosition) && lastPosition >= first ? [lastPosition + 1] : [];
  const broken = (problem: string, next = claimed): PageVerdict => ({ kind: 'broken', first, problem, next });
  if (!isVersion(first) || sk !== padded(first) || pk !== pagePartition(bucketOf(first))) {
    return broken(`no page has the key ${shortly(pk)} / ${shortly(sk)}`, []);
  }
  if (firstPosition !== first) return broken(`it says that it begins at position ${shortly(firstPosition)}`);
  // Newer code may have written it. Nothing else vouches for it, so it is said: a roll-back past a format is no state to stay in.
  if (!isVersion(format) || format > PAGE_FORMAT)
    return broken(`its format is ${shortly(format)}, this code knows ${PAGE_FORMAT}`);
  if (!Number.isSafeInteger(sequencedAt) || (sequencedAt as number) < 0) {
    return broken(`its sequencedAt is ${shortly(sequencedAt)}`);
  }
  const extra = Object.keys(item).find((name) => !ATTRIBUTES.includes(name));
  if (extra !== undefined) return broken(`it has an attribute "${shortly(extra)}", which no page has`);
  try {
    const page = decodePage(item);
    const wrong = page.entries.find((entry) => !isEntry(entry));
    if (wrong !== undefined) return broken(`its entry at position ${shortly(wrong.position)} names no commit`);
    // Everything that decodes to the same page but is written otherwise was not written by the relay.
    if (encodePage(page).entries !== item.entries)
      return broken('its entries are not written as the relay writes them');
    return { kind: 'whole', page };
  } catch (error) {
    return broken(shortly(error instanceof Error ? error.message : String(error)));
  }
}

function isEntry({ streamId, version, count, position, recordedAt, types, hashPrefix, previousPosition }: LogEntry) {
  return (
    typeof streamId === 'string' &&
    streamId.length > 0 &&
    Buffer.byteLength(streamId) <= STREAM_ID_MAX_BYTES &&
    isVersion(version) &&
    isVersion(version + count) &&
    isVersion(position) &&
    Number.isSafeInteger(recordedAt) &&
    types.every((type) => typeof type === 'string') &&
    typeof hashPrefix === 'string' &&
    HASH_PREFIX.test(hashPrefix) &&
    Number.isSafeInteger(previousPosition) &&
    previousPosition >= 0
  );
}
