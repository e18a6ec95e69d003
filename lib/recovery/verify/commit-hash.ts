// The verifier's own idea of a commit: its hash computed from the documented framing (netstrings over streamId, version,
// count, recordedAt, encoding, format, previousHash, stored events) and the types of its events. Written apart from the
// event store on purpose: a mistake there must not hide itself here.

import { createHash } from 'node:crypto';
import { brotliDecompressSync } from 'node:zlib';
import type { Item } from './read.ts';

export const GENESIS_HASH = '0'.repeat(64);
/** Decompression stops here: damaged bytes must not fill the memory. */
const TEXT_MAX_BYTES = 64 * 1_024 * 1_024;

const HASHED = ['streamId', 'version', 'count', 'recordedAt', 'encoding', 'format', 'previousHash', 'events'] as const;

/** @throws when the stored events cannot be decoded */
export function commitHash(item: Item): { hash: string; types: string[] } {
  const hash = createHash('sha256');
  for (const name of HASHED) {
    const value = item[name];
    const bytes = value instanceof Uint8Array ? value : Buffer.from(String(value), 'utf8');
    hash.update(`${bytes.byteLength}:`).update(bytes).update(',');
  }
  const text =
    item.events instanceof Uint8Array
      ? brotliDecompressSync(item.events, { maxOutputLength: TEXT_MAX_BYTES }).toString('utf8')
      : String(item.events);
  const events = JSON.parse(text) as { type: string }[];
  return { hash: hash.digest('hex'), types: events.map(({ type }) => type) };
}
